# SPDX-License-Identifier: Apache-2.0
"""The free space as a laser scan and as points, on boundaries drawn by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.messages import ground
from panoptic_ros.messages.ground_source import ground_of
from panoptic_ros.recordings.bag_writer import bag_types

TYPES = bag_types()


def context(**boundary: Any) -> Any:
    stamp = TYPES.make("builtin_interfaces/msg/Time", sec=5, nanosec=6)
    header = TYPES.make("std_msgs/msg/Header", stamp=stamp, frame_id="base_link")
    place = SimpleNamespace(config=SimpleNamespace(length_m=40.0), camera_m=(3.0, 4.0))
    return SimpleNamespace(
        types=TYPES, header=header, ground=place, boundary=SimpleNamespace(**boundary)
    )


@pytest.mark.parametrize(("rays", "last_rad"), [(0, -0.5), (1, -0.5), (2, -0.25), (5, 0.5)])
def test_a_scan_ends_at_the_angle_of_its_last_ray(
    rays: int, last_rad: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges = np.arange(rays, dtype=np.float32)
    scan = SimpleNamespace(first_rad=-0.5, step_rad=0.25, ranges_m=ranges)
    monkeypatch.setattr(ground, "laser_scan_of", lambda boundary: scan)
    about = context()
    message = ground.scan_message(about)
    assert (message.angle_min, message.angle_max, message.angle_increment) == (
        -0.5,
        last_rad,
        0.25,
    )
    assert np.asarray(message.ranges).tolist() == ranges.tolist()
    assert (message.range_min, message.range_max) == (0.0, 45.0)
    assert (message.time_increment, message.scan_time) == (0.0, 0.0)
    assert len(message.intensities) == 0
    assert message.header is about.header


def test_points_are_the_places_that_end_the_free_space_and_their_classes() -> None:
    message = ground.points_message(
        context(
            is_end=np.array([True, False, True]),
            points_m=np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
            ends=np.array([7, 8, 9], np.uint8),
        )
    )
    assert (message.height, message.width, message.row_step) == (1, 2, 2 * message.point_step)
    names = [(field.name, field.offset, field.datatype, field.count) for field in message.fields]
    assert names == [("x", 0, 7, 1), ("y", 4, 7, 1), ("z", 8, 7, 1), ("label", 12, 2, 1)]
    rows = np.frombuffer(message.data, np.uint8).reshape(2, message.point_step)
    places = np.ascontiguousarray(rows[:, :12]).view(np.float32)
    assert places.tolist() == [[1.0, 2.0, 0.0], [5.0, 6.0, 0.0]]
    assert rows[:, 12].tolist() == [7, 9]
    assert message.is_dense
    assert not message.is_bigendian


@pytest.mark.parametrize(
    ("height", "words"),
    [
        (0.0, "camera_height_m is 0, needs the height"),
        (-1.0, "camera_height_m is -1.0, needs at least 0"),
        ("1.4", "camera_height_m is '1.4', needs a number"),
    ],
)
def test_a_height_that_is_none_is_refused_by_its_value(
    height: Any, words: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=words):
        ground_of(tmp_path / "camera.yaml", GroundConfig(camera_height_m=height))
