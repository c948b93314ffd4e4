# SPDX-License-Identifier: Apache-2.0
"""What the publisher of a camera's results keeps, and what it passes on."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.result import Result
from panoptic_ros.core.void import void_like
from panoptic_ros.messages.message_types import rclpy_types
from test.drawn.drawn_result import drawn_result

pytest.importorskip("rclpy")
pytest.importorskip("sensor_msgs")
from panoptic_ros.ros.camera import publisher as publisher_module
from panoptic_ros.ros.camera.publisher import ResultPublisher

OVERLAY = "overlay/compressed"


@dataclass
class DrawnOutput:
    """Topics that somebody listens to, and what went out on them."""

    wanted_names: Collection[str] = (OVERLAY,)
    remaps: dict[str, Any] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    while_sending: Callable[[], object] = lambda: None

    def wanted(self) -> Collection[str]:
        return self.wanted_names

    def wants_ground(self) -> bool:
        return False

    def publish(self, messages: dict[str, Any]) -> None:
        self.sent.append(messages)
        self.while_sending()


FRONT = NodeConfig(cameras=("front",))


def publisher(
    output: DrawnOutput, info: Any = None, said: list[str] | None = None
) -> ResultPublisher:
    notes = [] if said is None else said
    source: Any = SimpleNamespace(camera_info=info)

    def warn(words: str, throttle_duration_sec: float) -> None:
        assert throttle_duration_sec == 5.0
        notes.append(words)

    log: Any = SimpleNamespace(warning=warn)
    drawn, ground = (
        cast("Any", output),
        cast("Any", SimpleNamespace(problem="", forget=lambda: None)),
    )
    return ResultPublisher("front", source, drawn, ground, rclpy_types(), log)


def header() -> Any:
    types = rclpy_types()
    stamp = types.make("builtin_interfaces/msg/Time", sec=5, nanosec=6)
    return types.make("std_msgs/msg/Header", stamp=stamp, frame_id="front")


def test_no_image_outlives_its_publication() -> None:
    output = DrawnOutput()
    sender = publisher(output)
    result = drawn_result()
    image = weakref.ref(result.frame.image)
    sender.send(result, header(), FRONT)
    del result
    gc.collect()
    assert image() is None
    assert sender.publish_void(header().stamp, 0.0, FRONT), "its size is known still"
    assert len(output.sent) == 2


def test_the_quality_changes_the_bytes_of_the_overlay() -> None:
    output = DrawnOutput()
    sender = publisher(output)
    for quality in (10, 95):
        sender.send(drawn_result(), header(), replace(FRONT, jpeg_quality=quality))
    low, high = (len(messages[OVERLAY].data) for messages in output.sent)
    assert low < 0.8 * high


def test_before_the_first_result_there_is_nothing_to_take_back() -> None:
    output = DrawnOutput()
    assert not publisher(output).publish_void(header().stamp, 0.0, FRONT)
    assert output.sent == []


def test_a_result_that_is_young_stays() -> None:
    output = DrawnOutput()
    sender = publisher(output)
    sender.send(drawn_result(), header(), FRONT)
    assert not sender.publish_void(header().stamp, 60.0, FRONT)
    assert len(output.sent) == 1


def test_void_has_the_time_that_it_is_published_at(monkeypatch: pytest.MonkeyPatch) -> None:
    stamps: list[int] = []

    def noted(result: Result, stamp_ns: int) -> Result:
        stamps.append(stamp_ns)
        return void_like(result, stamp_ns)

    monkeypatch.setattr(publisher_module, "void_like", noted)
    output = DrawnOutput(("label",))
    sender = publisher(output)
    sender.send(drawn_result(), header(), FRONT)
    assert sender.publish_void(header().stamp, 0.0, FRONT)
    assert stamps == [5_000_000_006]
    _, void = output.sent
    assert void["label"].header == header()
    assert set(void["label"].data) == {255}


def test_void_does_not_wait_for_a_result_that_goes_out() -> None:
    taken: list[bool] = []
    output = DrawnOutput(("label",))
    sender = publisher(output)
    sender.send(drawn_result(), header(), FRONT)
    output.while_sending = lambda: taken.append(sender.publish_void(header().stamp, 0.0, FRONT))
    sender.send(drawn_result(), header(), FRONT)
    assert taken == [False]
    output.while_sending = lambda: None
    assert sender.publish_void(header().stamp, 0.0, FRONT)


@pytest.mark.parametrize("is_same", [True, False])
def test_a_camera_info_of_another_size_stays_silent_and_is_told(is_same: bool) -> None:
    output, said, result = DrawnOutput(("camera_info",)), list[str](), drawn_result()
    height, width = result.camera_size
    info = rclpy_types().make(
        "sensor_msgs/msg/CameraInfo", height=height if is_same else height + 1, width=width
    )
    publisher(output, info, said).send(result, header(), FRONT)
    (messages,) = output.sent
    assert list(messages) == (["camera_info"] if is_same else [])
    told = [
        f"front: camera_info is for {width}x{height + 1}, the image is {width}x{height}; "
        "~/camera_info stays silent until they agree"
    ]
    assert said == ([] if is_same else told)
