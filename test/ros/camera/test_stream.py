# SPDX-License-Identifier: Apache-2.0
"""What belongs to one camera: its topics, which of its images are taken, and what is counted."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("sensor_msgs")

from panoptic_ros.core.camera.camera_config import CameraLists
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.synthetic.engine import DrawnEngine
from panoptic_ros.messages.convert import IMAGE
from panoptic_ros.messages.message_types import rclpy_types
from panoptic_ros.ros.camera.camera_output import CameraOutput
from panoptic_ros.ros.camera.statistics import CameraStatistics
from panoptic_ros.ros.camera.stream import CameraStream, StreamHost, open_outputs, open_stream
from panoptic_ros.ros.transforms import Transforms
from test.drawn.drawn_node import DrawnNode, End
from test.drawn.drawn_result import drawn_result

TYPES = rclpy_types()
SECOND = 1_000_000_000
ONE, TWO = ("camera",), ("left", "right")


class Scene:
    """A camera of a node that is on no graph."""

    def __init__(self, config: NodeConfig, index: int = 0, **remapped: str) -> None:
        self.node = DrawnNode(
            {f"/{name.replace('__', '/')}": topic for name, topic in remapped.items()}
        )
        self.config = config
        self.put: list[tuple[str, Any]] = []
        self.replaces = False
        self.statistics = CameraStatistics()
        host = StreamHost(
            self.node, TYPES, Transforms(None, TYPES), self._put, lambda: self.config
        )
        output = CameraOutput(self.node, "~/", TYPES)
        state = Pipeline(DrawnEngine()).new_state()
        self.stream: CameraStream = open_stream(host, index, output, self.statistics, state)

    def _put(self, name: str, message: Any) -> bool:
        self.put.append((name, message))
        return self.replaces

    def shoot(self, stamp_ns: int, number: int | None = None) -> None:
        sec, nanosec = divmod(stamp_ns, SECOND)
        header = SimpleNamespace(stamp=SimpleNamespace(sec=sec, nanosec=nanosec))
        image = SimpleNamespace(header=header, encoding="rgb8")
        self.node.hear(self.stream.input.topic, image, number)

    @property
    def counts(self) -> dict[str, int]:
        """Those that are not 0."""
        return {name: count for name, count in self.statistics.report().total.items() if count}


@pytest.mark.parametrize(
    ("cameras", "topics", "index", "listens"),
    [
        (ONE, ("",), 0, None),
        (ONE, ("/cloud",), 0, "/cloud"),
        (TWO, ("",), 1, None),
        (TWO, ("", "/cloud"), 0, None),
        (TWO, ("", "/cloud"), 1, "/cloud"),
    ],
)
def test_clouds_are_waited_for_where_the_parameter_names_them(
    cameras: tuple[str, ...], topics: tuple[str, ...], index: int, listens: str | None
) -> None:
    stream = Scene(NodeConfig(cameras=cameras, cloud_topics=topics), index).stream
    assert (stream.clouds.topic if stream.clouds else None) == listens


@pytest.mark.parametrize("topics", [("",), ("/cloud",)])
def test_results_are_handed_to_the_clouds_that_wait_for_them(topics: tuple[str, ...]) -> None:
    scene = Scene(NodeConfig(cameras=ONE, cloud_topics=topics))
    header = TYPES.make("std_msgs/msg/Header", frame_id="front")
    stages_ms = scene.stream.publisher.send(drawn_result(), header, scene.config)
    assert ("points" in stages_ms) == any(topics)


@pytest.mark.parametrize(
    ("cameras", "said", "remapped", "info"),
    [
        (ONE, {}, {}, "/camera_info"),
        (ONE, {"image_topics": ("/a/image",)}, {}, "/a/camera_info"),
        (ONE, {"camera_info_topics": ("/b/info",)}, {}, "/b/info"),
        (ONE, {"image_topics": ("/a/image",)}, {"camera_info": "/c/info"}, "/c/info"),
        (ONE, {}, {"image": "/d/image"}, "/d/camera_info"),
        (TWO, {}, {}, "/right/camera_info"),
        (TWO, {"camera_info_topics": ("/b/info", "")}, {}, "/right/camera_info"),
        (TWO, {"camera_info_topics": ("", "/b/info")}, {}, "/b/info"),
        (TWO, {"image_topics": ("", "/a/image")}, {}, "/a/camera_info"),
        (TWO, {}, {"right__camera_info": "/c/info"}, "/c/info"),
    ],
)
def test_camera_info_is_the_one_that_is_named_or_remapped_else_that_beside_the_image(
    cameras: tuple[str, ...], said: dict[str, Any], remapped: dict[str, str], info: str
) -> None:
    scene = Scene(NodeConfig(cameras=cameras, **said), len(cameras) - 1, **remapped)
    assert scene.node.topics[-1] == info


def test_an_image_is_put_under_its_cameras_name_and_counted() -> None:
    scene = Scene(NodeConfig(cameras=TWO), 1)
    scene.shoot(SECOND)
    scene.replaces = True
    scene.shoot(2 * SECOND)
    assert [name for name, _ in scene.put] == ["right"] * 2
    assert scene.counts == {"received": 2, "dropped_busy": 1}


def test_images_beyond_the_rate_are_left_out_with_those_that_were_lost_before_them() -> None:
    scene = Scene(NodeConfig(cameras=ONE, of_cameras=CameraLists(max_rate_hz=(2.0,))))
    scene.node.ends["/image"] = [End(IMAGE)]
    scene.stream.input.look()
    for number, tenths in ((1, 10), (4, 12), (5, 15)):
        scene.shoot(tenths * SECOND // 10, number)
    assert len(scene.put) == 2
    assert scene.counts == {"received": 3, "left_out": 1, "lost_in_transport": 2}


def test_another_rate_counts_from_the_next_image() -> None:
    scene = Scene(NodeConfig(cameras=ONE, of_cameras=CameraLists(max_rate_hz=(1.0,))))
    scene.shoot(SECOND)
    scene.shoot(SECOND + SECOND // 2)
    scene.config = replace(scene.config, of_cameras=CameraLists(max_rate_hz=(0.0,)))
    scene.shoot(SECOND + SECOND // 2)
    assert len(scene.put) == 2


def test_images_without_a_stamp_are_thinned_out_by_the_nodes_clock() -> None:
    scene = Scene(NodeConfig(cameras=ONE, of_cameras=CameraLists(max_rate_hz=(1.0,))))
    for tenths in (10, 15, 20):
        scene.node.now_ns = tenths * SECOND // 10
        scene.shoot(0)
    assert len(scene.put) == 2


def test_a_packet_that_gives_no_image_is_counted_and_told() -> None:
    scene = Scene(NodeConfig(cameras=ONE))
    header = SimpleNamespace(stamp=SimpleNamespace(sec=1, nanosec=0), frame_id="front")
    packet = SimpleNamespace(header=header, format="h264", data=b"\0\0\1\x41")
    scene.node.hear("/image", packet)
    assert list(scene.counts) == ["dropped_before_key_frame"]
    (said,) = scene.node.warned
    assert said.startswith("camera: image dropped: ")
    assert scene.node.quiet_s == [5.0]


@pytest.mark.parametrize(("cameras", "prefix"), [(ONE, "~/"), (TWO, "~/left/")])
def test_several_cameras_have_topics_below_their_names(
    cameras: tuple[str, ...], prefix: str
) -> None:
    node = DrawnNode()
    outputs = open_outputs(node, NodeConfig(cameras=cameras), TYPES)
    assert list(outputs) == list(cameras)
    assert f"{prefix}label" in node.offered
    assert len(node.offered) == len(set(node.offered))


def test_a_look_finds_images_and_clouds_and_an_end_leaves_neither() -> None:
    scene = Scene(NodeConfig(cameras=ONE, cloud_topics=("/cloud",)))
    kinds = {"/image/compressed": "sensor_msgs/msg/CompressedImage"}
    kinds["/cloud"] = "sensor_msgs/msg/PointCloud2"
    scene.node.ends = {topic: [End(kind)] for topic, kind in kinds.items()}
    scene.stream.look(lambda: [])
    assert {"/image/compressed", "/cloud"} <= {*scene.node.topics}
    scene.stream.close()
    assert scene.node.topics == []


def test_many_lost_images_are_told_with_who_sends_them() -> None:
    scene = Scene(NodeConfig(cameras=ONE))
    scene.node.ends["/image"] = [End(IMAGE)]
    scene.stream.look(lambda: [])
    for number in range(0, 40, 2):
        scene.shoot(SECOND, number)
    scene.stream.look(lambda: [])
    assert "19 of 39 images on /image were lost on their way" in scene.stream.loss_watch.problem
    assert "they are sent by /driver" in scene.node.warned[0]
