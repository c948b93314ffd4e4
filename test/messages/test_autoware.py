# SPDX-License-Identifier: Apache-2.0
"""Masks and boxes for Autoware, read back by a decoder written from the published layout."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from panoptic_ros.core.classes.label_table import LabelTable, TargetClass
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import Frame
from panoptic_ros.messages.autoware import autoware_mask, autoware_rois, run_lengths
from panoptic_ros.messages.context import FrameContext
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.topics import build_messages
from test.drawn.autoware_definitions import AUTOWARE_DEFINITIONS
from test.drawn.drawn_result import CAR, ROAD, SKY, TRACK_IDS, TRUCK, drawn_result
from test.messages.test_convert import header, of_rosbags

Runs = list[tuple[int, int]]


def into(**values: int) -> LabelTable:
    table = np.zeros(256, np.uint8)
    for name, value in values.items():
        table[{"road": ROAD, "sky": SKY, "car": CAR, "truck": TRUCK}[name]] = value
    return LabelTable("autoware", (TargetClass("UNKNOWN", 0),), table)


MASK = into(road=9, sky=15, car=7, truck=7)


def decode(data: bytes, rows: int, columns: int) -> NDArray[np.uint8]:
    """Decode as the fusion does: pairs of a byte and a 4-byte length, pixel after pixel."""
    mask = np.zeros((rows, columns), np.uint8)
    at = 0
    for start in range(0, len(data), 5):
        value, length = struct.unpack_from("<Bi", data, start)
        for _ in range(length):
            mask[at // columns, at % columns] = value
            at += 1
    assert at == rows * columns, "the runs do not fill the image"
    return mask


def runs_of(coded: NDArray[Any]) -> Runs:
    return [(int(label), int(length)) for label, length in coded.tolist()]


TABLE: dict[str, tuple[list[list[int]], tuple[int, int], Runs]] = {
    "one value": ([[5, 5], [5, 5]], (2, 2), [(5, 4)]),
    "over the row's end": ([[1, 2], [2, 1]], (2, 2), [(1, 1), (2, 2), (1, 1)]),
    "wider": ([[1, 2]], (1, 6), [(1, 3), (2, 3)]),
    "higher": ([[1, 2]], (2, 2), [(1, 1), (2, 1), (1, 1), (2, 1)]),
    "smaller": ([[1, 2, 3, 4]], (1, 2), [(2, 1), (4, 1)]),
    "one pixel": ([[0]], (1, 1), [(0, 1)]),
}


@pytest.mark.parametrize("case", TABLE)
def test_runs_are_those_of_the_enlarged_map(case: str) -> None:
    values, size, expected = TABLE[case]
    assert runs_of(run_lengths(np.array(values, np.uint8), size)) == expected


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
    st.integers(1, 4),
)
def test_a_decoded_mask_is_the_enlarged_map(
    seed: int, shape: tuple[int, int], size: tuple[int, int], classes: int
) -> None:
    values = np.random.default_rng(seed).integers(0, classes, shape).astype(np.uint8)
    coded = run_lengths(values, size)
    assert np.array_equal(decode(coded.tobytes(), *size), enlarge(values, size))
    assert (coded["length"] > 0).all()
    assert (coded["label"][1:] != coded["label"][:-1]).all()


def test_the_mask_message_is_what_the_fusion_projects_points_into() -> None:
    types = of_rosbags()
    result = drawn_result(scale=4)
    message = autoware_mask(FrameContext(result, types, header(types)), MASK)
    assert (message.encoding, message.header) == ("mono8", header(types))
    mask = decode(message.data.tobytes(), message.height, message.width)
    # The fusion resizes to the camera_info's size by nearest neighbour, which is ours already.
    height, width = result.camera_size
    resized = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
    assert np.array_equal(resized, MASK.values[result.semantic()])
    assert set(np.unique(mask)) == {0, 7, 9, 15}


def test_a_frame_of_another_size_gives_a_mask_of_that_size() -> None:
    result = drawn_result()
    types = of_rosbags()
    odd = replace(result, frame=Frame(np.zeros((37, 53, 3), np.uint8), 1))
    message = autoware_mask(FrameContext(odd, types, header(types)), MASK)
    mask = decode(message.data.tobytes(), 37, 53)
    assert np.array_equal(mask, MASK.values[odd.semantic()])


# Boxes -----------------------------------------------------------------------------------------


def autoware_types() -> MessageTypes:
    """What a bag library makes of Autoware's definitions."""
    typesys = pytest.importorskip("rosbags.typesys")
    store = typesys.get_typestore(typesys.Stores.ROS2_JAZZY)
    for name, text in AUTOWARE_DEFINITIONS.items():
        store.register(typesys.get_types_from_msg(text, name))
    return MessageTypes(store.types.__getitem__, lambda values: values.reshape(-1).view(np.uint8))


def rclpy_autoware_types() -> MessageTypes:
    from panoptic_ros.messages.message_types import rclpy_types

    return rclpy_types()


KINDS = [
    pytest.param(autoware_types, id="rosbags"),
    pytest.param(rclpy_autoware_types, id="rclpy", marks=[pytest.mark.ros, pytest.mark.autoware]),
]


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_are_objects_with_their_region(kind: Any) -> None:
    types = kind()
    result: Result = drawn_result(scale=4)
    message = autoware_rois(FrameContext(result, types, header(types)), into(car=1, truck=2))
    assert message.header == header(types)
    assert len(message.feature_objects) == len(TRACK_IDS)
    for found, track in zip(message.feature_objects, result.tracks, strict=True):
        y, x = np.nonzero(result.instance_ids() == track.id)
        roi = found.feature.roi
        assert (roi.x_offset, roi.y_offset) == (x.min(), y.min())
        assert (roi.width, roi.height) == (np.ptp(x) + 1, np.ptp(y) + 1)
        assert found.object.existence_probability == pytest.approx(track.score)
    labels = [[kind.label for kind in f.object.classification] for f in message.feature_objects]
    assert labels == [[1], [2]]


def test_boxes_of_another_generation_are_left_out() -> None:
    whole = autoware_types()

    def find(name: str) -> Any:
        if name.startswith("autoware_perception_msgs/"):
            raise KeyError(name)
        return whole.find(name)

    types = MessageTypes(find, whole.payload)
    wanted, remaps = ("label", "autoware_rois"), {"autoware_rois": into(car=1)}
    made = build_messages(wanted, FrameContext(drawn_result(), types, header(types), remaps))
    assert list(made) == ["label"]


def test_a_bag_library_can_write_the_boxes() -> None:
    types = autoware_types()
    typesys = pytest.importorskip("rosbags.typesys")
    store = typesys.get_typestore(typesys.Stores.ROS2_JAZZY)
    for name, text in AUTOWARE_DEFINITIONS.items():
        store.register(typesys.get_types_from_msg(text, name))
    name = "tier4_perception_msgs/msg/DetectedObjectsWithFeature"
    message = autoware_rois(
        FrameContext(drawn_result(), types, header(types)), into(car=1, truck=2)
    )
    again = store.deserialize_cdr(store.serialize_cdr(message, name), name)
    assert [found.feature.roi.x_offset for found in again.feature_objects] == [16, 56]
