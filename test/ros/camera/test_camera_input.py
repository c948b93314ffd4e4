# SPDX-License-Identifier: Apache-2.0
"""Where images come from, what is lost of them, and how many may wait."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("sensor_msgs")

from panoptic_ros.messages.convert import COMPRESSED_IMAGE, IMAGE
from panoptic_ros.messages.message_types import MessageTypes, rclpy_types
from panoptic_ros.messages.video.video_decoder import COMPRESSED_VIDEO, FFMPEG_PACKET
from panoptic_ros.ros.camera.camera_input import CameraInput
from test.drawn.drawn_node import DrawnNode, End
from test.drawn.drawn_video import messages, packets

TEXT = "std_msgs/msg/String"
STILL = SimpleNamespace(encoding="rgb8")
ALL = MessageTypes(lambda name: name, bytes)
"""As if every package were installed."""


class Scene:
    """A camera's input, and what comes out of it."""

    def __init__(self, types: MessageTypes = ALL, **ends: list[End]) -> None:
        self.node = DrawnNode(
            ends={f"/{name.replace('__', '/')}": of for name, of in ends.items()}
        )
        self.lost: list[int] = []
        self.dropped: list[str] = []
        self.input = CameraInput(
            self.node,
            "image",
            "",
            types,
            lambda _, lost: self.lost.append(lost),
            self.dropped.append,
        )

    def look(self) -> tuple[str, str]:
        """Topic and type after a look."""
        self.input.look()
        images, _ = sorted(self.node.listening, key=lambda one: one.topic.endswith("camera_info"))
        return images.topic, images.kind


@pytest.mark.parametrize(
    ("ends", "source"),
    [
        ({}, ("/image", IMAGE)),
        ({"image": [IMAGE]}, ("/image", IMAGE)),
        ({"image": [COMPRESSED_IMAGE]}, ("/image", COMPRESSED_IMAGE)),
        ({"image": [COMPRESSED_IMAGE, IMAGE]}, ("/image", IMAGE)),
        ({"image": [TEXT, FFMPEG_PACKET]}, ("/image", FFMPEG_PACKET)),
        ({"image__compressed": [COMPRESSED_IMAGE]}, ("/image/compressed", COMPRESSED_IMAGE)),
        ({"image__ffmpeg": [FFMPEG_PACKET]}, ("/image/ffmpeg", FFMPEG_PACKET)),
        ({"image__foxglove": [COMPRESSED_VIDEO]}, ("/image/foxglove", COMPRESSED_VIDEO)),
        (
            {"image__compressed": [COMPRESSED_IMAGE], "image__ffmpeg": [FFMPEG_PACKET]},
            ("/image/compressed", COMPRESSED_IMAGE),
        ),
        ({"image": [IMAGE], "image__compressed": [COMPRESSED_IMAGE]}, ("/image", IMAGE)),
        (
            {"image": [TEXT], "image__compressed": [COMPRESSED_IMAGE]},
            ("/image/compressed", COMPRESSED_IMAGE),
        ),
        ({"image__compressed": [TEXT]}, ("/image", IMAGE)),
        ({"image": [TEXT]}, ("/image", IMAGE)),
    ],
)
def test_images_are_taken_where_they_come_raw_before_packed(
    ends: dict[str, list[str]], source: tuple[str, str]
) -> None:
    scene = Scene(**{name: [End(kind) for kind in kinds] for name, kinds in ends.items()})
    assert scene.look() == source
    said = [f"images come on {source[0]} as {source[1]}"] if source != ("/image", IMAGE) else []
    assert scene.node.informed == said


