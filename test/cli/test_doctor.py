# SPDX-License-Identifier: Apache-2.0
"""``panoptic doctor``: what it concludes from drawn machines, and what it sees of this one."""

from __future__ import annotations

import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from panoptic_ros.cli import doctor
from panoptic_ros.cli.diagnosis import environment as host
from panoptic_ros.cli.diagnosis.cached_plans import CachedPlan, look_at_plans
from panoptic_ros.cli.diagnosis.checks import (
    FINDING,
    NOTE,
    OK,
    Check,
    diagnose,
    engine_words,
    verdicts,
)
from panoptic_ros.cli.diagnosis.environment import (
    MODULES,
    Environment,
    Module,
    Ros,
    find_gpu,
    look_at,
)
from panoptic_ros.cli.main import main
from panoptic_ros.engine import openvino_plan
from panoptic_ros.engine.device import Gpu
from panoptic_ros.engine.openvino_plan import OpenVinoDevice
from panoptic_ros.engine.storage.cache import write_plan
from panoptic_ros.ros.transport.check import TransportCheck
from test.drawn.plans import key, manifest

LARGE = "FASTDDS_BUILTIN_TRANSPORTS"
T4 = "Tesla T4 (7.5), driver for CUDA 12.6"
ORIN, THOR = Gpu("Orin", "8.7", "12.6", True), Gpu("Thor", "11.0", "13.0", True)
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


def test_a_complete_machine_has_no_findings() -> None:
    assert {entry.state for entry in diagnose(HERE)} == {OK}
    assert {entry.state for entry in verdicts(HERE)} == {OK}


@pytest.mark.parametrize(
    ("has_bfloat16", "state", "remedy"),
    [
        pytest.param(True, NOTE, "pip install openvino", id="a CPU that gains"),
        pytest.param(False, OK, "", id="a CPU that does not"),
    ],
)
def test_openvino_is_missed_where_the_cpu_would_gain(
    has_bfloat16: bool, state: str, remedy: str
) -> None:
    found = line(diagnose(without("openvino", has_bfloat16=has_bfloat16)), "OpenVINO")
    assert (found.state, found.remedy) == (state, remedy)


def test_openvino_is_named_with_its_devices() -> None:
    found = line(diagnose(replace(HERE, devices=("CPU", "NPU"))), "OpenVINO")
    assert (found.state, found.found) == (OK, "1.0: CPU, NPU")


def test_an_openvino_that_cannot_be_used_is_a_note_with_the_reason() -> None:
    modules = {**HERE.modules, "openvino": Module("2022.1", "OpenVINO is of version 2022.1")}
    found = line(diagnose(replace(HERE, modules=modules)), "OpenVINO")
    assert (found.state, found.found) == (NOTE, "OpenVINO is of version 2022.1")


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


def test_a_module_that_does_not_load_shows_its_own_words() -> None:
    broken = Module("1.0", "OSError: libnvinfer.so.10: cannot open shared object file")
    here = replace(HERE, modules={**HERE.modules, "tensorrt": broken})
    found = line(diagnose(here), "tensorrt")
    assert (found.state, found.found) == (NOTE, broken.error)


def test_a_gpu_that_nothing_uses_is_said_to_be_idle() -> None:
    bare = without("tensorrt", "tensorrt_rtx", "pycuda", gpu="NVIDIA T4", cuda=T4)
    idle = line(diagnose(bare), "GPU")
    assert (idle.state, idle.found) == (NOTE, "NVIDIA T4; idle: lacks TensorRT, pycuda")
    assert "pip install onnxruntime-gpu" in idle.remedy
    for busy in (
        replace(bare, providers=("CUDA", "CPU")),
        replace(HERE, gpu="NVIDIA T4", cuda=T4),
    ):
        used = line(diagnose(busy), "GPU")
        assert (used.state, used.found) == (OK, "NVIDIA T4")


