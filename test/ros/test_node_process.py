# SPDX-License-Identifier: Apache-2.0
"""The node as a process of its own, read through DDS by one that knows only the contract."""

from __future__ import annotations

import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from test.drawn.drawn_camera import last
from test.drawn.graph import TYPES, Bench, header, image
from test.drawn.processes import Start, killed
from test.drawn.street_scene import CAMERA_SIZE, street

pytestmark = pytest.mark.ros

CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
DETECTIONS = "vision_msgs/msg/Detection2DArray"

# What docs/topics.md promises: encoding, type of a value, values per pixel.
IMAGES: dict[str, tuple[str, type, int]] = {
    "label": ("mono8", np.uint8, 1),
    "instance": ("16UC1", np.uint16, 1),
    "panoptic": ("16UC2", np.uint16, 2),
    "confidence": ("mono8", np.uint8, 1),
    "drivable": ("mono8", np.uint8, 1),
    "overlay": ("rgb8", np.uint8, 3),
}


@pytest.fixture
def start_node(start: Start, tiny_model: Path) -> Start:
    parameters = ["-p", f"engine:={tiny_model}", "-p", "diagnostics_period_s:=0.2"]
    return partial(start, "-m", "panoptic_ros.ros.start", "--ros-args", *parameters)


def pixels(message: Any, kind: type, channels: int) -> NDArray[Any]:
    """Read as a stranger does: row v, column u at ``data[v * step + u * size]``."""
    values = np.frombuffer(message.data, kind)
    shape = (message.height, message.width, channels)
    return values.reshape(shape if channels > 1 else shape[:2])


