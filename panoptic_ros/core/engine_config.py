# SPDX-License-Identifier: Apache-2.0
"""How an engine is come by: from the node's parameters to opening it and building its plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from panoptic_ros.core.parameters import param

FALLBACKS = ("onnxruntime", "none")
RUNTIMES = ("auto", "onnxruntime", "openvino", "tensorrt")
PLAN_RUNTIMES = ("tensorrt", "openvino")
"""Runtimes that take plans, the usual one first."""
PRECISIONS = ("fp32", "fp16", "int8")
MAX_BATCH = 64

ProgressCallback = Callable[[str, float], None]
"""Takes the name of a build's phase and the share that is done, 0 to 1, never falling."""


@dataclass(frozen=True)
class EngineConfig:
    """Which engine runs, where, and what may be built for it."""

    name: str = param(
        "street_fast",
        "Model that comes with the package, path of an .onnx file, or 'drawn' for a stand-in.",
        live=False,
        public="engine",
    )
    threads: int = param(
        0,
        "CPU threads of one inference, 0 for one per core.",
        low=0,
        high=256,
        live=False,
        public="engine_threads",
    )
    runtime: str = param(
        "auto",
        "What runs a model: onnxruntime, openvino, tensorrt, or auto for TensorRT where a plan "
        "fits, else whichever of the others is the faster one here.",
        choices=RUNTIMES,
        live=False,
        public="engine_runtime",
    )
    openvino_device: str = param(
        "CPU",
        "Device of OpenVINO: CPU, GPU, GPU.1, NPU or AUTO.",
        live=False,
        public="engine_openvino_device",
    )
    fallback: str = param(
        "onnxruntime",
        "What runs where TensorRT or OpenVINO cannot: onnxruntime, or none to fail configure "
        "instead.",
        choices=FALLBACKS,
        live=False,
        public="engine_fallback",
    )
    rebuild: bool = param(
        True,
        "Build a plan that is missing or stale, in a process beside the node; takes minutes.",
        live=False,
        public="engine_rebuild",
    )
    precision: str = param(
        "fp16",
        "Precision of the plan of a model; in OpenVINO all but fp32 is the half precision that "
        "the device has.",
        choices=PRECISIONS,
        live=False,
        public="engine_precision",
    )
    batch: int = param(
        1,
        "Cameras that the plan of a model runs in one inference.",
        low=1,
        high=MAX_BATCH,
        live=False,
        public="engine_batch",
    )
    device: int = param(
        0,
        "Number of the GPU as CUDA counts.",
        low=0,
        high=63,
        live=False,
        public="engine_device",
    )
    warmup: int = param(
        3,
        "Inferences of a plan before the first image.",
        low=0,
        high=100,
        live=False,
        public="engine_warmup",
    )
    timeout_s: float = param(
        30.0,
        "An inference that takes longer ends the process, so that it is respawned; 0 for never.",
        low=0.0,
        high=3600.0,
        public="engine_timeout_s",
    )
