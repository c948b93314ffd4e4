# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.types import VOID
from panoptic_ros.messages.context import FrameContext, LabelContext
from panoptic_ros.messages.convert import image_message, stamp_ns, to_frame
from panoptic_ros.messages.message_types import MessageTypes, rclpy_types
from panoptic_ros.messages.topic import GroundTopic
from panoptic_ros.messages.topics import build_messages, frame_rows, rows_of
from panoptic_ros.messages.vision import label_info
from test.drawn.drawn_result import CAR, LABELS, TRACK_IDS, TRUCK, drawn_result

PIXELS: dict[str, tuple[str, type, int]] = {
    "label": ("mono8", np.uint8, 1),
    "instance": ("16UC1", np.uint16, 1),
    "panoptic": ("16UC2", np.uint16, 2),
    "confidence": ("mono8", np.uint8, 1),
    "drivable": ("mono8", np.uint8, 1),
    "overlay": ("rgb8", np.uint8, 3),
}


def of_rclpy() -> MessageTypes:
    pytest.importorskip("rclpy")
    pytest.importorskip("sensor_msgs")
    return rclpy_types()


def of_rosbags() -> MessageTypes:
    pytest.importorskip("rosbags")
    from panoptic_ros.recordings.bag_writer import typestore

    return MessageTypes(
        typestore().types.__getitem__, lambda values: values.reshape(-1).view(np.uint8)
    )


@pytest.fixture(params=[of_rclpy, of_rosbags], ids=["rclpy", "rosbags"])
def types(request: pytest.FixtureRequest) -> MessageTypes:
    make: Callable[[], MessageTypes] = request.param
    return make()


def header(types: MessageTypes) -> Any:
    stamp = types.make("builtin_interfaces/msg/Time", sec=5, nanosec=6)
    return types.make("std_msgs/msg/Header", stamp=stamp, frame_id="front")


def pixels(message: Any) -> NDArray[Any]:
    kind, channels = {encoding: about for encoding, *about in PIXELS.values()}[message.encoding]
    values = np.frombuffer(message.data, kind)
    return values.reshape(message.height, message.width, channels).squeeze()


def made(types: MessageTypes, *wanted: str, scale: int = 4) -> dict[str, Any]:
    return build_messages(wanted, FrameContext(drawn_result(scale), types, header(types)))


@pytest.mark.parametrize("name", PIXELS)
def test_images_are_camera_sized_without_padding_under_the_same_header(
    name: str, types: MessageTypes
) -> None:
    message = made(types, name)[name]
    encoding, kind, channels = PIXELS[name]
    assert (message.height, message.width, message.encoding) == (64, 96, encoding)
    assert message.step == 96 * np.dtype(kind).itemsize * channels
    assert len(message.data) == message.step * message.height
    assert not message.is_bigendian
    assert message.header == header(types)


@pytest.mark.parametrize("scale", [1, 4], ids=["map size", "larger"])
def test_pixels_say_what_the_result_says(types: MessageTypes, scale: int) -> None:
    result = drawn_result(scale)
    messages = made(types, *PIXELS, scale=scale)
    size = result.camera_size
    label, instance = pixels(messages["label"]), pixels(messages["instance"])
    assert np.array_equal(label, enlarge(result.track_labels(), size))
    assert np.array_equal(instance, enlarge(result.track_ids(), size))
    assert np.array_equal(pixels(messages["panoptic"])[..., 0], label)
    assert np.array_equal(pixels(messages["panoptic"])[..., 1], instance)
    confidence = enlarge(result.panoptic.confidence, size)
    assert np.array_equal(pixels(messages["confidence"]), confidence)
    assert np.array_equal(pixels(messages["drivable"]) == 255, label == 0)
    assert set(np.unique(pixels(messages["drivable"]))) == {0, 255}
    assert set(np.unique(label)) == {0, 1, CAR, TRUCK, VOID}
    assert set(np.unique(instance)) == {0, *TRACK_IDS}


def test_rclpy_messages_take_over_the_pixels_without_a_copy() -> None:
    types, size = of_rclpy(), (32, 48)
    pixels = enlarge(np.ones((8, 12), np.uint16), size)
    message = image_message(pixels, "16UC1", types, header(types))
    assert np.shares_memory(np.frombuffer(message.data, np.uint16), pixels)


