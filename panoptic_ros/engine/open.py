# SPDX-License-Identifier: Apache-2.0
"""From what the user wrote to an engine that runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.core.engine_config import EngineConfig, ProgressCallback
from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.model import Engine
from panoptic_ros.core.parameters import check_values
from panoptic_ros.engine.device import pci_bus_id
from panoptic_ros.engine.models import find_engine, find_model
from panoptic_ros.engine.opening import Opening, open_model, open_plan

if TYPE_CHECKING:
    from panoptic_ros.engine.building.plans import PlanRequest
    from panoptic_ros.engine.building.process import BuildProcess

DRAWN = "drawn"
"""The engine that reads drawn streets back; stands in where there is no model."""


def open_engine(
    name: str | Path,
    threads: int = 0,
    *,
    runtime: str = "auto",
    openvino_device: str = "CPU",
    fallback: str = "onnxruntime",
    rebuild: bool = False,
    precision: str = "fp16",
    batch: int = 1,
    device: int = 0,
    warmup: int = 3,
    say: Callable[[str], object] = lambda line: None,
    report: ProgressCallback = lambda phase, share: None,
    say_other: Callable[[str], object] = lambda line: None,
) -> Engine:
    """Open an engine: a ``.plan`` in TensorRT, an ``.onnx`` in TensorRT where a plan fits.

    Args:
        name: Path of an ``.onnx`` or ``.plan`` file, the name of a model that comes with the
            package (``street_fast``, ``street_sharp``), or ``drawn``.
        threads: CPU threads of one inference, 0 for one per core.
        runtime: ``onnxruntime``, ``openvino``, ``tensorrt``, or ``auto`` for TensorRT where a plan
            fits, else whichever of the others is the faster one here.
        openvino_device: ``CPU``, ``GPU``, ``GPU.1``, ``NPU`` or ``AUTO``.
        fallback: ``onnxruntime`` to run there where the others cannot, ``none`` to fail instead.
        rebuild: Whether to build a plan where there is none that fits; that takes minutes.
        precision: Of the plan: ``fp32``, ``fp16`` or ``int8``.
        batch: Images in one inference of the plan.
        device: Number of the GPU as CUDA counts.
        warmup: Inferences of a plan before the first frame.
        say: Takes the one line about what was chosen and why.
        report: Told how far a build is: the phase and the share that is done.
        say_other: Takes that line as well, where a plan or a runtime is named and another runs.

    Raises:
        ConfigError: There is no such fallback or precision.
        ModelError: There is no such model, or it cannot be used; the message says what to do.
        StaleEngineError: The plan is for another GPU, TensorRT or model, and ``fallback`` is
            ``none`` or there is nothing to fall back to.
    """
    config = EngineConfig(
        str(name),
        threads,
        runtime=runtime,
        openvino_device=openvino_device,
        fallback=fallback,
        rebuild=rebuild,
        precision=precision,
        batch=batch,
        device=device,
        warmup=warmup,
    )
    return open_configured(config, say, report, say_other)


def open_configured(
    config: EngineConfig,
    say: Callable[[str], object] = lambda line: None,
    report: ProgressCallback = lambda phase, share: None,
    say_other: Callable[[str], object] = lambda line: None,
) -> Engine:
    """Open the engine that a config asks for, as ``open_engine`` does.

    Args:
        config: Which engine; with ``rebuild`` a missing plan is built here, in this process.
        say: Takes the one line about what was chosen and why.
        report: Told how far a build is: the phase and the share that is done.
        say_other: Takes that line as well, where a plan or a runtime is named and another runs.

    Raises:
        ConfigError: A value is none that the config allows.
        ModelError: There is no such model, or it cannot be used; the message says what to do.
    """
    check_values(config)
    if config.name == DRAWN:
        from panoptic_ros.core.synthetic.engine import DrawnEngine

        return DrawnEngine()
    path, opening = find_engine(config.name), Opening(config, say, say_other, report)
    return open_plan(path, opening) if path.suffix == ".plan" else open_model(path, opening)


def plan_to_build(config: EngineConfig) -> PlanRequest | None:
    """Say which plan of an engine is missing here and can be built.

    Args:
        config: As ``open_configured`` takes it; a ``.plan`` is built anew in its own precision
            and batch.

    Returns:
        What to build, None where a plan fits, or where nothing can be built: no GPU, no
        TensorRT, no such model.
    """
    from panoptic_ros.engine.building.plans import PlanRequest, missing_plan

    if config.runtime in ("onnxruntime", "openvino"):
        return None
    try:
        path = find_model(config.name)
    except ModelError:
        return None
    return missing_plan(PlanRequest.of(path, config))


def start_build(request: PlanRequest) -> BuildProcess:
    """Build a plan in a process of its own."""
    from panoptic_ros.engine.building.process import BuildProcess

    return BuildProcess(request)


def gpu_slot(device: int) -> str:
    """Say in which PCI slot the GPU of an engine sits, empty for none; see ``pci_bus_id``."""
    return pci_bus_id(device)
