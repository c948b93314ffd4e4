# SPDX-License-Identifier: Apache-2.0
"""One camera's images may lie on several topics, and depth has the types of camera images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rosbags")

from panoptic_ros.core.errors import DataError
from panoptic_ros.fleet.opened import NoImagesError, OpenedBag
from panoptic_ros.recordings.bag_writer import BagWriter, typestore
from panoptic_ros.recordings.open import open_source
from test.drawn.drawn_inputs import (
    SECOND_NS,
    compressed_message,
    image,
    image_message,
    number_of,
)

COLOUR, DEPTH, PACKED = "/cam/image_raw", "/cam/depth/image_rect_raw", "/cam/far/compressedDepth"
VALUES = np.zeros(2 * 48 * 64, np.uint8)


def write_rgbd(path: Path, *topics: str, encoding: str = "16UC1", damaged: bool = False) -> Path:
    """A bag of two images on each topic; the first of a depth topic may be damaged."""
    store = typestore()
    with BagWriter(path) as bag:
        for number in range(2):
            time_ns = (5 + number) * SECOND_NS
            raw = image_message(store, image(number), time_ns)
            depth = replace(raw, encoding=encoding, step=128, data=VALUES)
            packed = compressed_message(store, image(number), time_ns)
            packed = replace(packed, format=f"{encoding}; compressedDepth png")
            for topic in topics:
                message = {DEPTH: depth, PACKED: packed}.get(topic, raw)
                data = store.serialize_cdr(message, message.__msgtype__)
                cut = damaged and not number and topic != COLOUR
                bag.write_raw(topic, message.__msgtype__, data[:9] if cut else data, time_ns)
    return path


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1", "16SC1"])
@pytest.mark.parametrize("damaged", [False, True])
def test_the_camera_is_found_beside_its_depth(
    tmp_path: Path, encoding: str, damaged: bool
) -> None:
    topics = (DEPTH, COLOUR, PACKED)
    path = write_rgbd(tmp_path / "a.mcap", *topics, encoding=encoding, damaged=damaged)
    with open_source(path) as source:
        assert [number_of(recorded.frame.image) for recorded in source.frames()] == [0, 1]
    assert not source.read_errors
    with OpenedBag(str(path), tmp_path, 1000) as bag:
        assert [source.topic for source in bag.sources(())] == [COLOUR]


@pytest.mark.parametrize("behind", ["compressed", "ffmpeg"])
def test_a_camera_that_is_there_raw_and_packed_is_one(tmp_path: Path, behind: str) -> None:
    path = write_rgbd(tmp_path / "a.mcap", f"{COLOUR}/{behind}", COLOUR)
    with open_source(path) as source:
        assert source.topic == COLOUR


def test_values_of_eight_bits_are_an_image_still(tmp_path: Path) -> None:
    path = write_rgbd(tmp_path / "a.mcap", DEPTH, COLOUR, encoding="8UC1")
    with pytest.raises(DataError, match="has several image topics"):
        open_source(path)


def test_a_bag_of_depth_alone_has_nothing_to_label(tmp_path: Path) -> None:
    path = write_rgbd(tmp_path / "a.mcap", DEPTH, PACKED)
    with OpenedBag(str(path), tmp_path, 1000) as bag, pytest.raises(NoImagesError, match="depth"):
        bag.sources(())
    with pytest.raises(DataError, match="has several image topics"):
        open_source(path)


def test_depth_that_is_asked_for_says_what_it_is(tmp_path: Path) -> None:
    path = write_rgbd(tmp_path / "a.mcap", COLOUR, PACKED)
    with (
        open_source(path, PACKED) as source,
        pytest.raises(DataError, match="holds depth; needs a jpeg or png image"),
    ):
        next(source.frames())
