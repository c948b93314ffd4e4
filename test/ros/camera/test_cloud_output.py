# SPDX-License-Identifier: Apache-2.0
"""Which clouds go out, which serve the grid, and which are complained about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy")

from panoptic_ros.core.config import PointsConfig
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.messages.clouds.cloud_stage import CloudResult, CloudSettings
from panoptic_ros.messages.clouds.cloud_statistics import CloudStatistics
from panoptic_ros.recordings.bag_writer import bag_types
from panoptic_ros.ros.camera import cloud_output
from panoptic_ros.ros.camera.cloud_output import CloudOutput
from test.drawn.drawn_node import DrawnNode
from test.drawn.drawn_result import drawn_result

RESULT = drawn_result()
STAMP_NS = RESULT.frame.stamp_ns
CONFIG = NodeConfig(points=PointsConfig(max_offset_s=10.0))


def labelled(offset_ns: int = 0) -> Any:
    return SimpleNamespace(cloud=SimpleNamespace(stamp_ns=STAMP_NS + offset_ns))


@dataclass
class DrawnStage:
    """Clouds that are ready with the next result, and what was asked."""

    ready: list[Any] = field(default_factory=list)
    asked: list[CloudSettings] = field(default_factory=list)
    passed_by: int = 0

    def take(self, result: Any, info: Any, settings: CloudSettings) -> list[CloudResult]:
        self.asked.append(settings)
        header: Any = "header"
        found = [CloudResult(header, one, []) for one in self.ready]
        self.ready = []
        return found

    def pass_by(self, result: Any, points: PointsConfig) -> None:
        self.passed_by += 1


@dataclass
class DrawnTopics:
    """Topics that somebody listens to, and what went out on them."""

    clouds: list[str] = field(default_factory=lambda: ["points"])
    has_ground: bool = False
    sent: list[dict[str, Any]] = field(default_factory=list)

    def wanted_clouds(self) -> list[str]:
        return self.clouds

    def wants_ground(self) -> bool:
        return self.has_ground

    def publish(self, messages: dict[str, Any]) -> None:
        self.sent.append(messages)


class Scene:
    """The output of one camera."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            cloud_output,
            "build_cloud_messages",
            lambda names, context: dict.fromkeys(names, context),
        )
        self.stage, self.topics, self.statistics = DrawnStage(), DrawnTopics(), CloudStatistics()
        self.node = DrawnNode()
        stage: Any = self.stage
        topics: Any = self.topics
        self.output = CloudOutput(
            "front", stage, self.statistics, topics, bag_types(), self.node.get_logger()
        )

    def publish(self, *ready: Any, rotation: int = 0) -> Any:
        self.stage.ready = list(ready)
        return self.output.publish(RESULT, None, CONFIG, rotation)

    def drop(self, count: int, why: str = "no camera_info") -> None:
        for _ in range(count):
            self.statistics.drop("dropped_no_calibration", why)
        self.publish()


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_every_cloud_that_is_ready_goes_out_under_its_own_header(scene: Scene) -> None:
    first, second = labelled(-50_000_000), labelled()
    scene.publish(first, second, rotation=180)
    assert [message["points"].labelled for message in scene.topics.sent] == [first, second]
    assert [message["points"].header for message in scene.topics.sent] == ["header"] * 2
    (settings,) = scene.stage.asked
    assert (settings.points, settings.ground) == (CONFIG.points, CONFIG.ground)
    assert settings.rotation == 180


def test_without_a_listener_clouds_pass_and_cost_nothing(scene: Scene) -> None:
    scene.topics.clouds = []
    assert scene.publish(labelled()) is None
    assert (scene.stage.passed_by, scene.stage.asked, scene.topics.sent) == (1, [], [])


@pytest.mark.parametrize(("clouds", "has_ground"), [(["points"], False), ([], True)])
def test_points_or_the_ground_are_reason_enough_to_label_clouds(
    scene: Scene, clouds: list[str], has_ground: bool
) -> None:
    scene.topics.clouds, scene.topics.has_ground = clouds, has_ground
    assert scene.publish(found := labelled()) is found
    assert (scene.stage.passed_by, len(scene.stage.asked)) == (0, 1)


@pytest.mark.parametrize(
    ("offset_ns", "serves"),
    [
        (10_000_000_000, True),
        (-10_000_000_000, True),
        (10_000_000_001, False),
        (-10_000_000_001, False),
    ],
)
def test_a_cloud_serves_the_grid_up_to_the_greatest_offset(
    scene: Scene, offset_ns: int, serves: bool
) -> None:
    found = labelled(offset_ns)
    assert scene.publish(found) is (found if serves else None)


def test_the_newest_cloud_serves_until_another_comes_or_nobody_listens(scene: Scene) -> None:
    assert scene.publish() is None
    first, second = labelled(-2), labelled(-1)
    assert scene.publish(first, second) is second
    assert scene.publish() is second
    scene.topics.clouds = []
    scene.publish()
    scene.topics.clouds = ["points"]
    assert scene.publish() is None


def test_the_first_two_clouds_may_be_dropped_without_a_word(scene: Scene) -> None:
    scene.drop(2)
    assert scene.node.warned == []
    scene.drop(1, "no transform")
    assert scene.node.warned == ["front: cloud dropped: no transform"]
    assert scene.node.quiet_s == [5.0]


def test_a_drop_is_told_once_and_only_while_its_cause_lasts(scene: Scene) -> None:
    scene.drop(3)
    scene.publish()
    assert len(scene.node.warned) == 1, "no other cloud was dropped"
    scene.drop(1)
    assert len(scene.node.warned) == 2
    scene.statistics.drop("dropped_no_image", "no image")
    scene.statistics.problem = ""  # a cloud behind it was labelled
    scene.publish()
    assert len(scene.node.warned) == 2


def test_a_drop_before_somebody_listened_is_told_with_the_next_result(scene: Scene) -> None:
    scene.topics.clouds = []
    scene.drop(5)
    assert scene.node.warned == []
    scene.topics.clouds = ["points"]
    config = replace(CONFIG)
    scene.output.publish(RESULT, None, config)
    assert len(scene.node.warned) == 1
