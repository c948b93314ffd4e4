# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from panoptic_ros.core.config import PipelineConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.node_config import DECLARED, NodeConfig
from panoptic_ros.core.parameters import parameters
from panoptic_ros.ros.parameters import (
    changed,
    check_cameras,
    descriptor,
    ros_value,
    to_markdown,
    to_yaml,
)

AGAIN = "write it again with panoptic_ros.ros.parameters.{0}()"


def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        values.update(flat(value, f"{name}.") if isinstance(value, dict) else {name: value})
    return values


def test_the_parameter_file_holds_every_parameter_with_its_default() -> None:
    document = yaml.safe_load(resource("config", "panoptic.yaml").read_text(encoding="utf-8"))
    found = flat(document["/**"]["ros__parameters"])
    assert found == {name: ros_value(entry) for name, entry in DECLARED.items()}


def test_the_parameter_file_is_what_the_declarations_write() -> None:
    text = resource("config", "panoptic.yaml").read_text(encoding="utf-8")
    assert text == to_yaml(), AGAIN.format("to_yaml")


def test_the_table_in_the_docs_is_what_the_declarations_write() -> None:
    text = Path(__file__).parents[2].joinpath("docs", "parameters.md").read_text(encoding="utf-8")
    assert to_markdown() in text, AGAIN.format("to_markdown")


def test_the_pipelines_parameters_are_the_nodes() -> None:
    assert {entry.name for entry in parameters(PipelineConfig())} < set(DECLARED)
    assert NodeConfig().pipeline == PipelineConfig()


def test_ros_hands_lists_over() -> None:
    assert changed(NodeConfig(), [("cameras", ["front", "rear"])]).cameras == ("front", "rear")


BAD: dict[str, tuple[str, Any, str]] = {
    "not a number": ("decode.center_threshold", math.nan, "needs a finite number"),
    "too large": ("tracking.min_iou", 1.5, "needs at most 1"),
    "too small": ("decode.max_objects", 0, "needs at least 1"),
    "another type": ("jpeg_quality", "good", "needs an integer"),
    "unknown": ("decode.threshold", 0.1, "no parameter decode.threshold"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_value_is_refused_with_the_reason(case: str) -> None:
    name, value, words = BAD[case]
    with pytest.raises(ConfigError, match=words):
        changed(NodeConfig(), [(name, value)])


CAMERAS: dict[str, tuple[NodeConfig, str]] = {
    "none": (NodeConfig(cameras=()), "needs different names"),
    "twice": (NodeConfig(cameras=("a", "a")), "needs different names"),
    "no ROS name": (NodeConfig(cameras=("front left",)), "needs different names"),
    "too few topics": (
        NodeConfig(cameras=("a", "b"), image_topics=("/a",)),
        "image_topics has 1 entries for 2 cameras",
    ),
}


@pytest.mark.parametrize("case", CAMERAS)
def test_cameras_that_do_not_fit_together_are_refused(case: str) -> None:
    config, words = CAMERAS[case]
    with pytest.raises(ConfigError, match=words):
        check_cameras(config)


def test_a_single_camera_has_flat_topics_and_several_have_their_names() -> None:
    one = NodeConfig()
    several = NodeConfig(cameras=("front", "rear"), image_topics=("", "/back/image_raw"))
    check_cameras(one)
    check_cameras(several)
    assert one.camera_topic(0, "image_topics", "image") == "image"
    assert several.camera_topic(0, "image_topics", "image") == "front/image"
    assert several.camera_topic(1, "image_topics", "image") == "/back/image_raw"


@pytest.mark.ros
@pytest.mark.parametrize("name", DECLARED)
def test_ros_is_told_meaning_and_range(name: str) -> None:
    pytest.importorskip("rcl_interfaces")
    entry = DECLARED[name]
    about = descriptor(entry)
    assert about.description == entry.description
    ranges = [*about.floating_point_range, *about.integer_range]
    expected = [] if entry.low is None else [(entry.low, entry.high)]
    assert [(limits.from_value, limits.to_value) for limits in ranges] == expected
    assert ("unconfigured" in about.additional_constraints) == (not entry.live)


@pytest.mark.parametrize("topic", ["front/image raw", "2nd/image", "a//b", "/", "a-b"])
def test_what_is_no_topic_name_is_refused_before_anything_is_opened(topic: str) -> None:
    with pytest.raises(ConfigError, match="not a topic name"):
        check_cameras(NodeConfig(image_topics=(topic,)))


@pytest.mark.parametrize("topic", ["", "image", "/front/image_raw", "~/image", "a/b_2"])
def test_topic_names_are_taken_as_ros_takes_them(topic: str) -> None:
    check_cameras(NodeConfig(image_topics=(topic,)))
