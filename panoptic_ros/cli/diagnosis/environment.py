# SPDX-License-Identifier: Apache-2.0
"""What this machine and this shell offer; gathers facts and judges none of them."""

from __future__ import annotations

import importlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from panoptic_ros.cli.diagnosis.jetson import Jetson, look_at_jetson
from panoptic_ros.cli.diagnosis.modules import MODULES, Module, look_at
from panoptic_ros.cli.diagnosis.ros_origin import Ros, look_at_ros
from panoptic_ros.core.errors import ConfigError, counted
from panoptic_ros.core.files.resources import resource

if TYPE_CHECKING:
    from panoptic_ros.cli.diagnosis.cached_plans import CachedPlan
    from panoptic_ros.ros.transport.check import TransportCheck


@dataclass(frozen=True)
class Environment:
    """All facts that decide what will run.

    Attributes:
        version: Of this package.
        python: Version and path of the interpreter.
        system: Operating system and processor.
        modules: What is known of each of ``MODULES``.
        ros: Where ROS 2 comes from.
        gpu: NVIDIA GPU or Jetson board; empty where there is none.
        providers: ONNX Runtime's execution providers.
        devices: OpenVINO's devices.
        has_bfloat16: Whether the CPU multiplies in bfloat16, which is what OpenVINO gains from.
        jetson: Power mode and clocks, None where this is no Jetson.
        models: Names of the models that came with the package.
        cuda: The first GPU in its driver's words; empty where the driver answers nothing.
        cuda_error: Why it does not.
        plan_folder: The user's cache of plans.
        plans: What lies there.
        transport: What came of a transport check in this shell's environment; None: not tried.
        cured: The same with our transport profile; None: not tried.
        transport_error: Why the check could not be tried.
    """

    version: str
    python: str
    system: str
    modules: Mapping[str, Module]
    ros: Ros
    gpu: str = ""
    providers: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    has_bfloat16: bool = False
    jetson: Jetson | None = None
    models: tuple[str, ...] = ()
    cuda: str = ""
    cuda_error: str = ""
    plan_folder: str = ""
    plans: tuple[CachedPlan, ...] = ()
    transport: TransportCheck | None = None
    cured: TransportCheck | None = None
    transport_error: str = ""


def gather() -> Environment:
    """Look around; takes a second or two, because every module is really imported."""
    from panoptic_ros.engine.processor import has_bfloat16

    modules = {name: look_at(name) for name in MODULES}
    modules["openvino"], devices = _openvino(modules["openvino"])
    facts = Environment(
        version=package_version(),
        python=f"{platform.python_version()} ({sys.executable})",
        system=f"{_system_name()}, {platform.machine()}, {_cores()}",
        modules=modules,
        ros=look_at_ros(modules["rclpy"]),
        gpu=find_gpu(),
        providers=_providers(modules["onnxruntime"]),
        devices=devices,
        has_bfloat16=has_bfloat16(),
        jetson=look_at_jetson(),
        models=shipped_models(),
    )
    return with_engines(facts)


def with_engines(facts: Environment) -> Environment:
    """Ask the driver for its GPU, and judge the plans in the cache."""
    from panoptic_ros.cli.diagnosis.cached_plans import look_at_plans
    from panoptic_ros.core.errors import ModelError
    from panoptic_ros.engine.device import read_gpu
    from panoptic_ros.engine.storage.cache import default_folder

    gpu, error = None, ""
    try:
        gpu = read_gpu()
    except ModelError as reason:
        error = str(reason)
    versions = {
        name: str(importlib.import_module(name).__version__)
        for name in ("tensorrt", "tensorrt_rtx")
        if facts.modules[name].is_usable
    }
    return replace(
        facts,
        cuda=f"{gpu.name} ({gpu.compute_capability}), driver for CUDA {gpu.driver}" if gpu else "",
        cuda_error=error,
        plan_folder=str(default_folder()),
        plans=look_at_plans(default_folder(), gpu, versions),
    )


def find_gpu(root: Path = Path("/"), command: str = "nvidia-smi") -> str:
    """Name the NVIDIA GPU or the Jetson board; empty where there is none.

    Args:
        root: Of the file system.
        command: NVIDIA's tool that lists GPUs.
    """
    model = root / "proc/device-tree/model"
    if model.is_file() and "Jetson" in (board := model.read_text("utf-8", "replace").strip("\0 ")):
        return board + _jetson_linux(root / "etc/nv_tegra_release")
    if shutil.which(command) is None:
        return ""
    try:
        listed = subprocess.run(
            [command, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return "; ".join(listed.stdout.strip().splitlines())


def _jetson_linux(release: Path) -> str:
    if not release.is_file():
        return ""
    match = re.search(r"R(\d+).*?REVISION: ([\d.]+)", release.read_text("utf-8", "replace"))
    return f", Jetson Linux {match.group(1)}.{match.group(2)}" if match else ""


def shipped_models() -> tuple[str, ...]:
    """Names of the models in the package's ``engines`` folder; asked without NumPy."""
    with suppress(ConfigError):
        return tuple(sorted(path.stem for path in resource("engines").glob("*.onnx")))
    return ()


def package_version() -> str:
    """Version of this package as its ``package.xml`` says."""
    root = ElementTree.parse(resource("package.xml")).getroot()
    return root.findtext("version", "?").strip()


def _cores() -> str:
    return counted(len(os.sched_getaffinity(0)), "core")


def _system_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _providers(onnxruntime: Module) -> tuple[str, ...]:
    if not onnxruntime.is_usable:
        return ()
    names = importlib.import_module("onnxruntime").get_available_providers()
    return tuple(name.replace("ExecutionProvider", "") for name in names)


def _openvino(module: Module) -> tuple[Module, tuple[str, ...]]:
    """Name OpenVINO's devices, or say why its version cannot be used."""
    if not module.is_usable:
        return module, ()
    from panoptic_ros.core.errors import ModelError
    from panoptic_ros.engine.openvino import open_core

    try:
        return module, tuple(open_core().available_devices)
    except (ModelError, RuntimeError) as error:
        return replace(module, error=str(error)), ()