def test_a_source_that_is_gone_is_waited_for_where_it_was() -> None:
    scene = Scene(image__compressed=[End(COMPRESSED_IMAGE)])
    assert scene.look() == ("/image/compressed", COMPRESSED_IMAGE)
    scene.node.ends.clear()
    assert scene.look() == ("/image/compressed", COMPRESSED_IMAGE)
    assert len(scene.node.informed) == 1


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (TEXT, f"/image (it carries {TEXT})"),
        (
            FFMPEG_PACKET,
            f"/image (it carries {FFMPEG_PACKET}, "
            "install ros-<distro>-ffmpeg-image-transport-msgs)",
        ),
    ],
)
def test_a_topic_that_carries_what_cannot_be_read_says_so_until_it_can(
    kind: str, said: str
) -> None:
    scene = Scene(rclpy_types(), image=[End(kind)])
    scene.look()
    assert scene.input.topic == said
    scene.node.ends["/image"] = [End(IMAGE)]
    scene.look()
    assert scene.input.topic == "/image"


def test_the_senders_are_those_of_images_each_named_once_in_full() -> None:
    ends = [End(IMAGE, "b", "/front/"), End(IMAGE, "a"), End(TEXT, "c"), End(IMAGE, "a")]
    scene = Scene(image=ends)
    scene.look()
    assert scene.input.senders == ["/a", "/front/b"]


@pytest.mark.parametrize(("publishers", "lost"), [(1, [0, 3]), (2, [0, 0])])
def test_losses_are_counted_where_it_is_known_whose_they_are(
    publishers: int, lost: list[int]
) -> None:
    scene = Scene(image=[End(IMAGE)] * publishers)
    scene.look()
    for number in (5, 9):
        scene.node.hear("/image", STILL, number)
    assert scene.lost == lost


def test_before_the_first_look_it_is_not_known_whose_messages_are_lost() -> None:
    scene = Scene(image=[End(IMAGE)])
    for number in (5, 9):
        scene.node.hear("/image", STILL, number)
    assert scene.lost == [0, 0]


def test_what_passed_before_another_subscription_was_not_lost() -> None:
    scene = Scene(image=[End(IMAGE)])
    scene.look()
    scene.node.hear("/image", STILL, 5)
    scene.node.ends["/image"] = [End(COMPRESSED_IMAGE)]
    scene.look()
    scene.node.hear("/image", STILL, 90)
    assert scene.lost == [0, 0]


@pytest.mark.parametrize(
    ("kind", "depth"),
    [(IMAGE, 1), (COMPRESSED_IMAGE, 1), (COMPRESSED_VIDEO, 60), (FFMPEG_PACKET, 60)],
)
def test_packets_of_a_video_wait_and_still_images_give_way(kind: str, depth: int) -> None:
    scene = Scene(image=[End(kind)])
    scene.look()
    assert scene.node.depth("/image") == depth
    assert [one.topic for one in scene.node.listening if one.may_override] == ["/image"]


def test_a_video_in_a_topic_of_still_images_is_queued_from_the_next_look_until_it_moves() -> None:
    scene = Scene(image=[End(COMPRESSED_IMAGE)])
    scene.look()
    first = messages("h264", packets("h264"))[0]
    scene.node.hear("/image", first)
    assert scene.node.depth("/image") == 1
    scene.look()
    assert scene.node.depth("/image") == 60
    queued = scene.node.listening[-1]
    scene.look()
    assert scene.node.listening[-1] is queued, "it subscribes once"
    scene.node.ends = {"/image/compressed": [End(COMPRESSED_IMAGE)]}
    scene.look()
    assert scene.node.depth("/image/compressed") == 1


def test_the_newest_camera_info_beside_the_images_counts() -> None:
    scene = Scene()
    assert scene.input.camera_info is None
    for info in ("first", "second"):
        message: Any = info
        scene.node.hear("/camera_info", message)
    assert scene.input.camera_info == "second"


def test_nothing_is_listened_to_after_the_end() -> None:
    scene = Scene(image=[End(COMPRESSED_IMAGE)])
    scene.look()
    assert scene.node.topics == ["/camera_info", "/image"]
    scene.input.close()
    assert scene.node.topics == []
