# SPDX-License-Identifier: Apache-2.0
"""Foxglove's image schemas as messages with a ROS header: protobuf, JSON and ``foxglove_msgs``.

Source of the fields: https://github.com/foxglove/foxglove-sdk, folder ``schemas``.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from panoptic_ros.core.files.document import parse_json

SCHEMAS = ("RawImage", "CompressedImage", "CompressedVideo")
"""Last names of the schemas that hold images."""


@dataclass(frozen=True)
class Stamp:
    """Seconds and nanoseconds, as ``builtin_interfaces/Time``."""

    sec: int
    nanosec: int


@dataclass(frozen=True)
class Header:
    """As ``std_msgs/Header``."""

    stamp: Stamp
    frame_id: str


@dataclass(frozen=True, eq=False)
class CompressedImage:
    """As ``sensor_msgs/CompressedImage``; ``format`` may name a video's codec."""

    header: Header
    format: str
    data: Any


@dataclass(frozen=True, eq=False)
class RawImage:
    """As ``sensor_msgs/Image``."""

    header: Header
    height: int
    width: int
    encoding: str
    step: int
    data: Any
    is_bigendian: int = 0


_Fields = dict[str, Any]


def from_protobuf(schema: str, data: bytes) -> CompressedImage | RawImage:
    """Read a serialised protobuf message.

    Args:
        schema: One of ``SCHEMAS``.
        data: The message.

    Raises:
        ValueError: It is damaged.
    """
    names = _NUMBERS[schema]
    told: _Fields = {}
    for key, value in _fields(data):
        name = names.get(key, "")
        if name and isinstance(value, int) != (name in _WHOLE):
            raise ValueError(f"the protobuf field {name} is of another kind")
        told[name] = str(value, "utf-8") if name in _TEXTS else value
    time = dict(_fields(told.get("timestamp", b"")))
    stamp = Stamp(_whole(time.get(1, 0)), _whole(time.get(2, 0)))
    return _message(schema, Header(stamp, told.get("frame_id", "")), told)


def from_json(schema: str, data: bytes) -> CompressedImage | RawImage:
    """Read a message in JSON; its bytes are in base 64.

    Raises:
        ValueError: It is no JSON, or a field is of another kind.
    """
    told = parse_json(data.decode())
    time = told.get("timestamp", {}) if isinstance(told, dict) else None
    if not isinstance(time, dict):
        raise ValueError("is not a JSON object with a timestamp")
    nanoseconds = time.get("nsec", time.get("nanosec", 0))
    stamp = Stamp(_whole(time.get("sec", 0)), _whole(nanoseconds))
    header = Header(stamp, str(told.get("frame_id", "")))
    pixels = base64.b64decode(str(told.get("data", "")))
    return _message(schema, header, {**told, "data": pixels})


def with_header(message: Any) -> Any:
    """Give a message of ``foxglove_msgs`` a header; any other message stays as it is."""
    if hasattr(message, "header") or not hasattr(message, "timestamp"):
        return message
    time = message.timestamp
    header = Header(Stamp(int(time.sec), int(time.nanosec)), str(message.frame_id))
    if hasattr(message, "format"):
        return CompressedImage(header, str(message.format), message.data)
    told = {name: getattr(message, name) for name in ("height", "width", "encoding", "step")}
    return _message("RawImage", header, {**told, "data": message.data})


def _message(schema: str, header: Header, told: _Fields) -> CompressedImage | RawImage:
    data = told.get("data", b"")
    if schema != "RawImage":
        return CompressedImage(header, str(told.get("format", "")), data)
    height, width, step = (_whole(told.get(name, 0)) for name in ("height", "width", "step"))
    return RawImage(header, height, width, str(told.get("encoding", "")), step, data)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise ValueError(f"{str(value)[:20]!r} is not a whole number from 0 on")
    return value


_TEXTS = ("format", "encoding", "frame_id")
_WHOLE = ("width", "height", "step")

_NUMBERS: dict[str, dict[int, str]] = {
    "CompressedImage": {1: "timestamp", 2: "data", 3: "format", 4: "frame_id"},
    "CompressedVideo": {1: "timestamp", 2: "frame_id", 3: "data", 4: "format"},
    "RawImage": {
        1: "timestamp",
        2: "width",
        3: "height",
        4: "encoding",
        5: "step",
        6: "data",
        7: "frame_id",
    },
}
"""Names of the fields by number."""


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield number and value of the fields; https://protobuf.dev/programming-guides/encoding.

    Raises:
        ValueError: A field is cut off or of a kind that there is not.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        read = _READERS.get(key & 7)
        if read is None:
            raise ValueError(f"a protobuf field has the wire type {key & 7}")
        value, at = read(data, at)
        yield key >> 3, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    raise ValueError("a protobuf number is cut off")


def _sized(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = _varint(data, at)
    if at + size > len(data):
        raise ValueError("a protobuf field is cut off")
    return data[at : at + size], at + size


def _fixed(kind: str) -> Callable[[bytes, int], tuple[int, int]]:
    def read(data: bytes, at: int) -> tuple[int, int]:
        try:
            (value,) = struct.unpack_from(kind, data, at)
        except struct.error as error:
            raise ValueError("a protobuf number is cut off") from error
        return int(value), at + struct.calcsize(kind)

    return read


_READERS: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {
    0: _varint,
    1: _fixed("<Q"),
    2: _sized,
    5: _fixed("<I"),
}
