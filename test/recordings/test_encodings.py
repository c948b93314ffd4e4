# SPDX-License-Identifier: Apache-2.0
"""MCAP with other encodings: ROS 1, Foxglove's schemas in protobuf and JSON, and the rest."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.recordings.open import open_source
from panoptic_ros.recordings.source import RecordedFrame, Source
from panoptic_ros.recordings.storage.decode import DEFINITIONS
from test.drawn.drawn_bags import store, time_of, write_messages
from test.drawn.drawn_inputs import SECOND_NS, image, image_message, number_of

pytest.importorskip("rosbags")

NUMBERS = range(4)


def png(number: int) -> bytes:
    return bytes(cv2.imencode(".png", image(number)[..., ::-1])[1])


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def sized(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def timestamp(number: int) -> bytes:
    seconds, rest = divmod(time_of(number), SECOND_NS)
    return sized(1, varint(1 << 3) + varint(seconds) + varint(2 << 3) + varint(rest))


def proto_compressed(number: int) -> bytes:
    # Field 100 is one that the reader does not know.
    parts = sized(2, png(number)) + sized(3, b"png") + sized(4, b"front") + sized(100, b"id")
    return timestamp(number) + parts


def proto_raw(number: int) -> bytes:
    numbers = b"".join(
        varint(key << 3 | 5) + struct.pack("<I", value)
        for key, value in ((2, 64), (3, 48), (5, 192))
    )
    pixels = sized(4, b"rgb8") + sized(6, image(number).tobytes()) + sized(7, b"front")
    return timestamp(number) + numbers + pixels


def in_json(number: int, **fields: Any) -> bytes:
    seconds, rest = divmod(time_of(number), SECOND_NS)
    told = {"timestamp": {"sec": seconds, "nsec": rest}, "frame_id": "front", **fields}
    return json.dumps(told).encode()


def json_compressed(number: int) -> bytes:
    return in_json(number, format="png", data=base64.b64encode(png(number)).decode())


def json_raw(number: int) -> bytes:
    pixels = base64.b64encode(image(number).tobytes()).decode()
    return in_json(number, width=64, height=48, step=192, encoding="rgb8", data=pixels)


def ros1_raw(number: int) -> bytes:
    message = image_message(store(True), image(number), time_of(number), ros1=True)
    return bytes(store(True).serialize_ros1(message, "sensor_msgs/msg/Image"))


def foxglove_cdr(kind: str, **fields: Any) -> Callable[[int], bytes]:
    def make(number: int) -> bytes:
        from rosbags.typesys import Stores, get_types_from_msg, get_typestore

        types = get_typestore(Stores.ROS2_HUMBLE)
        types.register(get_types_from_msg(DEFINITIONS[kind], kind))
        seconds, rest = divmod(time_of(number), SECOND_NS)
        stamp = types.types["builtin_interfaces/msg/Time"](sec=seconds, nanosec=rest)
        data = png(number) if "format" in fields else image(number).tobytes()
        message = types.types[kind](
            timestamp=stamp, frame_id="front", data=np.frombuffer(data, np.uint8), **fields
        )
        return bytes(types.serialize_cdr(message, kind))

    return make


SIZE = {"width": 64, "height": 48, "step": 192, "encoding": "rgb8"}
READABLE = {
    "ROS 1": ("sensor_msgs/Image", "ros1", ros1_raw),
    "protobuf compressed": ("foxglove.CompressedImage", "protobuf", proto_compressed),
    "protobuf raw": ("foxglove.RawImage", "protobuf", proto_raw),
    "JSON compressed": ("foxglove.CompressedImage", "json", json_compressed),
    "JSON raw": ("foxglove.RawImage", "json", json_raw),
    "foxglove_msgs compressed": (
        "foxglove_msgs/msg/CompressedImage",
        "cdr",
        foxglove_cdr("foxglove_msgs/msg/CompressedImage", format="png"),
    ),
    "foxglove_msgs raw": (
        "foxglove_msgs/msg/RawImage",
        "cdr",
        foxglove_cdr("foxglove_msgs/msg/RawImage", **SIZE),
    ),
}


def read(path: Path, topic: str = "") -> tuple[list[RecordedFrame], Source]:
    with open_source(path, topic) as source:
        return list(source.frames()), source


@pytest.mark.parametrize(("kind", "encoding", "make"), READABLE.values(), ids=READABLE)
def test_images_of_every_readable_encoding(
    tmp_path: Path, kind: str, encoding: str, make: Callable[[int], bytes]
) -> None:
    messages = [make(number) for number in NUMBERS]
    frames, source = read(write_messages(tmp_path / "a.mcap", kind, encoding, messages))
    assert [number_of(recorded.frame.image) for recorded in frames] == list(NUMBERS)
    assert [recorded.frame.stamp_ns for recorded in frames] == [time_of(n) for n in NUMBERS]
    assert {recorded.frame.frame_id for recorded in frames} <= {"front", "front_optical"}
    assert source.read_errors.notes == []


@pytest.mark.parametrize(("kind", "encoding", "make"), READABLE.values(), ids=READABLE)
def test_a_damaged_message_costs_only_itself(
    tmp_path: Path, kind: str, encoding: str, make: Callable[[int], bytes]
) -> None:
    messages = [make(0), make(1)[:60], make(2)]
    frames, source = read(write_messages(tmp_path / "a.mcap", kind, encoding, messages))
    assert [number_of(recorded.frame.image) for recorded in frames] == [0, 2]
    assert source.read_errors.skipped == 1


UNREADABLE = {
    "FlatBuffers": ("foxglove.CompressedImage", "flatbuffer", "mcap-ros2-support"),
    "own protobuf": ("my.robot.CameraImage", "protobuf", "mcap-ros2-support"),
    "CBOR": ("foxglove.RawImage", "cbor", "mcap-ros2-support"),
    "theora": ("theora_image_transport/msg/Packet", "cdr", "in_transport:=theora"),
    "own message": ("my_msgs/msg/TriggeredImage", "cdr", "republish them as sensor_msgs"),
}


@pytest.mark.parametrize("topic", ["", "/cam"])
@pytest.mark.parametrize(("kind", "encoding", "way"), UNREADABLE.values(), ids=UNREADABLE)
def test_other_encodings_are_listed_with_what_converts_them(
    tmp_path: Path, kind: str, encoding: str, way: str, topic: str
) -> None:
    bag = write_messages(tmp_path / "a.mcap", kind, encoding, [b"1234"] * 3)
    with pytest.raises(DataError) as error:
        open_source(bag, topic)
    words = str(error.value)
    assert f"/cam ({kind} in {encoding}, 3)" in words
    assert way in words
    assert "\n" not in words


@pytest.mark.parametrize("kind", ["foxglove.ImageAnnotations", "std_msgs/msg/String"])
def test_a_bag_without_images_has_no_image_topic(tmp_path: Path, kind: str) -> None:
    bag = write_messages(tmp_path / "a.mcap", kind, "cdr", [b"1234"])
    with pytest.raises(DataError, match="has no image topic"):
        open_source(bag)
