# SPDX-License-Identifier: Apache-2.0
"""What a process that only listens sees of a node: its overlays, its words, its topics."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest

pytest.importorskip("rclpy")

from rclpy.qos import DurabilityPolicy, QoSProfile

from panoptic_ros.cli.main import main
from panoptic_ros.cli.record import usual_rows
from panoptic_ros.messages.convert import COMPRESSED_IMAGE, IMAGE
from panoptic_ros.messages.topics import TOPICS as ALL
from panoptic_ros.ros.playback.watcher import Shown, Watcher
from test.drawn.graph import TYPES, Bench, header, image

pytestmark = pytest.mark.ros

LABEL = np.full((4, 6), 7, np.uint8)


class Speaker:
    """A node that publishes an overlay, a label image and diagnostics over and over.

    It offers what the node offers besides, in silence.
    """

    def __init__(self) -> None:
        self.bench = Bench()
        for row in usual_rows() - {"label", "overlay/compressed"}:
            if TYPES.has(ALL[row].type):
                kind = TYPES.find(ALL[row].type)
                profile = QoSProfile(depth=1)
                if ALL[row].is_latched:
                    profile.durability = DurabilityPolicy.TRANSIENT_LOCAL
                self.bench.node.create_publisher(kind, f"/panoptic/front/{row}", profile)
        self._is_done = threading.Event()
        self._sent = 0
        self._thread = threading.Thread(target=self._speak, daemon=True)
        self._thread.start()

    def _speak(self) -> None:
        pair = TYPES.make("diagnostic_msgs/msg/KeyValue", key="infer_ms", value="35.3")
        status = TYPES.make(
            "diagnostic_msgs/msg/DiagnosticStatus",
            level=b"\x01",
            name="panoptic: engine",
            message="warm",
            values=[pair],
        )
        array = TYPES.make("diagnostic_msgs/msg/DiagnosticArray", status=[status])
        publish = self.bench.publish
        while not self._is_done.wait(0.05):
            self._sent += 1
            jpeg = bytes([self._sent % 256, 2, 3])
            overlay = TYPES.make(COMPRESSED_IMAGE, header=header(1), format="jpeg", data=jpeg)
            publish("/panoptic/front/overlay/compressed", overlay)
            publish("/panoptic/front/label", image(LABEL, 10**9 + self._sent, "mono8"))
            publish("/panoptic/front/remapped/label", image(LABEL, 10**9, "mono8"))
            publish("/panoptic/front/overlay", image(LABEL, 10**9, "mono8"))
            publish("/other/label", image(LABEL, 10**9, "mono8"))
            publish("/diagnostics", array)

    def close(self) -> None:
        self._is_done.set()
        self._thread.join()
        self.bench.close()


@pytest.fixture
def speaker() -> Iterator[Speaker]:
    made = Speaker()
    yield made
    made.close()


def test_the_rate_is_that_of_the_last_overlays() -> None:
    shown = Shown()
    rates = []
    for arrived_s in (0.0, 0.5, 1.0, *(1.0 + step / 8 for step in range(1, 31))):
        shown.arrived_s.append(arrived_s)
        rates.append(shown.rate_hz)
    assert rates[:3] == [0.0, 2.0, 2.0]
    assert rates[-1] == 8.0


def test_a_watcher_has_the_newest_of_everything(speaker: Speaker) -> None:
    with Watcher("/panoptic") as watcher:
        first = _image(watcher, 0)
        second = _image(watcher, first[0])
        assert second[0] > first[0]
        assert second[1] != first[1]
        assert watcher.next_image("nobody", 0, 0.01) is None
        _image(watcher, second[0] + 20)
        state = watcher.snapshot()
    (camera,) = state["cameras"]
    assert camera["name"] == "front"
    assert camera["rate_hz"] > 0
    assert state["statuses"] == [
        {
            "name": "panoptic: engine",
            "level": "warning",
            "message": "warm",
            "values": [["infer_ms", "35.3"]],
        }
    ]
    names = {topic["name"]: topic["listeners"] for topic in state["topics"]}
    assert names["/panoptic/front/overlay/compressed"] == 1
    assert names["/panoptic/front/label"] == 0
    assert "/other/label" not in names


def test_the_verb_serves_the_node_until_it_is_interrupted(speaker: Speaker) -> None:
    words = [sys.executable, "-m", "panoptic_ros.cli.main", "watch", "--port", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        url = said.split(" at ")[1].split()[0]
        with urlopen(f"{url}stream/front", timeout=60) as answer:
            assert answer.readline() == b"--frame\r\n"
        # Topics are found one after the other; the page lists those found so far.
        deadline_s = time.monotonic() + 60
        while "/panoptic/front/label" not in _page(url):
            assert time.monotonic() < deadline_s
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_verb_says_that_the_node_is_not_there() -> None:
    words = [sys.executable, "-m", "panoptic_ros.cli.main", "watch", "--port", "0"]
    words += ["--node", "/nobody"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert "nobody publishes a topic of /nobody;" in process.stderr.readline()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        process.communicate()


def _page(url: str) -> str:
    with urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


def _image(watcher: Watcher, after: int) -> tuple[int, bytes]:
    found = watcher.next_image("front", after, 60.0)
    assert found is not None
    return found


def test_the_topics_of_a_node_are_recorded_and_can_be_read(
    speaker: Speaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rosbags = pytest.importorskip("rosbags.highlevel")
    assert main(["record", "--duration", "3", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "no messages arrived on /panoptic/front/camera_info, " in said.err
    path = tmp_path / "result.mcap"
    assert said.out.splitlines()[-1] == f"wrote {path}"
    with rosbags.AnyReader([path]) as reader:
        counts = {entry.topic: entry.msgcount for entry in reader.connections}
        labels = [
            reader.deserialize(data, entry.msgtype)
            for entry, _, data in reader.messages()
            if entry.msgtype == IMAGE
        ]
    recorded = {"/diagnostics", "/panoptic/front/label", "/panoptic/front/overlay/compressed"}
    assert set(counts) == recorded
    assert all(count > 3 for count in counts.values())
    assert {bytes(label.data) for label in labels} == {LABEL.tobytes()}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--node", "/nowhere"), "nobody publishes a topic of /nowhere"),
        (("/absent",), "nobody publishes /absent"),
        (("--duration", "0"), "--duration is 0.0, needs more than 0"),
    ],
    ids=["node", "topic", "duration"],
)
def test_what_is_not_published_is_one_line(
    tmp_path: Path, words: tuple[str, ...], found: str, capsys: Any
) -> None:
    assert main(["record", *words, "--wait", "0.1", "--out", str(tmp_path)]) == 2
    assert found in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
