# SPDX-License-Identifier: Apache-2.0
"""Compressed labels: every decoder gives the same values back, under image_transport's words."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from panoptic_ros.messages.context import FrameContext
from panoptic_ros.messages.label_png import encode_png
from panoptic_ros.messages.topics import build_messages
from test.drawn.drawn_result import drawn_result
from test.messages.test_convert import header, of_rosbags

pytestmark = pytest.mark.filterwarnings("error")


def decoded(content: Any) -> Any:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


@given(
    st.sampled_from([np.uint8, np.uint16]).flatmap(
        lambda kind: arrays(kind, st.tuples(st.integers(1, 40), st.integers(1, 70)))
    )
)
def test_what_is_decoded_is_what_was_encoded(pixels: Any) -> None:
    assert np.array_equal(decoded(encode_png(pixels)), pixels)
    assert decoded(encode_png(pixels)).dtype == pixels.dtype


def test_a_view_is_encoded_as_it_is_seen() -> None:
    whole = np.arange(600, dtype=np.uint16).reshape(20, 30)
    assert np.array_equal(decoded(encode_png(whole[::2, 3:9])), whole[::2, 3:9])


def test_every_chunk_has_its_checksum() -> None:
    content = encode_png(np.full((3, 5), 7, np.uint8))
    at, kinds = 8, []
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        body = content[at + 4 : at + 8 + length]
        assert struct.unpack_from(">I", content, at + 8 + length) == (zlib.crc32(body),)
        kinds.append(body[:4])
        at += 12 + length
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("label", "mono8; png compressed "),
        ("instance", "16UC1; png compressed "),
        ("drivable", "mono8; png compressed "),
    ],
)
def test_the_compressed_topic_says_what_the_plain_one_says(name: str, format: str) -> None:
    types = of_rosbags()
    wanted = (name, f"{name}/compressed")
    messages = build_messages(wanted, FrameContext(drawn_result(), types, header(types)))
    plain, packed = (messages[topic] for topic in wanted)
    assert packed.format == format
    assert packed.header == plain.header
    # image_transport's subscriber: decode unchanged, and take the encoding before the semicolon.
    assert packed.format.split(";")[0] == plain.encoding
    image = decoded(packed.data)
    assert image.shape == (plain.height, plain.width)
    assert image.tobytes() == plain.data.tobytes()


def test_the_compressed_panoptic_image_holds_class_and_id_as_kitti_step_does() -> None:
    types, result = of_rosbags(), drawn_result()
    context = FrameContext(result, types, header(types))
    packed = build_messages(("panoptic/compressed",), context)["panoptic/compressed"]
    blue, green, red = np.moveaxis(decoded(packed.data).astype(int), -1, 0)
    assert packed.format == "rgb8; png compressed bgr8"
    assert np.array_equal(red, result.semantic())
    assert np.array_equal(256 * green + blue, result.instance_ids())
