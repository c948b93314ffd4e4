# SPDX-License-Identifier: Apache-2.0
"""What is concluded from drawn machines, and the remedy for what they lack."""

from __future__ import annotations

from dataclasses import replace

import pytest

from panoptic_ros.cli.diagnosis.check import FINDING, NOTE, OK
from panoptic_ros.cli.diagnosis.checks import diagnose, verdicts
from panoptic_ros.cli.diagnosis.modules import Module
from panoptic_ros.cli.diagnosis.ros_origin import Ros
from panoptic_ros.ros.transport.check import TransportCheck
from test.drawn.drawn_machine import GOOD, HERE, LOSSY, line, without


def test_a_complete_machine_has_no_findings() -> None:
    assert {entry.state for entry in diagnose(HERE)} == {OK}
    assert {entry.state for entry in verdicts(HERE)} == {OK}


@pytest.mark.parametrize("version", ["4.5.5", "4.5.5.64", "4.5.5-dev"])
def test_an_opencv_that_crashes_is_a_finding(version: str) -> None:
    modules = {**HERE.modules, "cv2": Module(version)}
    found = line(diagnose(replace(HERE, modules=modules)), "cv2")
    assert (found.state, "crashes" in found.found) == (FINDING, True)
    assert "opencv-python-headless>=4.6" in found.remedy


@pytest.mark.parametrize("version", ["4.5.4", "4.6.0", "4.14.0.94"])
def test_other_opencv_versions_are_fine(version: str) -> None:
    modules = {**HERE.modules, "cv2": Module(version)}
    assert line(diagnose(replace(HERE, modules=modules)), "cv2").state == OK


@pytest.mark.parametrize(
    ("module", "what", "state", "remedy"),
    [
        ("numpy", "numpy", FINDING, "pip install numpy"),
        ("cv2", "cv2", FINDING, 'pip install "opencv-python-headless<5"'),
        ("yaml", "yaml", FINDING, "pip install pyyaml"),
        ("rclpy", "ROS 2", FINDING, "source /opt/ros/<distro>/setup.bash"),
        ("sensor_msgs", "sensor_msgs", FINDING, "apt install ros-jazzy-sensor-msgs"),
        ("vision_msgs", "vision_msgs", NOTE, "apt install ros-jazzy-vision-msgs"),
        ("cv_bridge", "cv_bridge", NOTE, "apt install ros-jazzy-cv-bridge"),
        ("onnxruntime", "ONNX Runtime", FINDING, "pip install onnxruntime"),
        ("rosbags", "rosbags", NOTE, "pip install rosbags"),
        ("torch", "PyTorch", NOTE, "make train-env"),
    ],
)
def test_what_is_missing_comes_with_its_remedy(
    module: str, what: str, state: str, remedy: str
) -> None:
    found = line(diagnose(without(module)), what)
    assert (found.state, "missing" in found.found) == (state, True)
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("lacks", "stops"),
    [
        (("rclpy",), {"panoptic_node", "panoptic play", "panoptic demo"}),
        (("torch",), {"panoptic train, export"}),
        (("rosbags",), {"panoptic replay, predict", "panoptic play", "panoptic demo"}),
        (("vision_msgs", "cv_bridge", "tensorrt", "pycuda"), set()),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else "",
)
def test_the_verdict_names_the_commands_that_will_not_run(
    lacks: tuple[str, ...], stops: set[str]
) -> None:
    told = verdicts(without(*lacks))
    assert {entry.what for entry in told if entry.state == FINDING} == stops
    assert all(lacks[0] in entry.found for entry in told if entry.state == FINDING)


def test_wheels_are_not_told_to_install_distribution_packages() -> None:
    wheels = Ros("kilted", is_wheels=True, rmw="rmw_fastrtps_cpp")
    lines = diagnose(without("vision_msgs", "cv_bridge", ros=wheels))
    assert "no wheel" in line(lines, "cv_bridge").remedy
    assert "make messages" in line(lines, "vision_msgs").remedy
    assert "apt" not in line(lines, "cv_bridge").remedy + line(lines, "vision_msgs").remedy


def test_no_shipped_model_stops_the_node_and_not_the_player() -> None:
    here = replace(HERE, models=())
    assert line(diagnose(here), "models").state == FINDING
    told = verdicts(here)
    assert line(told, "panoptic_node").found == "no: lacks a model"
    assert line(told, "panoptic play").state == OK


@pytest.mark.parametrize(
    ("cured", "state"), [(None, FINDING), (LOSSY, FINDING), (GOOD, NOTE)], ids=["-", "lossy", "ok"]
)
def test_lost_images_are_a_finding_unless_our_profile_carries_them(
    cured: TransportCheck | None, state: str
) -> None:
    lines = diagnose(replace(HERE, transport=LOSSY, cured=cured))
    assert line(lines, "image transport").state == state


def test_lost_images_come_with_the_cure() -> None:
    lines = diagnose(replace(HERE, transport=LOSSY, cured=GOOD))
    assert "fastdds.xml" in line(lines, "image transport").found
    assert line(lines, "with our profile").state == OK


def test_an_unknown_middleware_is_a_finding() -> None:
    here = replace(HERE, ros=Ros("jazzy", rmw="none that loads: librmw_x.so"), transport=None)
    assert line(diagnose(here), "middleware").state == FINDING
