# SPDX-License-Identifier: Apache-2.0
"""A recorder that cannot write says so in the end, and never blocks who sends."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("rosbags")

from rclpy.qos import DurabilityPolicy, QoSProfile

from panoptic_ros.core.errors import DataError
from panoptic_ros.messages.convert import IMAGE
from panoptic_ros.recordings.bag_writer import BagWriter
from panoptic_ros.recordings.offered_qos import offered_qos
from panoptic_ros.recordings.open_bag import OpenBag
from panoptic_ros.recordings.source import ReadErrors
from panoptic_ros.ros.playback.published_topics import published_topics
from panoptic_ros.ros.playback.recorder import Recorder
from test.drawn.graph import TYPES, Bench, image
from test.drawn.processes import killed

pytestmark = pytest.mark.ros

# Above the shared memory of the DDS profile, to which the limit applies as well.
DISK_BYTES = 40 << 20
# Recordings are packed; noise stays as large as it is.
NOISE = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


def shoot(bench: Bench) -> None:
    """Publish reliably, as the node does; the recorder asks for it."""
    if "/image" not in bench.publishers:
        bench.publishers["/image"] = bench.node.create_publisher(TYPES.find(IMAGE), "/image", 10)
    bench.publishers["/image"].publish(image(NOISE, 10**9))


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), ValueError("a bug of the writer's library")]
)
def test_a_writer_that_fails_is_told_on_close(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(BagWriter, "write_raw", fail)
    recorder = Recorder(bench.node, tmp_path / "a.mcap", {"/image": IMAGE})
    bench.until(lambda: recorder.failure, lambda: shoot(bench))
    part = tmp_path / "a.mcap.part" / "a" / "a.mcap"
    with pytest.raises(DataError, match=rf"recording stopped: .*(No space|a bug).* is {part}"):
        recorder.close()


def is_full(folder: Path) -> bool:
    """Whether a file has reached the limit."""
    return any(path.stat().st_size >= DISK_BYTES for path in folder.rglob("*"))


def test_a_full_disk_ends_the_recording_with_words(bench: Bench, tmp_path: Path) -> None:
    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (DISK_BYTES, DISK_BYTES))

    out = str(tmp_path / "a.mcap")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "panoptic_ros.ros.playback.recorder",
            "--out",
            out,
            f"/image={IMAGE}",
        ],
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        preexec_fn=limit_files,
    )
    with killed(process):
        bench.until(lambda: bench.node.count_subscribers("/image"), lambda: shoot(bench))
        bench.until(lambda: is_full(tmp_path), lambda: shoot(bench))
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "recorder: recording stopped" in words
    assert "Traceback" not in words


def test_a_latched_message_from_before_is_recorded_and_stays_latched(
    bench: Bench, tmp_path: Path
) -> None:
    once = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    publisher = bench.node.create_publisher(TYPES.find(IMAGE), "/once", once)
    publisher.publish(image(NOISE[:8, :8], 10**9))
    bench.until(lambda: bench.node.count_publishers("/once"))
    (told,) = [one for one in published_topics(bench.node) if one.name == "/once"]
    assert (told.is_latched, told.is_reliable) == (True, True)
    recorder = Recorder(bench.node, tmp_path / "a.mcap", {"/once": IMAGE}, latched={"/once"})
    bench.until(lambda: recorder.counts["/once"])
    recorder.close()
    with OpenBag(tmp_path / "a.mcap", ReadErrors()) as bag:
        (topic,) = bag.topics()
    assert offered_qos(topic.qos)[0].durability.name == "TRANSIENT_LOCAL"


def test_a_topic_that_the_node_would_latch_is_recorded_of_one_who_does_not(
    bench: Bench, tmp_path: Path
) -> None:
    name = "/panoptic/front/label_info"
    publisher = bench.node.create_publisher(TYPES.find(IMAGE), name, 1)
    bench.until(lambda: bench.node.count_publishers(name))
    (told,) = [one for one in published_topics(bench.node) if one.name == name]
    latched = {name} if told.is_latched else set()
    recorder = Recorder(bench.node, tmp_path / "a.mcap", {name: IMAGE}, latched=latched)
    small = image(NOISE[:8, :8], 10**9)
    bench.until(lambda: recorder.counts[name], lambda: publisher.publish(small))
    recorder.close()
    with OpenBag(tmp_path / "a.mcap", ReadErrors()) as bag:
        (topic,) = bag.topics()
    assert offered_qos(topic.qos)[0].durability.name == "VOLATILE"
