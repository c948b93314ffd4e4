# SPDX-License-Identifier: Apache-2.0
"""Which of ONNX Runtime's execution providers a model runs on, and how that is said.

A wheel lists the providers that it was compiled with; whether they load depends on the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes.util import find_library
from pathlib import Path
from typing import Any

from panoptic_ros.engine.device import find_gpu
from panoptic_ros.engine.storage.cache import default_folder
from panoptic_ros.engine.storage.manifest import sha256_of
from panoptic_ros.engine.variant import installed_variants

CPU = "CPU"
_SUFFIX = "ExecutionProvider"

Provider = tuple[str, dict[str, Any]]
"""ONNX Runtime's name of a provider, and its options."""


def choose_providers(available: Sequence[str], device: int | None, model: Path) -> list[Provider]:
    """List the providers to try, the best first and the CPU last.

    Args:
        available: Those that the wheel has, by ONNX Runtime's names.
        device: Number of the GPU as CUDA counts, None for the CPU.
        model: The ONNX file; what ONNX Runtime compiles is kept for it alone.

    Raises:
        ModelError: The model, or a file that holds weights of it, cannot be read.
    """
    wanted: list[Provider] = []
    if device is not None and find_gpu(device) is not None:
        if _takes_tensorrt():
            wanted.append((f"Tensorrt{_SUFFIX}", _tensorrt_options(device, model)))
        wanted.append((f"CUDA{_SUFFIX}", {"device_id": device}))
    chosen = [(name, options) for name, options in wanted if name in available]
    return [*chosen, (f"{CPU}{_SUFFIX}", {})]


def _takes_tensorrt() -> bool:
    """Whether ONNX Runtime's own way to TensorRT is of use.

    It builds for minutes, without progress and unchecked, so where TensorRT has its Python module
    the plans of this package are better, and ONNX Runtime is there for the time without one.
    """
    return find_library("nvinfer") is not None and not installed_variants()


def _tensorrt_options(device: int, model: Path) -> dict[str, Any]:
    # ONNX Runtime names what it compiled after the graph, not after the weights.
    folder = str(default_folder() / "onnxruntime" / sha256_of(model)[:12])
    return {
        "device_id": device,
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": folder,
        "trt_timing_cache_enable": True,
        "trt_timing_cache_path": folder,
    }


def short_name(provider: str) -> str:
    """Name a provider as people do: ``CUDA`` for ``CUDAExecutionProvider``."""
    return provider.removesuffix(_SUFFIX)


def describe(wanted: Sequence[Provider], got: Sequence[str]) -> str:
    """Say on which provider a session runs, and which better one did not load.

    Args:
        wanted: What was asked for.
        got: What the session has, by ONNX Runtime's names.
    """
    running, first = short_name(got[0]), short_name(wanted[0][0])
    return running if running == first else f"{running}, as {first} did not load"
