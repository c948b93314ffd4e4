# SPDX-License-Identifier: Apache-2.0
"""``~/panoptic`` in both encodings, to the bit."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from panoptic_ros.core.classes.label_table import LabelTable, TargetClass
from panoptic_ros.core.types import VOID
from panoptic_ros.messages.context import FrameContext
from panoptic_ros.messages.map_image import pixels_of
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.panoptic_image import PACKED, TWO_CHANNELS, panoptic_image, unpack
from test.drawn.drawn_result import ROAD, TRACK_IDS, TRUCK, drawn_result
from test.messages.test_convert import header, of_rclpy, of_rosbags

KINDS = [
    pytest.param(of_rosbags, id="rosbags"),
    pytest.param(of_rclpy, id="rclpy", marks=pytest.mark.ros),
]


def context(types: MessageTypes, encoding: str, scale: int = 4) -> FrameContext:
    return FrameContext(drawn_result(scale), types, header(types), panoptic_encoding=encoding)


@pytest.mark.parametrize("kind", KINDS)
def test_a_packed_pixel_has_the_class_above_the_track_id(kind: object) -> None:
    types = kind()  # type: ignore[operator]
    asked = context(types, PACKED)
    message = panoptic_image(asked)
    assert (message.encoding, message.step) == ("32SC1", 4 * message.width)
    order = ">i" if message.is_bigendian else "<i"
    content = bytes(memoryview(message.data))
    labels, ids = asked.result.semantic(), asked.result.instance_ids()
    for y, x in ((0, 0), (63, 95), (8 * 4, 16 * 4), (9 * 4, 5 * 4)):
        (value,) = struct.unpack_from(order, content, y * message.step + 4 * x)
        assert value == int(labels[y, x]) << 16 | int(ids[y, x])
    assert struct.unpack_from(order, content, 0) == (VOID << 16,)


@pytest.mark.parametrize("scale", [1, 4], ids=["map size", "larger"])
@pytest.mark.parametrize("encoding", [TWO_CHANNELS, PACKED])
def test_both_encodings_say_the_same(encoding: str, scale: int) -> None:
    asked = context(of_rosbags(), encoding, scale)
    pixels = pixels_of(panoptic_image(asked), (encoding,), "panoptic")
    labels, ids = unpack(pixels)
    assert np.array_equal(labels, asked.result.semantic())
    assert np.array_equal(ids, asked.result.instance_ids())
    assert (labels.dtype, ids.dtype) == (np.uint8, np.uint16)


def test_hydra_finds_class_and_instance_by_its_own_rule() -> None:
    asked = context(of_rosbags(), PACKED)
    pixels = pixels_of(panoptic_image(asked), (PACKED,), "panoptic")
    assert (pixels >= 0).all()
    # pointcloud_projection.cpp: the upper half of the unsigned value is the class.
    values = pixels.view(np.uint32)
    classes, instances = (values & 0xFFFF0000) >> 16, values & 0xFFFF
    truck = instances == TRACK_IDS[1]
    assert set(classes[truck].tolist()) == {TRUCK}
    assert set(np.unique(instances).tolist()) == {0, *TRACK_IDS}


@pytest.mark.parametrize("encoding", [TWO_CHANNELS, PACKED])
def test_the_classes_may_be_the_consumers(encoding: str) -> None:
    table = np.zeros(256, np.uint8)
    table[ROAD] = 6
    asked = context(of_rosbags(), encoding)
    asked.remaps = {"panoptic": LabelTable("hydra", (TargetClass("Road", 6),), table)}
    labels, ids = unpack(pixels_of(panoptic_image(asked), (encoding,), "panoptic"))
    assert np.array_equal(labels == 6, asked.result.semantic() == ROAD)
    assert set(np.unique(labels).tolist()) == {0, 6}
    assert np.array_equal(ids, asked.result.instance_ids())
