# SPDX-License-Identifier: Apache-2.0
"""Depth images out of a bag come with the CameraInfo that is about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoptic_ros.core.ground.transform_tree import TransformTree
from panoptic_ros.messages.clouds.cloud_stage import SensorMessage
from panoptic_ros.recordings.bag_points import BagPoints
from panoptic_ros.recordings.storage.record import NEVER_NS
from test.drawn.drawn_inputs import write_bag2


@pytest.mark.parametrize(
    ("topic", "focal"), [("/front/image_raw", 1.0), ("/front/image_rect", 2.0)]
)
def test_the_camera_info_is_about_the_depth_images_of_the_topic(
    tmp_path: Path, topic: str, focal: float
) -> None:
    bag = write_bag2(tmp_path / "bag", count=2, topics=(topic,))
    heard: list[SensorMessage] = []
    with BagPoints(bag, topic, TransformTree(), heard.append) as points:
        points.advance(NEVER_NS)
    assert heard[0].info is None, "the first image comes before the first camera_info"
    told = heard[1].info
    assert told is not None
    assert told.k[0] == focal  # type: ignore[attr-defined]
