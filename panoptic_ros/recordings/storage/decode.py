# SPDX-License-Identifier: Apache-2.0
"""Records of image topics to messages, whatever they are serialised as."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from panoptic_ros.messages.video import foxglove
from panoptic_ros.recordings.storage.record import Record, Topic

IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
INFO_TYPE = "sensor_msgs/msg/CameraInfo"

_TIMED = "builtin_interfaces/Time timestamp\nstring frame_id\n"
DEFINITIONS = {
    "foxglove_msgs/msg/CompressedVideo": _TIMED + "uint8[] data\nstring format\n",
    "foxglove_msgs/msg/CompressedImage": _TIMED + "uint8[] data\nstring format\n",
    "foxglove_msgs/msg/RawImage": _TIMED
    + "uint32 width\nuint32 height\nstring encoding\nuint32 step\nuint8[] data\n",
    "ffmpeg_image_transport_msgs/msg/FFMPEGPacket": "std_msgs/Header header\nint32 width\n"
    "int32 height\nstring encoding\nuint64 pts\nuint8 flags\nbool is_bigendian\nuint8[] data\n",
}
"""Messages that ROS 2's own packages lack."""

_ROS_ENCODINGS = ("cdr", "ros1")
_ROS_TYPES = (*IMAGE_TYPES, *DEFINITIONS)
_SCHEMA_ENCODINGS = ("protobuf", "json")
_SCHEMA_TYPES = tuple(f"foxglove.{name}" for name in foxglove.SCHEMAS)
_LIKE_IMAGES = re.compile(r"(Image|Video|Packet)\d*$")


def is_readable(topic: Topic) -> bool:
    """Whether a topic holds images that can be decoded."""
    if topic.encoding in _ROS_ENCODINGS:
        return topic.type in _ROS_TYPES
    return topic.encoding in _SCHEMA_ENCODINGS and topic.type in _SCHEMA_TYPES


def looks_like_images(topic: Topic) -> bool:
    """Whether a topic holds images by the name of its type, readable or not."""
    return _LIKE_IMAGES.search(topic.type) is not None


def conversions(topics: Iterable[Topic]) -> str:
    """Say how image topics that are not read can be made readable."""
    found = list(topics)
    ways = []
    if any(topic.encoding not in _ROS_ENCODINGS for topic in found):
        ways.append(
            f"write them as {IMAGE_TYPES[1]} in CDR, for example with the Python packages mcap "
            "and mcap-ros2-support"
        )
    if any("theora" in topic.type for topic in found):
        ways.append("ros2 run image_transport republish --ros-args -p in_transport:=theora")
    if not ways:
        ways.append(f"republish them as {' or '.join(IMAGE_TYPES)} and record again")
    return "; or: ".join(ways)


def decoded(record: Record) -> Any:
    """Deserialise a record.

    Raises:
        Exception: Whatever the parser says about a damaged message.
    """
    if record.encoding in _SCHEMA_ENCODINGS:
        schema = record.type.rpartition(".")[2]
        read = foxglove.from_json if record.encoding == "json" else foxglove.from_protobuf
        return read(schema, record.data)
    if record.encoding == "ros1":
        message = _typestore(True).deserialize_ros1(record.data, record.type)
    else:
        message = _typestore(False).deserialize_cdr(record.data, record.type)
    return foxglove.with_header(message)


@cache
def _typestore(is_ros1: bool) -> Any:
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS1_NOETIC if is_ros1 else Stores.ROS2_JAZZY)
    for name, text in DEFINITIONS.items():
        store.register(get_types_from_msg(text, name))
    return store
