# SPDX-License-Identifier: Apache-2.0
"""Foxglove's messages in protobuf and JSON, whole and damaged, field by field."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest

from panoptic_ros.messages.video.foxglove import (
    CompressedImage,
    Header,
    RawImage,
    Stamp,
    from_json,
    from_protobuf,
    with_header,
)


def varint(value: int) -> bytes:
    found = b""
    while value > 127:
        found, value = found + bytes([value & 127 | 128]), value >> 7
    return found + bytes([value])


def field(number: int, value: int | bytes | str) -> bytes:
    """A field as protobuf writes it: a number, or what has a length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


TIME = field(1, 1_700_000_000) + field(2, 999_999_999)
HEADER = Header(Stamp(1_700_000_000, 999_999_999), "front")
PIXELS = bytes(range(250)) + b"\0\xff"
RAW = [
    field(1, TIME),
    field(2, 300),
    field(3, 28),
    field(4, "rgb8"),
    field(5, 900),
    field(6, PIXELS),
    field(7, "front"),
]


def flat(message: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name in vars(message)}


def test_every_field_of_a_raw_image_is_read_in_any_order() -> None:
    for parts in (RAW, RAW[::-1]):
        message = from_protobuf("RawImage", b"".join(parts))
        assert flat(message) == flat(RawImage(HEADER, 28, 300, "rgb8", 900, PIXELS))
        assert message.is_bigendian == 0


@pytest.mark.parametrize(
    ("schema", "numbers"), [("CompressedImage", (1, 4, 2, 3)), ("CompressedVideo", (1, 2, 3, 4))]
)
def test_every_field_of_a_compressed_message_is_read(
    schema: str, numbers: tuple[int, int, int, int]
) -> None:
    time, frame, data, form = numbers
    words = field(time, TIME) + field(frame, "front") + field(data, PIXELS) + field(form, "h264")
    expected = flat(CompressedImage(HEADER, "h264", PIXELS))
    assert flat(from_protobuf(schema, words)) == expected


def test_what_is_not_said_is_empty_or_0() -> None:
    none = Header(Stamp(0, 0), "")
    assert flat(from_protobuf("RawImage", b"")) == flat(RawImage(none, 0, 0, "", 0, b""))
    assert flat(from_protobuf("CompressedVideo", b"")) == flat(CompressedImage(none, "", b""))
    assert flat(from_json("RawImage", b"{}")) == flat(RawImage(none, 0, 0, "", 0, b""))


def test_fields_of_later_schemas_are_stepped_over_whatever_their_kind() -> None:
    later = varint(20 << 3 | 1) + bytes(8) + varint(21 << 3 | 5) + bytes(4)
    later += field(22, 5) + field(23, b"more")
    message = from_protobuf("RawImage", later + b"".join(RAW))
    assert flat(message) == flat(RawImage(HEADER, 28, 300, "rgb8", 900, PIXELS))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (field(6, PIXELS)[:-1], "field is cut off"),
        (varint(2 << 3), "number is cut off"),
        (b"\xff" * 11, "number is cut off"),
        (varint(20 << 3 | 1) + bytes(7), "number is cut off"),
        (varint(20 << 3 | 5) + bytes(3), "number is cut off"),
        (varint(2 << 3 | 3), "wire type 3"),
        (varint(2 << 3 | 7), "wire type 7"),
        (field(2, b"wide"), "width is of another kind"),
        (field(4, 7), "encoding is of another kind"),
        (field(2, 1 << 63), "is not a whole number"),
    ],
)
def test_a_damaged_message_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        from_protobuf("RawImage", data)


def test_the_largest_number_is_read() -> None:
    assert from_protobuf("RawImage", field(2, (1 << 63) - 1)).width == (1 << 63) - 1  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["nsec", "nanosec"])
def test_json_says_the_same(name: str) -> None:
    told = {
        "timestamp": {"sec": 1_700_000_000, name: 999_999_999},
        "frame_id": "front",
        "width": 300,
        "height": 28,
        "encoding": "rgb8",
        "step": 900,
        "data": base64.b64encode(PIXELS).decode(),
    }
    message = from_json("RawImage", json.dumps(told).encode())
    assert flat(message) == flat(RawImage(HEADER, 28, 300, "rgb8", 900, PIXELS))


@pytest.mark.parametrize(
    "text",
    ["[]", '{"timestamp": 5}', '{"width": -1}', '{"width": 1.5}', '{"timestamp": {"sec": -1}}'],
)
def test_json_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"timestamp|whole number"):
        from_json("RawImage", text.encode())


def ros(**fields: Any) -> Any:
    stamp = SimpleNamespace(sec=1_700_000_000, nanosec=999_999_999)
    return SimpleNamespace(timestamp=stamp, frame_id="front", data=PIXELS, **fields)


def test_messages_of_ros_get_a_header() -> None:
    packed = with_header(ros(format="h264"))
    assert flat(packed) == flat(CompressedImage(HEADER, "h264", PIXELS))
    raw = with_header(ros(height=28, width=300, encoding="rgb8", step=900))
    assert flat(raw) == flat(RawImage(HEADER, 28, 300, "rgb8", 900, PIXELS))


@pytest.mark.parametrize(
    "message",
    [SimpleNamespace(data=b""), SimpleNamespace(header=1, timestamp=2, data=b"")],
    ids=["no time", "a header"],
)
def test_any_other_message_stays_as_it_is(message: Any) -> None:
    assert with_header(message) is message