def test_a_gpu_whose_driver_does_not_answer_says_why() -> None:
    words = "the NVIDIA driver answered cuInit with CUDA error 803"
    found = line(diagnose(replace(HERE, gpu="NVIDIA T4", cuda_error=words)), "NVIDIA driver")
    assert (found.state, found.found) == (NOTE, words)


@pytest.mark.parametrize(
    ("lacks", "cuda", "what", "remedy"),
    [
        (("tensorrt", "tensorrt_rtx"), T4, "TensorRT", "python3-libnvinfer; PC: pip install ten"),
        (("pycuda",), T4, "pycuda", "pip install pycuda"),
        ((), T4, "plans", "panoptic build street_fast"),
    ],
    ids=["tensorrt", "pycuda", "plans"],
)
def test_what_plans_lack_is_told_where_there_is_a_gpu(
    lacks: tuple[str, ...], cuda: str, what: str, remedy: str
) -> None:
    found = line(diagnose(without(*lacks, cuda=cuda)), what)
    assert found.state == NOTE
    assert remedy in found.remedy
    assert "TensorRT" not in (words := engine_words(without(*lacks, cuda=cuda))) or not lacks
    without_gpu = [entry for entry in diagnose(without(*lacks)) if entry.what == what]
    assert all(entry.state == OK for entry in without_gpu)
    assert words.endswith("ONNX Runtime on the CPU")


def test_the_verdict_counts_the_plans_that_fit() -> None:
    plans = (CachedPlan("a.plan", "fp16"), CachedPlan("b.plan", "fp16", "GPU is T4", "build b"))
    here = replace(HERE, cuda=T4, plans=plans)
    assert engine_words(here) == (
        "TensorRT where a plan fits (1 of 2 here), else ONNX Runtime on the CPU"
    )
    assert line(diagnose(here), "a.plan") == Check(OK, "a.plan", "fp16: fits")
    assert line(diagnose(here), "b.plan") == Check(NOTE, "b.plan", "fp16: GPU is T4", "build b")


@pytest.mark.parametrize(
    ("gpu", "versions", "changes", "why_not"),
    [
        (ORIN, {"tensorrt": "10.3.0"}, {}, ""),
        (None, {"tensorrt": "10.3.0"}, {}, "there is no GPU here to run it"),
        (ORIN, {"tensorrt_rtx": "1.7"}, {}, "needs tensorrt, which cannot be imported here"),
        (ORIN, {"tensorrt": "11.4"}, {}, "TensorRT version is 10.3.0, here it is 11.4"),
        (
            THOR,
            {"tensorrt": "10.3.0"},
            {},
            "GPU is Orin, here it is Thor; compute capability is 8.7, here it is 11.0",
        ),
        (
            THOR,
            {"tensorrt_rtx": "1.7"},
            {"variant": "tensorrt_rtx", "version": "1.7", "compute_capability": ""},
            "",
        ),
    ],
    ids=["fits", "no GPU", "no TensorRT", "version", "GPU", "portable"],
)
def test_plans_in_the_cache_are_judged(
    gpu: Gpu | None,
    versions: dict[str, str],
    changes: dict[str, str],
    why_not: str,
    tmp_path: Path,
) -> None:
    write_plan(tmp_path / "a.plan", b"plan", manifest(key=key(batch=2, **changes)))
    (found,) = look_at_plans(tmp_path, gpu, versions)
    assert (found.name, found.why_not) == ("a.plan", why_not)
    assert found.facts == "fp16, batch 2, Orin"
    assert found.command == "panoptic build street.onnx --precision fp16 --batch 2"


