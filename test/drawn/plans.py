# SPDX-License-Identifier: Apache-2.0
"""Keys and manifests for tests of the cache: no TensorRT is needed to look after its files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from panoptic_ros.engine.storage.manifest import REWRITING, Manifest, PlanKey, Tensor

KEY = PlanKey(
    onnx_sha256="a" * 64,
    variant="tensorrt",
    version="10.3.0",
    gpu="Orin",
    compute_capability="8.7",
    precision="fp16",
    shape="256x512x3",
    rewriting=REWRITING,
)


def key(**changes: Any) -> PlanKey:
    return replace(KEY, **changes)


def manifest(**changes: Any) -> Manifest:
    values: dict[str, Any] = {
        "key": KEY,
        "model": "street.onnx",
        "plan_sha256": "",
        "plan_bytes": 0,
        "tensors": (Tensor("image", "input", "uint8", (1, 256, 512, 3)),),
        "metadata": {"panoptic_ros": "{}"},
        "driver": "12.6",
        "options": {"workspace": "1 GiB"},
        "build_s": 12.5,
        "parity": {"label_agreement": 0.999},
        "compared": "plan",
    }
    return Manifest(**{**values, **changes})
