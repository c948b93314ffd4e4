# SPDX-License-Identifier: Apache-2.0
"""Which camera of a parameter file a recording is of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from panoptic_ros.core.camera.camera_config import CameraLists
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.node_config import NodeConfig

TWO = NodeConfig(
    cameras=("front", "rear"),
    image_topics=("", "/back/image_raw"),
    cloud_topics=("", "/back/points"),
    of_cameras=CameraLists(rotation=(0, 180)),
)


@pytest.mark.parametrize(
    ("topic", "turn"),
    [
        ("/front/image", 0),
        ("/front/image/compressed", 0),
        ("/back/image_raw", 180),
        ("back/image_raw", 180),
        ("/back/image_raw/compressed", 180),
        ("/back/image_raw/ffmpeg", 180),
    ],
)
def test_a_topic_is_that_of_its_camera_as_in_the_node(topic: str, turn: int) -> None:
    assert TWO.recorded_camera(topic).rotation == turn


@pytest.mark.parametrize(
    ("node", "images", "clouds"),
    [
        ("/panoptic", ("/front/image", "/panoptic/back", "/top/image"), ("", "/back/points")),
        (
            "/robot1/panoptic",
            ("/robot1/front/image", "/robot1/panoptic/back", "/top/image"),
            ("", "/robot1/back/points"),
        ),
    ],
    ids=["no namespace", "a namespace"],
)
def test_topics_are_those_of_the_nodes_namespace(
    node: str, images: tuple[str, ...], clouds: tuple[str, ...]
) -> None:
    config = NodeConfig(
        cameras=("front", "rear", "top"),
        image_topics=("", "~/back", "/top/image"),
        cloud_topics=("", "back/points"),
    ).resolved(node)
    assert (config.image_topics, config.cloud_topics) == (images, clouds)


def test_the_only_camera_stays_that_of_any_topic_in_a_namespace() -> None:
    assert NodeConfig().resolved("/robot1/panoptic") == NodeConfig()


def test_a_wrong_number_of_topics_is_still_refused_in_a_namespace() -> None:
    config = replace(TWO, image_topics=("image",)).resolved("/robot1/panoptic")
    with pytest.raises(ConfigError, match="image_topics has 1 entries for 2 cameras"):
        config.recorded_camera("/robot1/image")


def test_a_raw_recording_of_a_compressed_topic_is_of_its_camera() -> None:
    config = replace(TWO, image_topics=("", "/back/image_raw/compressed"))
    assert config.recorded_camera("/back/image_raw").rotation == 180


def test_a_camera_may_have_the_name_of_a_transport() -> None:
    config = replace(TWO, image_topics=("/image/ffmpeg", "/image/compressed"))
    assert config.recorded_camera("/image/compressed").rotation == 180


def test_a_topic_of_no_camera_is_refused_where_cameras_differ() -> None:
    with pytest.raises(ConfigError) as told:
        TWO.recorded_camera("/left/image")
    assert str(told.value) == (
        "/left/image is the image topic of no camera: the parameters' image_topics are "
        "front/image, /back/image_raw; name the recorded topic there"
    )


def test_what_is_said_of_all_cameras_is_said_of_any_topic() -> None:
    config = replace(TWO, of_cameras=CameraLists(rotation=(90,)))
    assert config.recorded_camera("/left/image").rotation == 90


def test_a_single_camera_is_that_of_any_recording() -> None:
    config = replace(TWO, cameras=("front",), of_cameras=CameraLists(rotation=(270,)))
    assert config.recorded_camera("/left/image").rotation == 270


def test_too_few_topics_are_refused() -> None:
    with pytest.raises(ConfigError, match="image_topics has 1 entries for 2 cameras"):
        replace(TWO, image_topics=("/back/image_raw",)).recorded_camera("/back/image_raw")


def test_point_clouds_are_those_of_the_recorded_camera() -> None:
    assert TWO.recorded_cloud_topic("/back/image_raw/compressed") == "/back/points"
    assert TWO.recorded_cloud_topic("/front/image") == ""
