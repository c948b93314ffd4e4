# SPDX-License-Identifier: Apache-2.0
"""From ONNX to a plan, in one code path for TensorRT 8.6 to 11 and TensorRT for RTX."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from panoptic_ros.core.engine_config import ProgressCallback
from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine.building.progress import Phases, monitor
from panoptic_ros.engine.storage.cache import write_atomically
from panoptic_ros.engine.storage.manifest import Tensor
from panoptic_ros.engine.variant import TensorRtVariant, make_logger


@dataclass(frozen=True)
class BuildOptions:
    """What the builder is told beside the network.

    Attributes:
        precision: ``fp32``, ``fp16`` or ``int8``; the ONNX file already says so where the
            variant is strongly typed, and builder flags repeat it elsewhere.
        dla: Number of the DLA core, None for the GPU.
        targets: Compute capabilities such as ``8.6``, for portable variants; empty for the
            variant's own choice.
        workspace_mib: Most scratch memory in MiB, 0 for TensorRT's own limit.
        keep_fp32: Names of the nodes that stay in FP32 where types are only flags.
        ranges: Largest absolute value of every tensor, for INT8 without Q/DQ pairs.
    """

    precision: str = "fp32"
    dla: int | None = None
    targets: tuple[str, ...] = ()
    workspace_mib: int = 0
    keep_fp32: frozenset[str] = frozenset()
    ranges: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Built:
    """A plan, its tensors, how long TensorRT took in seconds, and what it warned of."""

    plan: bytes
    tensors: tuple[Tensor, ...]
    seconds: float
    warnings: tuple[str, ...]


def build_plan(
    model: bytes,
    variant: TensorRtVariant,
    options: BuildOptions,
    report: ProgressCallback = lambda phase, share: None,
    timing_cache: Path | None = None,
) -> Built:
    """Build a plan.

    Args:
        model: A prepared ONNX model.
        variant: The TensorRT to build with.
        options: What it is told.
        report: Told how far it is, from TensorRT 10 on.
        timing_cache: File that makes the next build faster; read and written.

    Raises:
        ModelError: TensorRT refuses the model or the options, or fails.
        KeyboardInterrupt: The build was interrupted.
    """
    trt = variant.module
    logger = make_logger(trt)
    builder = trt.Builder(logger)
    network = builder.create_network(variant.network_flags(options.dla is not None))
    _parse(trt, network, logger, model)
    config = builder.create_builder_config()
    _configure(variant, config, network, options)
    phases = Phases(report)
    watch = monitor(trt, phases)
    if watch is not None:
        config.progress_monitor = watch
    keep = _use_timing_cache(variant, config, timing_cache)
    start = time.monotonic()
    plan = builder.build_serialized_network(network, config)
    if phases.cancelled:
        raise KeyboardInterrupt
    if plan is None:
        raise ModelError(f"{variant.title} cannot build this model: {logger.summary()}")
    keep()
    tensors = _tensors(trt, network)
    return Built(bytes(plan), tensors, time.monotonic() - start, tuple(logger.warnings))


def _parse(trt: Any, network: Any, logger: Any, model: bytes) -> None:
    parser = trt.OnnxParser(network, logger)
    if parser.parse(model):
        return
    first = parser.get_error(0).desc() if parser.num_errors else logger.summary()
    lines = dict.fromkeys(line.strip() for line in first.splitlines() if line.strip())
    raise ModelError(
        f"TensorRT cannot read this model: {'; '.join(list(lines)[:2])}; "
        "panoptic build --check lists what has to change"
    )


def _configure(variant: TensorRtVariant, config: Any, network: Any, options: BuildOptions) -> None:
    trt = variant.module
    if options.workspace_mib:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_mib << 20)
    if options.targets:
        _set_targets(variant, config, options.targets)
    if options.dla is not None:
        _use_dla(variant, config, options)
    if not variant.typed_by_onnx(options.dla is not None):
        _set_precision_flags(trt, config, network, options)


def _set_targets(variant: TensorRtVariant, config: Any, targets: tuple[str, ...]) -> None:
    """Say for which GPUs a portable plan is.

    Raises:
        ModelError: The variant builds for the GPU of this machine only, or not for these.
    """
    if not hasattr(config, "set_compute_capability"):
        raise ModelError(
            f"--target: {variant.title} builds for the GPU of this machine only; "
            "portable plans need: pip install tensorrt_rtx"
        )
    known = variant.module.ComputeCapability
    names = {f"{name[2:-1]}.{name[-1]}": name for name in dir(known) if name.startswith("SM")}
    unknown = [target for target in targets if target not in names]
    if unknown:
        raise ModelError(
            f"--target {','.join(unknown)}: {variant.title} builds for compute capability "
            f"{', '.join(sorted(names, key=float))}"
        )
    config.num_compute_capabilities = len(targets)
    for index, target in enumerate(targets):
        config.set_compute_capability(getattr(known, names[target]), index)


def _use_dla(variant: TensorRtVariant, config: Any, options: BuildOptions) -> None:
    """Send the network to a DLA core; what it cannot run stays on the GPU.

    Raises:
        ModelError: The variant has no DLA, or none for the precision.
    """
    trt = variant.module
    if variant.portable:
        raise ModelError(f"--dla: {variant.title} has no DLA; TensorRT of a Jetson has")
    if options.precision == "fp32":
        raise ModelError("--dla: DLA cores compute in fp16 or int8; add --precision fp16")
    config.default_device_type = trt.DeviceType.DLA
    config.DLA_core = options.dla
    config.set_flag(trt.BuilderFlag.GPU_FALLBACK)


def _set_precision_flags(trt: Any, config: Any, network: Any, options: BuildOptions) -> None:
    """Say by flags what a strongly typed network says itself (TensorRT 8.6, and DLA on 10)."""
    if options.precision == "fp32":
        return
    config.set_flag(trt.BuilderFlag.FP16)
    if options.precision == "int8":
        config.set_flag(trt.BuilderFlag.INT8)
    config.set_flag(trt.BuilderFlag.PREFER_PRECISION_CONSTRAINTS)
    for index in range(network.num_layers):
        layer = network.get_layer(index)
        # Layers that give whole numbers, such as casts, have no precision to choose.
        floating = layer.num_outputs and layer.get_output(0).dtype in (trt.float32, trt.float16)
        if layer.name in options.keep_fp32 and floating:
            layer.precision = trt.float32
    _set_ranges(network, options.ranges)


def _set_ranges(network: Any, ranges: Mapping[str, float]) -> None:
    """Tell INT8's ranges where no Q/DQ pairs do."""
    if not ranges:
        return
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    tensors = [layer.get_output(index) for layer in layers for index in range(layer.num_outputs)]
    for tensor in tensors:
        if tensor is not None and tensor.name in ranges:
            tensor.set_dynamic_range(-ranges[tensor.name], ranges[tensor.name])


