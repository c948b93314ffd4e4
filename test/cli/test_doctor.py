# SPDX-License-Identifier: Apache-2.0
"""``panoptic doctor``: what it concludes from drawn machines, and what it sees of this one."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from panoptic_ros.cli import doctor, surroundings
from panoptic_ros.cli.diagnosis import FINDING, NOTE, OK, Line, diagnose, verdicts
from panoptic_ros.cli.main import main
from panoptic_ros.cli.surroundings import MODULES, Module, Ros, Surroundings, find_gpu, look_at
from panoptic_ros.ros.exchange import Exchange

LARGE = "FASTDDS_BUILTIN_TRANSPORTS"
LOSSY = Exchange(sent=50, received=0, rmw="rmw_fastrtps_cpp")
GOOD = Exchange(50, 50, [5.0] * 50, "rmw_fastrtps_cpp", has_profile=True)
HERE = Surroundings(
    version="1.2.3",
    python="3.10.0 (python)",
    system="Linux",
    modules={name: Module("1.0") for name in MODULES},
    ros=Ros("jazzy", rmw="rmw_fastrtps_cpp"),
    providers=("CPU",),
    models=("street_fast",),
    exchange=GOOD,
)


def without(*names: str, **changes: object) -> Surroundings:
    modules = {**HERE.modules, **{name: Module() for name in names}}
    return replace(HERE, modules=modules, **changes)  # type: ignore[arg-type]


def line(lines: list[Line], what: str) -> Line:
    (found,) = [entry for entry in lines if entry.what == what]
    return found


def test_a_complete_machine_has_no_findings() -> None:
    assert {entry.state for entry in diagnose(HERE)} == {OK}
    assert {entry.state for entry in verdicts(HERE)} == {OK}


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
    here = without("vision_msgs", ros=Ros("kilted", is_wheels=True, rmw="rmw_fastrtps_cpp"))
    found = line(diagnose(here), "vision_msgs")
    assert "apt" not in found.remedy
    assert "no wheel" in found.remedy


def test_a_module_that_does_not_load_shows_its_own_words() -> None:
    broken = Module("1.0", "OSError: libnvinfer.so.10: cannot open shared object file")
    here = replace(HERE, modules={**HERE.modules, "tensorrt": broken})
    found = line(diagnose(here), "tensorrt")
    assert (found.state, found.found) == (NOTE, broken.error)


def test_a_gpu_that_nothing_uses_is_said_to_be_idle() -> None:
    idle = line(diagnose(replace(HERE, gpu="NVIDIA T4")), "GPU")
    used = line(diagnose(replace(HERE, gpu="NVIDIA T4", providers=("CUDA", "CPU"))), "GPU")
    assert (idle.state, idle.remedy) == (NOTE, "pip install onnxruntime-gpu")
    assert (used.state, used.found) == (OK, "NVIDIA T4")


def test_no_shipped_model_stops_the_node_and_not_the_player() -> None:
    here = replace(HERE, models=())
    assert line(diagnose(here), "models").state == FINDING
    told = verdicts(here)
    assert line(told, "panoptic_node").found == "no: lacks a model"
    assert line(told, "panoptic play").state == OK


def test_lost_images_are_a_finding_with_the_cure() -> None:
    lines = diagnose(replace(HERE, exchange=LOSSY, cured=GOOD))
    assert line(lines, "image exchange").state == FINDING
    assert "fastdds.xml" in line(lines, "image exchange").found
    assert line(lines, "with our profile").state == OK


def test_an_unknown_middleware_is_a_finding() -> None:
    here = replace(HERE, ros=Ros("jazzy", rmw="none that loads: librmw_x.so"), exchange=None)
    assert line(diagnose(here), "middleware").state == FINDING


@pytest.mark.parametrize(
    ("environment", "names", "distro", "is_wheels", "transports"),
    [
        ({"ROS_DISTRO": "humble"}, [], "humble", False, ""),
        ({}, ["numpy", "ros-kilted-rclpy", "ros-rclpy"], "kilted", True, ""),
        ({"ROS_DISTRO": "jazzy"}, ["ros-kilted-rclpy"], "jazzy", False, ""),
        ({LARGE: "LARGE_DATA"}, [], "", False, LARGE),
    ],
    ids=["sourced", "wheels", "sourced wins", "transports"],
)
def test_ros_is_told_from_environment_and_wheels(
    environment: dict[str, str], names: list[str], distro: str, is_wheels: bool, transports: str
) -> None:
    found = surroundings.look_at_ros(Module(), environment, names)
    assert found == Ros(distro, is_wheels, "", transports)


def test_a_jetson_is_known_by_its_device_tree(tmp_path: Path) -> None:
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_bytes(b"NVIDIA Jetson AGX Orin\0")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nv_tegra_release").write_text("# R36 (release), REVISION: 4.3, GCID: 1")
    assert find_gpu(tmp_path) == "NVIDIA Jetson AGX Orin, Jetson Linux 36.4.3"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'NVIDIA T4, 550.1, 15360 MiB'", "NVIDIA T4, 550.1, 15360 MiB"),
        ("echo 'no driver' >&2; exit 9", ""),
    ],
    ids=["one GPU", "no driver"],
)
def test_gpus_are_asked_for(tmp_path: Path, script: str, expected: str) -> None:
    tool = tmp_path / "smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    assert find_gpu(tmp_path, str(tool)) == expected


def test_modules_are_looked_at_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drawn_module.py").write_text("__version__ = '7.8'")
    (tmp_path / "broken_module.py").write_text("raise OSError('libx.so.1 is missing')")
    (tmp_path / "only_a_folder").mkdir()
    (tmp_path / "folder_with_code").mkdir()
    about = tmp_path / "folder_with_code-3.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: folder_with_code\nVersion: 3.2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert look_at("drawn_module") == Module("7.8")
    assert look_at("broken_module") == Module("?", "OSError: libx.so.1 is missing")
    assert look_at("folder_with_code") == Module("3.2")
    assert look_at("only_a_folder") == look_at("no_such_module") == Module()


@pytest.mark.parametrize(("here", "status"), [(HERE, 0), (without("rclpy"), 1)])
def test_the_exit_status_tells_of_findings(
    here: Surroundings,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(surroundings, "gather", lambda: here)
    assert main(["doctor", "--no-exchange"]) == status
    assert "1.2.3" in capsys.readouterr().out


def test_without_rich_it_prints_plain_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(surroundings, "gather", lambda: without("rich"))
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert main(["doctor", "--no-exchange"]) == 0
    assert "  note    rich: missing; it is for progress bars -> pip install rich" in (
        capsys.readouterr().out.splitlines()
    )


def test_a_bare_python_is_told_what_it_lacks() -> None:
    """Run the verb where nothing but the standard library can be imported."""
    root = Path(__file__).parents[2]
    code = f"import sys; sys.path.insert(0, {str(root)!r})\n"
    code += "from panoptic_ros.cli.main import main; sys.exit(main(['doctor']))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert "finding numpy: missing" in done.stdout
    assert "finding ROS 2: rclpy is missing" in done.stdout
    assert "panoptic_node: no: lacks numpy, scipy, cv2, yaml, rclpy" in done.stdout


@pytest.mark.ros
def test_images_really_cross_between_two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(80 + os.getpid() % 10))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    for name in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):
        monkeypatch.delenv(name, raising=False)
    here = doctor.with_exchange(HERE, images=10)
    assert here.exchange_error == ""
    tried = here.cured or here.exchange
    assert tried is not None
    assert tried.is_good, tried.explain()