class Drive:
    """Two cars that move a little from image to image."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.number = 0
        self.sent: dict[tuple[int, int], str] = {}

    def shoot(self) -> None:
        self.number += 1
        there_and_back = abs(self.number % 16 - 8)
        cars = street((10, 4 + there_and_back), (18, 40))
        message = image(cars, 10**15 + self.number * 50_000_000 + 7)
        stamp = message.header.stamp
        self.sent[stamp.sec, stamp.nanosec] = message.header.frame_id
        height, width = CAMERA_SIZE
        info = TYPES.find(CAMERA_INFO)(header=header(1, "other"), height=height, width=width)
        info.k = np.arange(9.0)
        self.bench.publish("/camera_info", info)
        self.bench.publish("/image", message)


def by_stamp(messages: list[Any]) -> dict[tuple[int, int], Any]:
    return {(entry.header.stamp.sec, entry.header.stamp.nanosec): entry for entry in messages}


def test_every_topic_keeps_the_contract(start_node: Start, bench: Bench) -> None:
    heard = {name: bench.listen(f"/panoptic/{name}") for name in IMAGES}
    heard["overlay/compressed"] = bench.listen(
        "/panoptic/overlay/compressed", "sensor_msgs/msg/CompressedImage"
    )
    heard["camera_info"] = bench.listen("/panoptic/camera_info", CAMERA_INFO)
    if TYPES.has(DETECTIONS):
        heard["detections"] = bench.listen("/panoptic/detections", DETECTIONS)
    # However long a busy machine takes from image to image, the cars keep their numbers.
    process = start_node("-p", "tracking.reset_gap_s:=3600.0")
    drive = Drive(bench)
    bench.until(lambda: all(len(messages) >= 5 for messages in heard.values()), drive.shoot)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0

    for messages in heard.values():
        for entry in messages:
            stamp = entry.header.stamp
            assert drive.sent[stamp.sec, stamp.nanosec] == entry.header.frame_id
    for name, (encoding, kind, channels) in IMAGES.items():
        for entry in heard[name]:
            assert (entry.height, entry.width) == CAMERA_SIZE
            assert entry.encoding == encoding
            assert entry.step == entry.width * channels * np.dtype(kind).itemsize
            assert len(entry.data) == entry.height * entry.step
    for info in heard["camera_info"]:
        assert (info.height, info.width) == CAMERA_SIZE
        assert list(info.k) == list(range(9))
    _check_agreement({name: by_stamp(messages) for name, messages in heard.items()})


def _check_agreement(heard: dict[str, dict[tuple[int, int], Any]]) -> None:
    """Compare topics of the same image."""
    compared = 0
    for stamp, pair in heard["panoptic"].items():
        if not all(stamp in heard[name] for name in ("label", "instance", "drivable")):
            continue
        compared += 1
        both = pixels(pair, *IMAGES["panoptic"][1:])
        label = pixels(heard["label"][stamp], *IMAGES["label"][1:])
        instance = pixels(heard["instance"][stamp], *IMAGES["instance"][1:])
        drivable = pixels(heard["drivable"][stamp], *IMAGES["drivable"][1:])
        assert np.array_equal(both[..., 0], label)
        assert np.array_equal(both[..., 1], instance)
        assert set(np.unique(instance)) == {0, 1, 2}, "the cars keep their numbers"
        assert set(np.unique(label)) == {0, 1}
        assert set(np.unique(drivable)) == {0, 255}
        assert not drivable[instance > 0].any()
        detections = heard.get("detections", {}).get(stamp)
        if detections is not None:
            assert {int(entry.id) for entry in detections.detections} == {1, 2}
    assert compared >= 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_process_cleanly(start_node: Start, number: signal.Signals) -> None:
    process = start_node()
    assert process.stderr is not None
    assert any("active, images from /image" in line for line in process.stderr)
    process.send_signal(number)
    _, words = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in words


def test_a_node_that_waits_to_be_configured_ends_by_a_signal(start_node: Start) -> None:
    process = start_node("-p", "autostart:=false")
    assert process.stderr is not None
    assert any("waiting to be configured" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


def test_an_unreadable_parameter_file_is_one_line_and_status_2(start_node: Start) -> None:
    process = start_node("--params-file", "/no/such.yaml")
    _, words = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "panoptic_node: " in words
    assert "/no/such.yaml" in words
    assert "Traceback" not in words


def test_time_comes_from_the_clock_topic_where_it_is_asked_for(
    start_node: Start, bench: Bench
) -> None:
    reports = bench.listen("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray")
    start_node("-p", "use_sim_time:=true")
    clock = TYPES.find("rosgraph_msgs/msg/Clock")(clock=header(42 * 10**9).stamp)
    bench.until(
        lambda: reports and reports[-1].header.stamp.sec == 42,
        lambda: bench.publish("/clock", clock),
    )


def test_an_engine_that_hangs_ends_the_process_with_status_1(
    bench: Bench, tiny_model: Path
) -> None:
    code = (
        "import sys, time\n"
        "from panoptic_ros.engine.ort import OrtEngine\n"
        "OrtEngine.infer = lambda self, image: time.sleep(600)\n"
        "from panoptic_ros.ros.node import main\n"
        "sys.exit(main())\n"
    )
    # With auto a CPU that has bfloat16 compares the engines while the node is configured.
    parameters = ["-p", f"engine:={tiny_model}", "-p", "engine_runtime:=onnxruntime"]
    parameters += ["-p", "engine_timeout_s:=0.5"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--ros-args", *parameters],
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with killed(process):
        bench.until(lambda: process.poll() is not None, Drive(bench).shoot)
        _, words = process.communicate()
    assert process.returncode == 1
    assert "the engine has not answered for " in words
    assert "Traceback" not in words


def test_a_failing_engine_ends_the_process_with_status_1(bench: Bench, tiny_model: Path) -> None:
    code = (
        "import sys\n"
        "from panoptic_ros.core.errors import EngineRunError\n"
        "from panoptic_ros.engine.ort import OrtEngine\n"
        "def infer(self, image): raise EngineRunError('the device is lost')\n"
        "OrtEngine.infer = infer\n"
        "from panoptic_ros.ros.node import main\n"
        "sys.exit(main())\n"
    )
    command = [sys.executable, "-c", code, "--ros-args", "-p", f"engine:={tiny_model}"]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    reports = bench.listen("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray")
    with killed(process):
        bench.until(lambda: process.poll() is not None, Drive(bench).shoot)
        _, words = process.communicate()
    assert process.returncode == 1
    assert "the device is lost; the process ends so that it can be respawned" in words
    assert "Traceback" not in words
    bench.until(lambda: any(row.level == b"\x02" for row in last(reports)))
