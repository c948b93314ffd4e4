# SPDX-License-Identifier: Apache-2.0
"""What the user wants built: a model file and the few things that can be chosen."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from panoptic_ros.core.engine_config import MAX_BATCH, PLAN_RUNTIMES, PRECISIONS, EngineConfig
from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.core.files.document import nearest, read_yaml_file
from panoptic_ros.core.model import ModelSpec, read_metadata
from panoptic_ros.engine.device import Gpu
from panoptic_ros.engine.models import shipped_models
from panoptic_ros.engine.storage.manifest import REWRITING, PlanKey, sha256_of
from panoptic_ros.engine.variant import VARIANTS, TensorRtVariant

RECIPES = (".yaml", ".yml")
_FORMER_NAMES = {"pictures": "images", "flavour": "variant"}
"""Entries of recipes written before version 0.2."""


@dataclass(frozen=True)
class Recipe:
    """A plan to be built.

    Attributes:
        model: The ONNX file.
        precision: One of ``PRECISIONS``.
        batch: Images in one inference.
        dla: Number of the DLA core, -1 for the GPU.
        targets: Compute capabilities such as ``8.6``, for portable variants.
        variant: ``tensorrt`` or ``tensorrt_rtx``, empty for what is installed.
        workspace_mib: Most scratch memory of the builder in MiB, 0 for its own limit.
        images: Folder, bag or video: sets the ranges of INT8 and is what plans are compared
            on; empty for the package's frames, which INT8 does not take.
        runtime: What runs the plan: ``tensorrt`` or ``openvino``.
        openvino_device: ``CPU``, ``GPU``, ``GPU.1`` or ``NPU``.
    """

    model: Path
    precision: str = EngineConfig.precision
    batch: int = EngineConfig.batch
    dla: int = -1
    targets: tuple[str, ...] = ()
    variant: str = ""
    workspace_mib: int = 0
    images: str = ""
    runtime: str = "tensorrt"
    openvino_device: str = "CPU"

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ConfigError(
                f"precision {self.precision!r}: needs one of {', '.join(PRECISIONS)}"
            )
        if self.runtime not in PLAN_RUNTIMES:
            raise ConfigError(f"runtime {self.runtime!r}: needs one of {', '.join(PLAN_RUNTIMES)}")
        if self.variant and self.variant not in VARIANTS:
            raise ConfigError(f"variant {self.variant!r}: needs one of {', '.join(VARIANTS)}")
        if self.dla < -1:
            raise ConfigError(f"dla {self.dla}: needs the number of a core, or -1 for the GPU")
        if not 1 <= self.batch <= MAX_BATCH:
            raise ConfigError(f"batch {self.batch}: needs 1 to {MAX_BATCH}")
        if self.workspace_mib < 0:
            raise ConfigError(
                f"workspace {self.workspace_mib} MiB: needs more than 0, or 0 for no limit"
            )


def read_recipe(path: Path) -> Recipe:
    """Read a recipe: YAML with the names of ``Recipe``; ``model`` is relative to the file.

    ``model`` may also be the name of a model that comes with the package.

    Raises:
        ConfigError: It cannot be read, or a name or value is none of a recipe; the message names
            the file.
    """
    try:
        document = read_yaml_file(path)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: a recipe needs at least 'model: FILE.onnx'")
    document = {_FORMER_NAMES.get(name, name): given for name, given in document.items()}
    known = {entry.name: entry.type for entry in fields(Recipe)}
    unknown = sorted(map(str, set(document) - set(known)))
    if unknown:
        near = nearest(unknown[0], known)
        raise ConfigError(f"{path}: no entry {', '.join(unknown)}{near}")
    if "model" not in document:
        raise ConfigError(f"{path}: a recipe needs at least 'model: FILE.onnx'")
    values = {name: _value(path, name, known[name], given) for name, given in document.items()}
    if values.get("images"):
        values["images"] = str(path.parent / values["images"])
    try:
        return Recipe(**values)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _value(path: Path, name: str, kind: Any, given: Any) -> Any:
    if name == "model":
        beside = path.parent / str(given)
        return beside if beside.is_file() else shipped_models().get(str(given), beside)
    if name == "targets":
        return tuple(map(str, given if isinstance(given, list) else [given]))
    wanted = {"int": int, "str": str}[kind]
    if not isinstance(given, wanted) or isinstance(given, bool):
        raise ConfigError(f"{path}: {name} is {given!r}, needs {kind}")
    return given


def with_choices(recipe: Recipe, **choices: Any) -> Recipe:
    """Copy a recipe with what the user chose on the command line; None leaves an entry."""
    return replace(recipe, **{name: value for name, value in choices.items() if value is not None})


def spec_of(model: Any, where: str) -> ModelSpec:
    """Read the spec of a loaded ONNX model.

    Raises:
        ModelError: It has no metadata of ours.
    """
    return read_metadata(metadata_of(model), where)


def metadata_of(model: Any) -> dict[str, str]:
    """All metadata entries of a loaded ONNX model."""
    return {entry.key: entry.value for entry in model.metadata_props}


def key_of(recipe: Recipe, spec: ModelSpec, variant: TensorRtVariant, gpu: Gpu | None) -> PlanKey:
    """Say what the plan of a recipe is for.

    Args:
        recipe: What is wanted.
        spec: The model's spec.
        variant: The TensorRT that builds.
        gpu: The GPU that is here, None for none.

    Raises:
        ModelError: The variant builds for the GPU that is here, and there is none.
    """
    if variant.portable:
        name, capability = "portable", ""
        if recipe.targets:
            name = f"portable to {', '.join(recipe.targets)}"
    elif gpu is None:
        raise ModelError(
            f"{variant.title} builds for the GPU of this machine, and there is none or its driver "
            "does not answer; build on the robot, or for PCs with: pip install tensorrt_rtx"
        )
    else:
        name, capability = gpu.name, gpu.compute_capability
    return PlanKey(
        onnx_sha256=sha256_of(recipe.model),
        variant=variant.name,
        version=variant.version,
        gpu=name,
        compute_capability=capability,
        precision=recipe.precision,
        shape=f"{spec.height}x{spec.width}x3",
        batch=recipe.batch,
        dla="none" if recipe.dla < 0 else str(recipe.dla),
        rewriting=REWRITING,
    )