@pytest.mark.parametrize(
    ("version", "why_not"),
    [
        ("2026.4.1", ""),
        ("2025.0.0", "OpenVINO version is 2025.0.0, here it is 2026.4.1"),
    ],
)
def test_plans_of_openvino_in_the_cache_are_judged_without_a_gpu(
    version: str, why_not: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = OpenVinoDevice("CPU", "A CPU", "FP32 INT8", "2026.4.1")
    monkeypatch.setattr(openvino_plan, "read_device", lambda name: here)
    made = key(
        variant="openvino",
        version=version,
        gpu="A CPU",
        compute_capability="FP32 INT8",
        precision="int8",
    )
    write_plan(tmp_path / "a.plan", b"plan", manifest(key=made, options={"device": "CPU"}))
    (found,) = look_at_plans(tmp_path, None, {})
    assert (found.facts, found.why_not) == ("int8, OpenVINO, A CPU (CPU)", why_not)
    assert found.command == (
        "panoptic build street.onnx --runtime openvino --precision int8 --images DIR"
    )
    told = line(diagnose(replace(HERE, plans=(found,))), "a.plan")
    assert told.remedy == (found.command if why_not else "")


def test_a_plan_of_an_older_shipped_model_and_a_damaged_one_are_told(tmp_path: Path) -> None:
    write_plan(tmp_path / "a.plan", b"plan", manifest(model="street_fast.onnx"))
    write_plan(tmp_path / "b.plan", b"plan", manifest())
    (tmp_path / "b.plan").write_bytes(b"pla")
    older, damaged = look_at_plans(tmp_path, ORIN, {"tensorrt": "10.3.0"})
    assert older.why_not.startswith("ONNX check sum is aaaaaaaaaaaa, here it is ")
    assert damaged.why_not.startswith("is cut off or not the plan of its manifest (3 of 4 bytes)")


def test_this_machine_is_asked_for_its_gpu_and_its_plans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("panoptic_ros.engine.device.LIBRARY", "libnowhere.so.1")
    folder = tmp_path / "panoptic_ros" / "engines"
    folder.mkdir(parents=True)
    write_plan(folder / "a.plan", b"plan", manifest())
    found = host.with_engines(without("tensorrt", "tensorrt_rtx"))
    assert (found.cuda, found.plan_folder) == ("", str(folder))
    assert found.cuda_error.startswith("there is no NVIDIA driver here")
    assert [plan.why_not for plan in found.plans] == [
        "needs tensorrt, which cannot be imported here"
    ]


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


def test_a_plan_is_not_to_be_built_where_nothing_runs_it() -> None:
    plan = CachedPlan("a.plan", "fp16", "there is no GPU here to run it", "panoptic build a.onnx")
    with_gpu = replace(HERE, gpu="NVIDIA T4", cuda=T4, plans=(plan,))
    assert line(diagnose(with_gpu), "a.plan").remedy == plan.command
    without_gpu = replace(HERE, plans=(plan,))
    assert line(diagnose(without_gpu), "a.plan").remedy == ""


def test_lost_images_come_with_the_cure() -> None:
    lines = diagnose(replace(HERE, transport=LOSSY, cured=GOOD))
    assert "fastdds.xml" in line(lines, "image transport").found
    assert line(lines, "with our profile").state == OK


def test_an_unknown_middleware_is_a_finding() -> None:
    here = replace(HERE, ros=Ros("jazzy", rmw="none that loads: librmw_x.so"), transport=None)
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
    found = host.look_at_ros(Module(), environment, names)
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
    # As tensorrt-stubs leaves one.
    (tmp_path / "only_a_folder" / "__init__.pyi").touch()
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
    here: Environment,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(host, "gather", lambda: here)
    assert main(["doctor", "--no-exchange"]) == status
    assert "1.2.3" in capsys.readouterr().out


def test_without_rich_it_prints_plain_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(host, "gather", lambda: without("rich"))
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert main(["doctor", "--no-transport-check"]) == 0
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
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    for name in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):
        monkeypatch.delenv(name, raising=False)
    here = doctor.with_transport_check(HERE, images=10)
    assert here.transport_error == ""
    tried = here.cured or here.transport
    assert tried is not None
    assert tried.is_good, tried.explain()
