# SPDX-License-Identifier: Apache-2.0
"""Parameter files with many nodes give our node what ROS gives it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.node_config import DECLARED, NodeConfig
from panoptic_ros.core.parameter_file import read_parameters

FLEET = """
/**:
  ros__parameters: {jpeg_quality: 10, use_sim_time: true, decode: {max_objects: 10}}
panoptic:
  ros__parameters: {decode.max_objects: 20, tracking: {min_iou: 0.2}}
/*:
  ros__parameters: {jpeg_quality: 30, overlay: {opacity: 0.3}}
/controller_server:
  ros__parameters: {jpeg_quality: 40, min_vel_x: 1}
/**/panoptic:
  ros__parameters: {stale_after_s: 5.0, tracking: {min_iou: 0.5}}
rear:
  camera:
    ros__parameters: {jpeg_quality: 60, decode: {max_objects: 60}}
"""
"""Blocks for many nodes; later ones that fit win."""

FOUND = {
    "/panoptic": (30, 20, 0.5, 0.3, 5.0),
    "/front/panoptic": (10, 10, 0.5, 0.45, 5.0),
    "/rear/camera": (60, 60, 0.15, 0.45, 2.0),
}
"""By node: quality, objects, least overlap, opacity, age, as rclpy finds them."""

NAMES = (
    "jpeg_quality",
    "decode.max_objects",
    "tracking.min_iou",
    "overlay.opacity",
    "stale_after_s",
)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def of_interest(config: NodeConfig) -> tuple[float, ...]:
    return (
        config.jpeg_quality,
        config.decode.max_objects,
        config.tracking.min_iou,
        config.overlay.opacity,
        config.stale_after_s,
    )


@pytest.mark.parametrize("node", [*FOUND, "rear/camera"])
def test_a_node_gets_the_blocks_that_fit_its_name_and_the_last_wins(
    node: str, tmp_path: Path
) -> None:
    found = of_interest(read_parameters(written(tmp_path, FLEET), node))
    assert found == FOUND[f"/{node.strip('/')}"]


def test_without_a_name_the_node_called_panoptic_counts(tmp_path: Path) -> None:
    assert of_interest(read_parameters(written(tmp_path, FLEET))) == FOUND["/panoptic"]


@pytest.mark.ros
@pytest.mark.parametrize("node", FOUND)
def test_rclpy_gives_a_node_the_same(node: str, tmp_path: Path) -> None:
    rclpy = pytest.importorskip("rclpy")
    context = rclpy.Context()
    words = ["--ros-args", "--params-file", str(written(tmp_path, FLEET))]
    rclpy.init(args=words, context=context)
    namespace, _, name = node.rpartition("/")
    made = rclpy.create_node(
        name,
        namespace=namespace or None,
        context=context,
        automatically_declare_parameters_from_overrides=True,
    )
    given = tuple(
        made.get_parameter(title).value if made.has_parameter(title) else DECLARED[title].default
        for title in NAMES
    )
    made.destroy_node()
    rclpy.shutdown(context=context)
    assert given == FOUND[node]


def test_a_node_in_a_namespace_is_found_by_its_name(tmp_path: Path) -> None:
    text = "/front/panoptic: {ros__parameters: {jpeg_quality: 7}}"
    assert read_parameters(written(tmp_path, text)).jpeg_quality == 7


def test_where_two_nodes_fit_it_asks_which(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "front: {panoptic: {ros__parameters: {jpeg_quality: 7}}}\n"
        "/rear/panoptic: {ros__parameters: {jpeg_quality: 8}}",
    )
    with pytest.raises(ConfigError, match=r"2 nodes .* /front/panoptic, /rear/panoptic; choose"):
        read_parameters(path)
    assert read_parameters(path, "rear/panoptic").jpeg_quality == 8


def test_a_file_for_other_nodes_only_lists_them(tmp_path: Path) -> None:
    path = written(tmp_path, "camera: {ros__parameters: {jpeg_quality: 7}}")
    with pytest.raises(ConfigError, match="nothing for the node /panoptic, only for /camera;"):
        read_parameters(path)


def test_what_other_nodes_are_told_is_not_looked_at(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "panoptic: {ros__parameters: {jpeg_quality: 7}}\n"
        "camera: {ros__parameters: {decode: {max_objects: none}, stranger: 1}}",
    )
    assert read_parameters(path) == replace(NodeConfig(), jpeg_quality=7)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("{decode: {center_treshold: 0.2}}", "'decode.center_treshold'; .*center_threshold'"),
        ("{engin: x}", "'engin'; the nearest is 'engine'"),
        ("{foo: x}", r"'foo'; there are: (\w+(\.\w+)?, ){9}\S+ and \d+ more"),
        ("{stale_after_s: 1}", "stale_after_s is 1, a whole number, .*: write 1.0"),
        ("{decode: {max_objects: 1.5}}", "max_objects is 1.5, needs an integer"),
        ("{decode: 3}", "no parameter 'decode'"),
        ("{engine_batch: 0}", "engine_batch is 0, needs at least 1"),
        ("[1, 2]", r"ros__parameters of /panoptic is \[1, 2\], needs names and values"),
        ("", "ros__parameters of /panoptic is None"),
    ],
    ids=[
        "misspelt",
        "misspelt, flat",
        "like none",
        "whole number",
        "fraction",
        "a group",
        "out of range",
        "a list",
        "nothing",
    ],
)
def test_what_our_node_cannot_take_is_refused_with_the_file(
    block: str, words: str, tmp_path: Path
) -> None:
    path = written(tmp_path, f"panoptic:\n  ros__parameters: {block}\n")
    with pytest.raises(ConfigError, match=rf"params\.yaml: .*{words}"):
        read_parameters(path)


def test_a_node_that_stands_twice_is_refused_as_only_one_would_be_read(tmp_path: Path) -> None:
    block = "panoptic: {ros__parameters: {jpeg_quality: 7}}\n"
    with pytest.raises(ConfigError, match="'panoptic' stands twice, again in line 2"):
        read_parameters(written(tmp_path, block + block))


@pytest.mark.parametrize("text", ["", "3", "panoptic: {decode: {max_objects: 3}}"])
def test_a_file_without_a_block_is_no_parameter_file(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no 'ros__parameters' below a node's name"):
        read_parameters(written(tmp_path, text))


def test_the_shipped_file_gives_the_defaults() -> None:
    assert read_parameters(resource("config", "panoptic.yaml")) == NodeConfig()
    assert read_parameters(None) == NodeConfig()


@pytest.mark.parametrize(
    ("block", "node"),
    [("/robot1/panoptic", ""), ("/**", "/robot1/panoptic"), ("/**", "robot1/panoptic")],
)
def test_the_cameras_of_a_node_in_a_namespace_are_found_in_its_recording(
    block: str, node: str, tmp_path: Path
) -> None:
    text = f"{block}:\n  ros__parameters: {{cameras: [front, rear], rotation: [0, 180]}}\n"
    config = read_parameters(written(tmp_path, text), node)
    assert config.recorded_camera("/robot1/rear/image/compressed").rotation == 180
    with pytest.raises(ConfigError, match="are /robot1/front/image, /robot1/rear/image"):
        config.recorded_camera("/rear/image")


def test_a_grid_of_too_many_cells_is_refused_with_what_fits(tmp_path: Path) -> None:
    ground = "{length_m: 1000.0, width_m: 20.0, resolution_m: RES}"
    text = f"/panoptic: {{ros__parameters: {{ground: {ground}}}}}"
    with pytest.raises(ConfigError, match=r"200000000 cells, more than 4000000") as refusal:
        read_parameters(written(tmp_path, text.replace("RES", "0.01")))
    assert "make resolution_m 0.08 or more" in str(refusal.value)
    assert read_parameters(written(tmp_path, text.replace("RES", "0.08"))).ground.width_m == 20.0