def test_detections_lie_around_the_pixels_of_their_id() -> None:
    types = of_rosbags()
    messages = made(types, "instance", "detections")
    instance = pixels(messages["instance"])
    found = messages["detections"].detections
    assert [int(entry.id) for entry in found] == list(TRACK_IDS)
    for entry, name in zip(found, ("car", "truck"), strict=True):
        ys, xs = np.nonzero(instance == int(entry.id))
        box = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
        center, size_x, size_y = entry.bbox.center.position, entry.bbox.size_x, entry.bbox.size_y
        assert (center.x - size_x / 2, center.y - size_y / 2) == box[:2]
        assert (center.x + size_x / 2, center.y + size_y / 2) == box[2:]
        assert entry.results[0].hypothesis.class_id == name
        assert entry.header == header(types)


def test_detections_survive_being_written() -> None:
    from panoptic_ros.recordings.bag_writer import typestore

    message = made(of_rosbags(), "detections")["detections"]
    name = "vision_msgs/msg/Detection2DArray"
    again = typestore().deserialize_cdr(typestore().serialize_cdr(message, name), name)
    assert [entry.id for entry in again.detections] == [str(number) for number in TRACK_IDS]


def test_without_vision_msgs_there_are_no_detections() -> None:
    def find(name: str) -> Any:
        raise KeyError(name)

    types = of_rosbags()
    without = MessageTypes(lambda n: find(n) if "vision" in n else types.find(n), types.payload)
    assert list(made(without, "label", "detections")) == ["label"]


def test_label_info_names_every_class() -> None:
    types = of_rosbags()
    info = label_info(LabelContext(LABELS, types, header(types)))
    names = [(entry.class_id, entry.class_name) for entry in info.class_map]
    assert names == [(0, "road"), (1, "sky"), (2, "car"), (3, "truck")]


def test_only_what_is_wanted_is_made(types: MessageTypes) -> None:
    assert made(types) == {}
    assert list(made(types, "drivable", "label")) == ["label", "drivable"]


def test_a_topic_that_there_is_not_is_named(types: MessageTypes) -> None:
    with pytest.raises(KeyError, match="lable"):
        made(types, "lable")


def test_compressed_overlay_is_the_overlay(types: MessageTypes) -> None:
    messages = made(types, "overlay", "overlay/compressed", scale=16)
    image = cv2.imdecode(np.frombuffer(messages["overlay/compressed"].data, np.uint8), -1)
    difference = np.abs(image[..., ::-1].astype(int) - pixels(messages["overlay"]))
    assert difference.mean() < 6
    assert "jpeg" in messages["overlay/compressed"].format


@pytest.mark.parametrize("name", ["overlay", "overlay/compressed"])
def test_our_own_images_can_be_read_again(name: str, types: MessageTypes) -> None:
    frame = to_frame(made(types, name)[name])
    assert frame.image.shape == (64, 96, 3)
    assert (frame.stamp_ns, frame.frame_id) == (5_000_000_006, "front")


def test_topics_are_those_of_the_contract() -> None:
    lossless = [f"{name}/compressed" for name in ("label", "instance", "panoptic", "drivable")]
    coded = [*lossless, "overlay/compressed", "detections"]
    for_consumers = ["remapped/label", "dynamic_mask", "autoware_mask", "autoware_rois"]
    others = {*rows_of(GroundTopic), "camera_info"}
    of_results = [name for name in frame_rows() if name not in others]
    assert [*PIXELS, "label/colored", *coded, *for_consumers] == of_results


def test_a_topic_without_its_classes_is_left_out(types: MessageTypes) -> None:
    assert list(made(types, "label", "remapped/label", "autoware_mask")) == ["label"]


def test_stamp_zero_is_zero(types: MessageTypes) -> None:
    stamp = types.make("builtin_interfaces/msg/Time", sec=0, nanosec=0)
    assert stamp_ns(types.make("std_msgs/msg/Header", stamp=stamp, frame_id="")) == 0
