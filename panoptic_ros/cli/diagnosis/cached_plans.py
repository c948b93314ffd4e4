# SPDX-License-Identifier: Apache-2.0
"""Which plans lie in the user's cache, and why those that do not fit this machine do not."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.core.files.resources import resource

if TYPE_CHECKING:
    from panoptic_ros.engine.device import Gpu
    from panoptic_ros.engine.storage.manifest import Manifest, PlanKey


@dataclass(frozen=True)
class CachedPlan:
    """A plan in the cache.

    Attributes:
        name: Of its file.
        facts: What it is: precision, batch, GPU.
        why_not: Why it cannot run here, empty where it can.
        command: What builds it anew.
        needs_gpu: Whether TensorRT runs it.
    """

    name: str
    facts: str = ""
    why_not: str = ""
    command: str = ""
    needs_gpu: bool = True


def look_at_plans(
    folder: Path, gpu: Gpu | None, versions: Mapping[str, str]
) -> tuple[CachedPlan, ...]:
    """Judge every plan of a folder.

    Args:
        folder: The cache.
        gpu: The GPU that is here, None for none.
        versions: Version of every TensorRT that can be imported here, by the module's name.
    """
    return tuple(_look_at(path, gpu, versions) for path in sorted(folder.glob("*.plan")))


def _look_at(path: Path, gpu: Gpu | None, versions: Mapping[str, str]) -> CachedPlan:
    from panoptic_ros.engine.storage.cache import read_plan
    from panoptic_ros.engine.storage.manifest import OPENVINO

    try:
        _, manifest = read_plan(path)
    except ModelError as error:
        # The message begins with the path, which the line has already.
        return CachedPlan(path.name, why_not=str(error).removeprefix(f"{path}: "))
    key = manifest.key
    if key.variant == OPENVINO:
        return _look_at_openvino(path.name, manifest)
    where = "" if key.dla == "none" else f", DLA core {key.dla}"
    return CachedPlan(
        path.name,
        f"{key.precision}, batch {key.batch}, {key.gpu}{where}",
        _why_not(manifest, gpu, versions),
        manifest.command,
    )


def _look_at_openvino(name: str, manifest: Manifest) -> CachedPlan:
    try:
        from panoptic_ros.engine.openvino_plan import device_of, key_here, read_device
    except ImportError as error:  # a bare Python: it has no NumPy
        facts = f"{manifest.key.precision}, OpenVINO, {manifest.key.gpu}"
        why_not = f"needs {error.name}, which cannot be imported here"
        return CachedPlan(name, facts, why_not, needs_gpu=False)
    device = device_of(manifest)
    build = manifest.command
    try:
        wanted = _of_package(key_here(manifest, read_device(device)), manifest.model)
        why_not = "; ".join(manifest.key.differences(wanted))
    except ModelError as error:
        # It says what to do, and building needs the same.
        why_not, build = str(error), ""
    facts = f"{manifest.key.precision}, OpenVINO, {manifest.key.gpu} ({device})"
    return CachedPlan(name, facts, why_not, build, needs_gpu=False)


def _why_not(manifest: Manifest, gpu: Gpu | None, versions: Mapping[str, str]) -> str:
    key = manifest.key
    if key.variant not in versions:
        return f"needs {key.variant}, which cannot be imported here"
    if gpu is None:
        return "there is no GPU here to run it"
    return "; ".join(key.differences(_wanted(key, manifest.model, gpu, versions[key.variant])))


def _wanted(key: PlanKey, model: str, gpu: Gpu, version: str) -> PlanKey:
    """Say what a plan of this kind would be for if it were built here."""
    wanted = replace(key, version=version)
    if key.compute_capability:
        wanted = replace(wanted, gpu=gpu.name, compute_capability=gpu.compute_capability)
    return _of_package(wanted, model)


def _of_package(wanted: PlanKey, model: str) -> PlanKey:
    """Ask for what the package makes now, of its own model where the plan is of one."""
    from panoptic_ros.engine.storage.manifest import REWRITING, sha256_of

    wanted = replace(wanted, rewriting=REWRITING)
    with suppress(ConfigError, ModelError):
        return replace(wanted, onnx_sha256=sha256_of(resource("engines") / model))
    return wanted
