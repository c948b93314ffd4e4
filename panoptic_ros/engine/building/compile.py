# SPDX-License-Identifier: Apache-2.0
"""From a recipe to a plan in its place: prepared, built once, compared, written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from panoptic_ros.core.engine_config import ProgressCallback
from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.model import ModelSpec
from panoptic_ros.engine.building.build import BuildOptions, build_plan
from panoptic_ros.engine.building.check import REFUSED, check_model
from panoptic_ros.engine.building.precision import full_nodes, to_fp16
from panoptic_ros.engine.building.prepare import load_model, prepare, set_batch
from panoptic_ros.engine.building.quantize import (
    CalibrationImages,
    edge_products,
    no_report,
    to_int8,
)
from panoptic_ros.engine.building.ranges import calibration_cache, tensor_ranges
from panoptic_ros.engine.building.recipe import Recipe, key_of, metadata_of, spec_of
from panoptic_ros.engine.device import Gpu, find_gpu, read_gpu
from panoptic_ros.engine.storage.cache import (
    WAITING,
    build_once,
    default_folder,
    plan_path,
    write_atomically,
)
from panoptic_ros.engine.storage.manifest import Manifest, PlanKey
from panoptic_ros.engine.variant import TensorRtVariant, load_variant

Compare = Callable[[bytes, bytes, Manifest], Mapping[str, float]]
"""Takes the prepared model, the plan and its manifest, and says how near they are to ONNX
Runtime; refuses them with ``ModelError``."""

RANGES_SHARE = 0.5
"""Of a build's progress, what the ranges of INT8 take."""


CALIBRATION = ".calibration"
"""A plan ``x.plan`` whose INT8 came from ranges has them in ``x.plan.calibration``."""


