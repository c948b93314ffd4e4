# SPDX-License-Identifier: Apache-2.0
"""Which plan a model needs on this machine, whether it is there, and how to come by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.core.engine_config import EngineConfig, ProgressCallback
from panoptic_ros.core.errors import ModelError

if TYPE_CHECKING:
    from panoptic_ros.engine.building.compile import BuildEnvironment
    from panoptic_ros.engine.storage.manifest import PlanKey


@dataclass(frozen=True)
class PlanRequest:
    """A plan that is wanted.

    Attributes:
        model: The ONNX file.
        precision: ``fp32``, ``fp16`` or ``int8``.
        batch: Images in one inference.
        device: Number of the GPU as CUDA counts.
    """

    model: Path
    precision: str = EngineConfig.precision
    batch: int = EngineConfig.batch
    device: int = EngineConfig.device

    @classmethod
    def of(cls, model: Path, config: EngineConfig) -> PlanRequest:
        """Ask for the plan of a model that an engine's config wants."""
        return cls(model, config.precision, config.batch, config.device)

    @property
    def command(self) -> str:
        """What a person runs to have it."""
        batch = f" --batch {self.batch}" if self.batch > 1 else ""
        device = f" --device {self.device}" if self.device else ""
        return f"panoptic build {self.model} --precision {self.precision}{batch}{device}"


@dataclass(frozen=True)
class PlanSearch:
    """What was found in the cache for a request.

    Attributes:
        request: What is wanted.
        key: What the plan must be for.
        place: Where it lies, or goes to.
        found: The plan, None where there is none that can be used.
        why: Why there is none.
        here: TensorRT and GPU of this machine.
    """

    request: PlanRequest
    key: PlanKey
    place: Path
    found: Path | None
    why: str
    here: BuildEnvironment


def search_plan(request: PlanRequest) -> PlanSearch:
    """Look for the plan of a request in the cache.

    Raises:
        ModelError: There is no GPU, no TensorRT, or the model is not ours.
    """
    from panoptic_ros.engine.device import read_gpu

    # Asked first: importing TensorRT takes a second, and without a GPU it is of no use here.
    gpu = read_gpu(request.device)
    from panoptic_ros.engine.building.compile import BuildEnvironment, key_and_place
    from panoptic_ros.engine.building.recipe import Recipe
    from panoptic_ros.engine.storage.cache import find_plan
    from panoptic_ros.engine.variant import load_variant

    here = BuildEnvironment(load_variant(), gpu, request.device)
    recipe = Recipe(request.model, precision=request.precision, batch=request.batch)
    key, place = key_and_place(recipe, here)
    found, why = find_plan(place.parent, request.model.stem, key)
    return PlanSearch(request, key, place, found, why, here)


def find_or_build(request: PlanRequest, rebuild: bool, report: ProgressCallback) -> Path:
    """Find the plan of a request, or build it in this process.

    Args:
        request: What is wanted.
        rebuild: Whether to build it where there is none; that takes minutes.
        report: Told how far the build is.

    Raises:
        ModelError: There is no plan, or it cannot be built.
    """
    search = search_plan(request)
    if search.found is not None:
        return search.found
    if not rebuild:
        raise ModelError(f"{search.why}; run: {request.command}")
    from panoptic_ros.engine.building.compile import make_plan
    from panoptic_ros.engine.building.parity import comparison
    from panoptic_ros.engine.building.recipe import Recipe

    recipe = Recipe(request.model, precision=request.precision, batch=request.batch)
    compare = comparison(request.model, request.device)
    make_plan(recipe, search.place, search.here, report, compare)
    return search.place


def missing_plan(request: PlanRequest) -> PlanRequest | None:
    """Say which plan is missing here and can be built.

    Args:
        request: What is wanted; its model may also be a ``.plan``, which is built anew from its
            own model in its own precision and batch.

    Returns:
        What to build, None where a plan fits, or where nothing can be built: no GPU, no TensorRT,
        no model.
    """
    try:
        if request.model.suffix != ".plan":
            search = search_plan(request)
            return None if search.found else request
        return _missing_again(request)
    except ModelError:
        return None


def _missing_again(request: PlanRequest) -> PlanRequest | None:
    from panoptic_ros.engine.storage.cache import read_manifest, read_plan

    source = source_of(request.model)
    # The images that an int8 plan of OpenVINO takes are nowhere noted.
    if source is None or is_openvino(request.model):
        return None
    key = read_manifest(request.model).key
    again = replace(request, model=source, precision=key.precision, batch=key.batch)
    search = search_plan(again)
    try:
        # It runs however its graph was rewritten, so that is no reason to build another.
        wanted = replace(search.key, rewriting=key.rewriting)
        fits = not read_plan(request.model)[1].key.differences(wanted)
    except ModelError:
        fits = False
    return None if fits or search.found else again


def source_of(plan: Path) -> Path | None:
    """Find the very model that a plan was built from: beside it, or in the package."""
    from panoptic_ros.engine.models import shipped_models
    from panoptic_ros.engine.storage.cache import read_manifest
    from panoptic_ros.engine.storage.manifest import sha256_of

    try:
        manifest = read_manifest(plan)
    except ModelError:
        return None
    shipped = shipped_models().get(Path(manifest.model).stem)
    for candidate in (plan.with_name(manifest.model), shipped):
        if candidate is None or not candidate.is_file():
            continue
        if sha256_of(candidate) == manifest.key.onnx_sha256:
            return candidate
    return None


def is_openvino(plan: Path) -> bool:
    """Whether a plan is OpenVINO's; no where its manifest does not say."""
    from panoptic_ros.engine.storage.cache import read_manifest
    from panoptic_ros.engine.storage.manifest import OPENVINO

    try:
        return read_manifest(plan).key.variant == OPENVINO
    except ModelError:
        return False
