# SPDX-License-Identifier: Apache-2.0
"""A cloud that cannot be labelled is counted under its cause, and the reason is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.config import PointsConfig
from panoptic_ros.core.ground.transform_tree import TransformTree
from panoptic_ros.messages.clouds.cloud_stage import CloudSettings, CloudStage
from panoptic_ros.messages.clouds.cloud_statistics import CloudStatistics
from test.drawn.drawn_cloud import SECOND, Box, Scene
from test.messages.clouds.test_cloud_stage import INFO, SETTINGS, message, result_at, tree

SCENE = Scene((Box(9.0, -1.0),), step=8)
FRAMES = "TF has no way from the cloud's frame 'lidar' to the camera's 'camera'"
UNHEARD = " (no transform has been heard at all)"


class Run:
    """Clouds of a camera, and what is said about them."""

    def __init__(self, where: TransformTree | None = None) -> None:
        self.statistics = CloudStatistics()
        self.stage = CloudStage(tree(False) if where is None else where, self.statistics)
        self.put(0)

    def put(self, offset_ns: int, points: Any = None) -> None:
        """Let a cloud come that is older by so much than the image; 0 for the usual."""
        cloud, _ = SCENE.cloud()
        stamp_ns = result_at(SCENE).frame.stamp_ns - offset_ns
        points = cloud.points if points is None else points
        self.stage.put(message(replace(cloud, stamp_ns=stamp_ns, points=points)))

    def take(self, info: Any = INFO, settings: CloudSettings = SETTINGS) -> int:
        """How many clouds were labelled."""
        return len(self.stage.take(result_at(SCENE), info, settings))

    @property
    def drops(self) -> dict[str, int]:
        """Causes that occurred."""
        totals = self.statistics.totals()
        return {name: n for name, n in totals.items() if name.startswith("dropped") and n}


def on(*links: tuple[str, str]) -> TransformTree:
    """Frames on others, all in one place."""
    made = TransformTree()
    for child, parent in links:
        made.put(child, parent, np.eye(4))
    return made


@pytest.mark.parametrize(
    ("where", "why"),
    [
        (on(), FRAMES + "; publish the transform" + UNHEARD),
        (on(("lidar", "mast")), FRAMES + "; publish the transform"),
        (on(("lidar", "odom")), FRAMES + "; publish the transform"),
        (on(("camera", "odom")), FRAMES + "; publish the transform"),
    ],
    ids=["nothing heard", "another tree", "the cloud alone", "the camera alone"],
)
def test_frames_that_are_not_connected_are_named(where: TransformTree, why: str) -> None:
    run = Run(where)
    assert run.take() == 0
    assert run.drops == {"dropped_no_transform": 1}
    assert run.statistics.problem == why


@pytest.mark.parametrize(
    ("offset_ns", "said"), [(0, ""), (SECOND // 2, "0.500"), (2 * SECOND, "2.000")]
)
def test_a_cloud_long_before_the_image_is_dropped_with_the_time_between(
    offset_ns: int, said: str
) -> None:
    run = Run()
    run.take()
    run.statistics.problem = ""
    run.put(offset_ns)
    assert run.take() == (0 if said else 1)
    if said:
        assert run.statistics.problem == (
            f"the nearest image is {said} s after the cloud, more than points.max_offset_s (0.1); "
            "are both stamped by one clock?"
        )


def test_a_cloud_long_after_the_last_image_is_dropped_with_the_time_between() -> None:
    run = Run()
    run.take()
    run.put(-SECOND // 2)
    assert run.stage.finish(INFO, SETTINGS) == []
    assert run.drops == {"dropped_no_image": 1}
    assert run.statistics.problem.startswith("the nearest image is 0.500 s before the cloud, ")


def test_a_cloud_without_any_image_is_dropped() -> None:
    run = Run()
    assert run.stage.finish(INFO, SETTINGS) == []
    assert run.drops == {"dropped_no_image": 1}
    assert run.statistics.problem == "no image has been processed around the time of the cloud"


def test_a_cloud_of_a_camera_that_is_not_calibrated_is_dropped() -> None:
    run = Run()
    assert run.take(info=None) == 0
    assert run.drops == {"dropped_no_calibration": 1}
    assert run.statistics.problem.startswith("there is no camera_info; publish one")


def test_points_that_are_no_numbers_are_counted_and_cost_only_themselves() -> None:
    cloud, _ = SCENE.cloud()
    lost = int(np.isnan(cloud.points).any(axis=1).sum())
    run = Run()
    run.put(0, np.full_like(cloud.points, np.nan))
    assert run.take() == 1
    assert 0 < lost < len(cloud)
    assert run.statistics.totals()["points_not_a_number"] == lost
    assert run.drops == {"dropped_no_points": 1}
    assert run.statistics.problem == f"none of the cloud's {len(cloud)} points is a number"


def test_a_cloud_of_too_many_points_is_dropped_and_the_limit_named() -> None:
    run = Run()
    few = CloudSettings(PointsConfig(max_points=7), SETTINGS.ground)
    assert run.take(settings=few) == 0
    assert run.drops == {"dropped_too_large": 1}
    assert "more than points.max_points (7)" in run.statistics.problem


def test_a_labelled_cloud_ends_the_complaint() -> None:
    run = Run()
    run.take(info=None)
    run.put(0)
    assert run.take() == 1
    assert run.statistics.problem == ""
    assert run.statistics.totals()["labelled"] == 1