@dataclass(frozen=True)
class Prepared:
    """A model as TensorRT gets it.

    Attributes:
        content: The ONNX model.
        keep_fp32: Nodes that must stay in FP32.
        ranges: Of its tensors, where INT8 is not in the model.
    """

    content: bytes
    keep_fp32: frozenset[str]
    ranges: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class BuildEnvironment:
    """What a recipe is built with.

    Attributes:
        variant: The TensorRT that is here.
        gpu: The GPU that is here, None for none.
        device: Number of that GPU as CUDA counts.
    """

    variant: TensorRtVariant
    gpu: Gpu | None
    device: int = 0

    def runs(self, recipe: Recipe) -> bool:
        """Whether a plan of a recipe can run here, so that it can be compared."""
        if self.gpu is None:
            return False
        return not recipe.targets or self.gpu.compute_capability in recipe.targets

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make its GPU the one that TensorRT builds on; the first one is that by itself."""
        if self.gpu is None or not self.device:
            yield
            return
        from panoptic_ros.engine.cuda import Cuda

        with closing(Cuda(self.device)) as cuda, cuda.current():
            yield


def build_environment(recipe: Recipe, device: int = 0) -> BuildEnvironment:
    """Look what is here.

    Args:
        recipe: What is wanted.
        device: Number of the GPU as CUDA counts.

    Raises:
        ModelError: There is no TensorRT, or no GPU of that number.
    """
    gpu = read_gpu(device) if device else find_gpu()
    return BuildEnvironment(load_variant(recipe.variant), gpu, device)


def key_and_place(
    recipe: Recipe, here: BuildEnvironment, out: Path | None = None
) -> tuple[PlanKey, Path]:
    """Say what the plan of a recipe is for and where it lies.

    Args:
        recipe: What is wanted.
        here: What it is built with.
        out: The ``.plan`` file or a folder; None for the cache.

    Raises:
        ModelError: The model is not ours, or there is no GPU to build for.
    """
    spec = _spec(recipe)
    key = key_of(recipe, spec, here.variant, here.gpu)
    if out is not None and out.suffix == ".plan":
        return key, out
    return key, plan_path(out or default_folder(), recipe.model.stem, key)


def make_plan(
    recipe: Recipe,
    path: Path,
    here: BuildEnvironment,
    report: ProgressCallback = no_report,
    compare: Compare | None = None,
    rebuild: bool = False,
    images: CalibrationImages = (),
) -> Manifest:
    """Build the plan of a recipe unless it is there.

    Args:
        recipe: What is wanted.
        path: The ``.plan`` file.
        here: What it is built with.
        report: Told how far it is.
        compare: Compares it with ONNX Runtime before it is written; None skips that.
        rebuild: Build even where there is one.
        images: What sets the ranges of INT8, as ``to_int8`` takes them.

    Returns:
        The plan's manifest.

    Raises:
        ModelError: It cannot be built, differs too much, or cannot be written.
    """
    key = key_of(recipe, _spec(recipe), here.variant, here.gpu)

    def build() -> tuple[bytes, Manifest]:
        by_ranges = recipe.dla >= 0 and not here.variant.typed_by_onnx(dla=True)
        middle = RANGES_SHARE if recipe.precision == "int8" else 0.0
        ready = prepared(recipe, images, by_ranges, _between(report, 0.0, middle))
        building = _between(report, middle, 1.0)
        built, manifest = _build(recipe, path, key, here, building, ready)
        if compare is None:
            return built, manifest
        parity = dict(compare(ready.content, built, manifest))
        compared = "plan" if here.runs(recipe) else "graph"
        return built, replace(manifest, parity=parity, compared=compared)

    return build_once(path, key, build, rebuild, lambda: report(WAITING, 0.0))


def _between(report: ProgressCallback, low: float, high: float) -> ProgressCallback:
    """Report a part of a build as its share of the whole."""
    return lambda phase, share: report(phase, low + (high - low) * share)


def prepared(
    recipe: Recipe,
    images: CalibrationImages = (),
    by_ranges: bool = False,
    report: ProgressCallback = no_report,
) -> Prepared:
    """Make of a model file what TensorRT gets.

    Args:
        recipe: What is wanted.
        images: What sets the ranges of INT8, as ``to_int8`` takes them.
        by_ranges: Whether the builder takes INT8 as ranges instead of Q/DQ pairs.
        report: Told how far the ranges are.

    Raises:
        ModelError: The model will be refused, or the precision is not possible.
    """
    model = load_model(recipe.model)
    prepare(model)
    _refuse(model, recipe.model.name)
    keep, ranges = frozenset[str](), dict[str, float]()
    if recipe.precision == "int8":
        keep = full_nodes(model)
        if by_ranges:
            keep |= frozenset(edge_products(model.graph))
            ranges = tensor_ranges(model, images, report)
        else:
            model = to_int8(model, images, report)
    set_batch(model, recipe.batch)
    if recipe.precision == "fp16":
        keep = to_fp16(model)
    return Prepared(bytes(model.SerializeToString()), keep, ranges)


def _refuse(model: Any, where: str) -> None:
    refused = [finding for finding in check_model(model) if finding.severity == REFUSED]
    if refused:
        first = refused[0]
        more = f" (and {len(refused) - 1} more: panoptic build --check)" if refused[1:] else ""
        raise ModelError(f"{where}: {first.where} {first.problem}; {first.fix}{more}")


def _build(
    recipe: Recipe,
    path: Path,
    key: PlanKey,
    here: BuildEnvironment,
    report: ProgressCallback,
    ready: Prepared,
) -> tuple[bytes, Manifest]:
    options = BuildOptions(
        precision=recipe.precision,
        dla=None if recipe.dla < 0 else recipe.dla,
        targets=recipe.targets,
        workspace_mib=recipe.workspace_mib,
        keep_fp32=ready.keep_fp32,
        ranges=ready.ranges,
    )
    # A home may be shared by machines; measured times are those of one kind of GPU.
    parts = (here.variant.name, here.variant.version, key.compute_capability)
    timing = path.with_name("-".join(filter(None, parts)) + ".timing")
    with here.current():
        built = build_plan(ready.content, here.variant, options, report, timing)
    if ready.ranges:
        cache = calibration_cache(ready.ranges, here.variant.version)
        # For NVIDIA's tools; the plan does not need it.
        with suppress(OSError):
            write_atomically(path.with_name(path.name + CALIBRATION), cache.encode())
    return built.plan, Manifest(
        key=key,
        model=recipe.model.name,
        plan_sha256="",
        plan_bytes=len(built.plan),
        tensors=built.tensors,
        metadata=metadata_of(load_model(recipe.model)),
        driver=here.gpu.driver if here.gpu else "",
        options=_words(options, here.variant),
        build_s=round(built.seconds, 3),
    )


def _words(options: BuildOptions, variant: TensorRtVariant) -> dict[str, str]:
    dla = options.dla is not None
    return {
        "types": "ONNX" if variant.typed_by_onnx(dla) else "builder flags",
        "workspace": f"{options.workspace_mib} MiB" if options.workspace_mib else "TensorRT's own",
        "targets": ", ".join(options.targets) or "TensorRT's own",
    }


def _spec(recipe: Recipe) -> ModelSpec:
    model: Any = load_model(recipe.model)
    return spec_of(model, recipe.model.name)
