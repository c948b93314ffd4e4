# SPDX-License-Identifier: Apache-2.0
"""Which int8 plan of a model fits this machine's OpenVINO, whether it is there, and running it.

Such a plan is the quantised model as OpenVINO compiled it for one device; ``panoptic build
--runtime openvino`` makes it, as ranges need images. Every other precision needs none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.model import ModelSpec, read_metadata
from panoptic_ros.engine.onnx_file import file_metadata
from panoptic_ros.engine.openvino import OpenVinoEngine, check_device, open_core, openvino_version
from panoptic_ros.engine.storage.cache import (
    check_fresh,
    default_folder,
    find_plan,
    plan_path,
    read_plan,
)
from panoptic_ros.engine.storage.manifest import (
    DEVICE,
    OPENVINO,
    REWRITING,
    Manifest,
    PlanKey,
    openvino_command,
    sha256_of,
)


@dataclass(frozen=True)
class OpenVinoDevice:
    """A device of this machine, as a plan must know it.

    Attributes:
        name: OpenVINO's name, e.g. ``CPU``.
        title: The maker's name of it.
        able: What it can compute in, e.g. ``FP32 INT8 BIN``.
        version: Of OpenVINO, e.g. ``2026.4.1``.
    """

    name: str
    title: str
    able: str
    version: str


def read_device(name: str, setting: str = "engine_openvino_device") -> OpenVinoDevice:
    """Ask OpenVINO for a device.

    Args:
        name: ``CPU``, ``GPU``, ``GPU.1`` or ``NPU``.
        setting: What says the device, for the message.

    Raises:
        ModelError: OpenVINO or the device is missing, or it is AUTO, which is none.
    """
    core = open_core()
    if name == "AUTO":
        raise ModelError(
            "a plan is made for one device and AUTO may be any; "
            f"name one of: {', '.join(core.available_devices)}"
        )
    check_device(core, name, setting, others=())
    return OpenVinoDevice(
        name,
        str(core.get_property(name, "FULL_DEVICE_NAME")).strip(),
        " ".join(core.get_property(name, "OPTIMIZATION_CAPABILITIES")),
        openvino_version(),
    )


def plan_key(model: Path, spec: ModelSpec, device: OpenVinoDevice) -> PlanKey:
    """Say what the int8 plan of a model is for.

    Args:
        model: The ONNX file.
        spec: Its spec.
        device: The device that is here.
    """
    return PlanKey(
        onnx_sha256=sha256_of(model),
        variant=OPENVINO,
        version=device.version,
        gpu=device.title,
        compute_capability=device.able,
        precision="int8",
        shape=f"{spec.height}x{spec.width}x3",
        rewriting=REWRITING,
    )


def key_and_place(
    model: Path, device: OpenVinoDevice, out: Path | None = None
) -> tuple[PlanKey, Path]:
    """Say what the int8 plan of a model is for and where it lies.

    Args:
        model: The ONNX file.
        device: The device that is here.
        out: The ``.plan`` file or a folder; None for the cache.

    Raises:
        ModelError: The model is not ours.
    """
    key = plan_key(model, read_metadata(file_metadata(model), model.name), device)
    if out is not None and out.suffix == ".plan":
        return key, out
    return key, plan_path(out or default_folder(), model.stem, key)


def open_model(model: Path, threads: int, device: str, precision: str) -> OpenVinoEngine:
    """Run a model in OpenVINO: as it is, or for int8 its plan.

    Args:
        model: The ONNX file.
        threads: CPU threads of one inference, 0 for one per core.
        device: OpenVINO's name of the device.
        precision: ``fp32``, ``fp16`` or ``int8``.

    Raises:
        ModelError: OpenVINO, the device or the plan is missing, or it cannot run the model.
    """
    if precision == "int8":
        return open_plan_of(model, threads, device)
    return OpenVinoEngine(model, threads, device, precision)


def open_plan_of(model: Path, threads: int, device: str) -> OpenVinoEngine:
    """Run the int8 plan of a model that lies in the cache.

    Args:
        model: The ONNX file.
        threads: CPU threads of one inference, 0 for one per core.
        device: OpenVINO's name of the device.

    Raises:
        ModelError: There is none that fits; the message says how to make it.
    """
    key, place = key_and_place(model, read_device(device))
    found, why = find_plan(place.parent, model.stem, key)
    if found is None:
        raise ModelError(f"{why}; run: {openvino_command(model, device)}")
    return open_plan(found, threads)


def open_plan(plan: Path, threads: int) -> OpenVinoEngine:
    """Run an int8 plan.

    Args:
        plan: The ``.plan`` file.
        threads: CPU threads of one inference, 0 for one per core.

    Raises:
        StaleEngineError: It was made for another OpenVINO or device.
        ModelError: It is missing or damaged, or OpenVINO cannot run it.
    """
    content, manifest = read_plan(plan)
    here = read_device(device_of(manifest))
    check_fresh(plan, manifest.key, key_here(manifest, here), manifest.command)
    compiled = content, manifest.metadata
    return OpenVinoEngine(plan, threads, here.name, manifest.key.precision, compiled)


def device_of(manifest: Manifest) -> str:
    """OpenVINO's name of the device that a plan is for."""
    return manifest.options.get(DEVICE, "CPU")


def key_here(manifest: Manifest, device: OpenVinoDevice) -> PlanKey:
    """Say what a plan of the same model would be for if it were made here."""
    return replace(
        manifest.key,
        version=device.version,
        gpu=device.title,
        compute_capability=device.able,
    )
