# SPDX-License-Identifier: Apache-2.0
"""``panoptic play`` through real DDS."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.types import Frame
from panoptic_ros.messages.convert import stamp_ns, to_frame
from panoptic_ros.recordings.source import FIRST_STAMP_NS, RecordedFrame, Source, TimeRange
from panoptic_ros.ros.playback.player import Player, PlayOptions
from test.drawn.drawn_inputs import (
    SECOND_NS,
    image,
    number_of,
    write_bag2,
    write_folder,
    write_video,
)

rclpy = pytest.importorskip("rclpy")
pytestmark = [
    pytest.mark.ros,
    # lark, which rclpy imports, asks for a module that Python 3.11 calls deprecated.
    pytest.mark.filterwarnings("ignore:module .sre_:DeprecationWarning"),
]

PATIENCE_S = 60.0


class Listener:
    """Keeps all messages of some topics; spins in a thread of its own."""

    def __init__(self, topics: dict[str, str]) -> None:
        from panoptic_ros.messages.message_types import rclpy_types

        self.messages: dict[str, list[Any]] = {topic: [] for topic in topics}
        self._context = rclpy.Context()
        self._context.init()
        self.node = rclpy.create_node("play_listener", context=self._context)
        for topic, kind in topics.items():
            self.node.create_subscription(
                rclpy_types().find(kind), topic, self.messages[topic].append, 50
            )
        self._executor = rclpy.executors.SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._is_done = threading.Event()
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _spin(self) -> None:
        while not self._is_done.is_set():
            self._executor.spin_once(timeout_sec=0.05)

    def wait(self, topic: str, count: int) -> list[Any]:
        end_s = time.monotonic() + PATIENCE_S
        while len(self.messages[topic]) < count and time.monotonic() < end_s:
            time.sleep(0.02)
        return self.messages[topic]

    def close(self) -> None:
        self._is_done.set()
        # The thread must not meet a context that is gone.
        self._thread.join()
        self._context.try_shutdown()


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    opened: list[Listener] = []

    def start(**topics: str) -> Listener:
        names = {"/" + name.replace("__", "/"): kind for name, kind in topics.items()}
        opened.append(Listener(names))
        return opened[-1]

    yield start
    for listener in opened:
        listener.close()


IMAGE = "sensor_msgs/msg/Image"


def test_a_folder_is_published_with_its_clock(tmp_path: Path, listen: Any) -> None:
    folder = write_folder(tmp_path / "in", ["1.png", "2.png", "3.png"])
    listener = listen(cam__image=IMAGE, clock="rosgraph_msgs/msg/Clock")
    assert main(["play", str(folder), "--to", "/cam/image", "--wait", "60", "--fps", "5"]) == 0
    images = listener.wait("/cam/image", 3)
    assert [number_of(to_frame(image).image) for image in images] == [0, 1, 2]
    stamps = [FIRST_STAMP_NS + number * SECOND_NS // 5 for number in range(3)]
    assert [stamp_ns(image.header) for image in images] == stamps
    clocks = listener.wait("/clock", 1)
    assert {clock.clock.sec * SECOND_NS + clock.clock.nanosec for clock in clocks} <= set(stamps)
    assert clocks


def test_a_bag_is_published_under_its_own_names_with_camera_info(
    tmp_path: Path, listen: Any
) -> None:
    bag = write_bag2(tmp_path / "bag", count=3)
    listener = listen(front__image_raw=IMAGE, front__camera_info="sensor_msgs/msg/CameraInfo")
    assert main(["play", str(bag), "--wait", "60"]) == 0
    images = listener.wait("/front/image_raw", 3)
    assert [number_of(to_frame(image).image) for image in images] == [0, 1, 2]
    assert images[0].header.frame_id == "front_optical"
    infos = listener.wait("/front/camera_info", 1)
    assert infos[0].width == 64
    np.testing.assert_array_equal(infos[0].k, np.eye(3).reshape(-1))


@pytest.mark.parametrize("behind", ["", "/compressed", "/ffmpeg", "/foxglove"])
def test_images_that_were_packed_are_played_under_their_plain_name(
    behind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(options: Any) -> None:
        raise ConfigError(f"would play on {options.topic}")

    monkeypatch.setattr("panoptic_ros.ros.playback.player.Player", refuse)
    topic = f"/front/image_raw{behind}"
    bag = write_bag2(tmp_path / "bag", count=1, topics=(topic,), compressed=bool(behind))
    assert main(["play", str(bag)]) == 2
    assert "would play on /front/image_raw\n" in capsys.readouterr().err


def test_compressed_images_carry_the_usual_name(tmp_path: Path, listen: Any) -> None:
    video = write_video(tmp_path / "drive.mp4", count=3)
    listener = listen(camera__image_raw__compressed="sensor_msgs/msg/CompressedImage")
    assert main(["play", str(video), "--compressed", "--wait", "60"]) == 0
    images = listener.wait("/camera/image_raw/compressed", 3)
    assert [number_of(to_frame(image).image) for image in images] == [0, 1, 2]


def test_live_images_are_stamped_with_the_present_time(tmp_path: Path, listen: Any) -> None:
    folder = write_folder(tmp_path / "in", ["1.png", "2.png"])
    listener = listen(camera__image_raw=IMAGE)
    before_ns = time.time_ns()
    assert main(["play", str(folder), "--now", "--wait", "60"]) == 0
    stamps = [stamp_ns(image.header) for image in listener.wait("/camera/image_raw", 2)]
    assert before_ns < stamps[0] < stamps[1] < time.time_ns()


def test_the_frame_can_be_named(tmp_path: Path, listen: Any) -> None:
    folder = write_folder(tmp_path / "in", ["1.png"])
    listener = listen(camera__image_raw=IMAGE)
    assert main(["play", str(folder), "--frame-id", "front_optical", "--wait", "60"]) == 0
    (message,) = listener.wait("/camera/image_raw", 1)
    assert message.header.frame_id == "front_optical"


@pytest.mark.parametrize("rate", ["0", "-1", "nan"])
def test_a_rate_must_be_a_positive_number(
    tmp_path: Path, rate: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "in", ["1.png"])
    assert main(["play", str(folder), "--rate", rate]) == 2
    assert "--rate is" in capsys.readouterr().err


def test_a_topic_of_what_is_no_bag_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "f", ["1.png"])
    assert main(["play", str(folder), "--topic", "/front/image"]) == 2
    assert "is not a bag, so it has no topic /front/image" in capsys.readouterr().err


def test_a_wrong_topic_name_is_explained(
    tmp_path: Path, listen: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "in", ["1.png"])
    assert main(["play", str(folder), "--to", "/no spaces"]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "/no spaces: is not a ROS topic name (Invalid topic name: " in said


class RunsDry(Source):
    """Two images at each of the first two readings, none after that."""

    def __init__(self) -> None:
        super().__init__(Path("dry"), TimeRange())
        self._readings = 0

    def frames(self) -> Iterator[RecordedFrame]:
        self._readings += 1
        for number in range(2 if self._readings <= 2 else 0):
            stamp_ns = FIRST_STAMP_NS + number * 3600 * SECOND_NS
            yield RecordedFrame(Frame(image(number), stamp_ns), stamp_ns, str(number))


@pytest.mark.parametrize(("is_looping", "rounds"), [(False, 1), (True, 2)], ids=["once", "loop"])
def test_a_loop_starts_over_and_fast_does_not_wait(
    listen: Any, is_looping: bool, rounds: int
) -> None:
    listen()
    with Player(PlayOptions("/cam/image", rate=0.0, is_looping=is_looping)) as player:
        assert player.play(RunsDry()) == 2 * rounds
        stamps = [FIRST_STAMP_NS, FIRST_STAMP_NS + 3600 * SECOND_NS]
        assert player.sent_stamps_ns == stamps * rounds


@pytest.mark.parametrize("is_heard", [True, False], ids=["heard", "not heard"])
def test_that_nobody_subscribed_is_said(
    is_heard: bool, listen: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listen(cam__image=IMAGE)
    topic = "/cam/image" if is_heard else "/nobody"
    words = ["play", str(write_folder(tmp_path / "in", ["0.png"])), "--to", topic]
    assert main([*words, "--wait", "60" if is_heard else "0.1"]) == 0
    said = capsys.readouterr().err
    assert said == ("" if is_heard else "panoptic play: nobody subscribed to /nobody\n")


def test_ctrl_c_is_how_a_player_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(player: Player, source: Source) -> int:
        player.sent_stamps_ns += [1, 2]
        raise KeyboardInterrupt

    monkeypatch.setattr(Player, "play", interrupted)
    assert main(["play", str(write_folder(tmp_path / "in", ["0.png"]))]) == 0
    assert "2 images published on" in capsys.readouterr().out
