# SPDX-License-Identifier: Apache-2.0
"""A machine on which everything is there, and others that lack something."""

from __future__ import annotations

from dataclasses import replace

from panoptic_ros.cli.diagnosis.check import Check
from panoptic_ros.cli.diagnosis.environment import Environment
from panoptic_ros.cli.diagnosis.modules import MODULES, Module
from panoptic_ros.cli.diagnosis.ros_origin import Ros
from panoptic_ros.ros.transport.check import TransportCheck

T4 = "Tesla T4 (7.5), driver for CUDA 12.6"
LOSSY = TransportCheck(sent=50, received=0, rmw="rmw_fastrtps_cpp")
GOOD = TransportCheck(50, 50, [5.0] * 50, "rmw_fastrtps_cpp", has_profile=True)
HERE = Environment(
    version="1.2.3",
    python="3.10.0 (python)",
    system="Linux",
    modules={name: Module("1.0") for name in MODULES},
    ros=Ros("jazzy", rmw="rmw_fastrtps_cpp"),
    providers=("CPU",),
    models=("street_fast",),
    transport=GOOD,
)


def without(*names: str, **changes: object) -> Environment:
    modules = {**HERE.modules, **{name: Module() for name in names}}
    return replace(HERE, modules=modules, **changes)  # type: ignore[arg-type]


def line(lines: list[Check], what: str) -> Check:
    (found,) = [entry for entry in lines if entry.what == what]
    return found