def _use_timing_cache(
    variant: TensorRtVariant, config: Any, path: Path | None
) -> Callable[[], None]:
    """Load the timing cache; the returned call writes it after the build.

    TensorRT for RTX measures on the user's machine when the plan is first loaded, so its timing
    cache does nothing.
    """
    if path is None or variant.portable:
        return lambda: None
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    # A cache that is damaged or of another GPU is refused; an empty one never.
    for start in (content, b""):
        cache = config.create_timing_cache(start)
        if cache is not None and config.set_timing_cache(cache, ignore_mismatch=False):
            break

    def keep() -> None:
        kept = config.get_timing_cache()
        # It saves time, nothing else: a full disk must not lose the plan.
        with contextlib.suppress(OSError):
            if kept is not None:
                write_atomically(path, bytes(kept.serialize()))

    return keep


def _tensors(trt: Any, network: Any) -> tuple[Tensor, ...]:
    inputs = [(network.get_input(index), "input") for index in range(network.num_inputs)]
    outputs = [(network.get_output(index), "output") for index in range(network.num_outputs)]
    return tuple(
        Tensor(
            tensor.name,
            mode,
            np.dtype(trt.nptype(tensor.dtype)).name,
            tuple(int(size) for size in tensor.shape),
        )
        for tensor, mode in inputs + outputs
    )
