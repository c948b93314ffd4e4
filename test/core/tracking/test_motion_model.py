# SPDX-License-Identifier: Apache-2.0
"""Where an object is believed to be while something hides a part of it."""

from __future__ import annotations

import numpy as np
import pytest

from panoptic_ros.core.tracking.camera_motion import STILL, CameraMotion
from panoptic_ros.core.tracking.motion_model import MotionModel

MAP = (200, 400)
STEP_S = 0.1
ROW = np.array([0])


def see(model: MotionModel, *box: float, motion: CameraMotion = STILL) -> None:
    model.predict(motion, STEP_S)
    model.correct(ROW, np.array([box], np.float64), MAP, STEP_S)


def moving(speed: float = 50.0) -> tuple[MotionModel, float]:
    """An object of 40x60 pixels that has moved right for a second; and where its left edge is."""
    model = MotionModel.of_boxes(np.array([[50.0, 20.0, 90.0, 80.0]]), MAP)
    for number in range(1, 11):
        shift = speed * STEP_S * number
        see(model, 50.0, 20.0 + shift, 90.0, 80.0 + shift)
    return model, 20.0 + speed


def test_speed_and_size_are_those_of_the_box_while_all_of_it_is_seen() -> None:
    model, left = moving()
    assert model.velocity[0] == pytest.approx([0.0, 50.0], abs=0.5)
    assert model.size[0] == pytest.approx([40.0, 60.0])
    assert model.center[0] == pytest.approx([70.0, left + 30.0])


def test_what_goes_behind_a_wall_does_not_slow_down() -> None:
    model, left = moving()
    wall = left + 60.0
    for number in range(1, 9):
        see(model, 50.0, left + 5.0 * number, 90.0, wall)
    assert model.velocity[0, 1] == pytest.approx(50.0, abs=5.0)
    assert model.size[0, 1] > 1.5 * (wall - left - 40.0)


def test_what_really_brakes_is_seen_to_brake() -> None:
    model, left = moving()
    for _ in range(10):
        see(model, 50.0, left, 90.0, left + 60.0)
    assert abs(model.velocity[0, 1]) < 5.0


def test_what_the_border_cuts_is_followed_by_its_other_edge() -> None:
    model = MotionModel.of_boxes(np.array([[50.0, 0.0, 90.0, 10.0]]), MAP)
    for number in range(1, 9):
        see(model, 50.0, 0.0, 90.0, 10.0 + 5.0 * number)
    assert model.velocity[0] == pytest.approx([0.0, 50.0], abs=1.0)
    assert model.is_cut.tolist() == [[False, True]]


def test_the_hidden_part_does_not_grow_for_ever() -> None:
    model, left = moving(0.0)
    nearer = CameraMotion(((1.2, 0.0, -0.2 * left), (0.0, 1.2, -0.2 * 70.0)))
    for _ in range(60):
        see(model, 60.0, left, 80.0, left + 20.0, motion=nearer)
    assert (model.size[0] <= 3.0 * 20.0 + 30.0).all()
    assert (np.abs(model.velocity[0]) < 1000.0).all()


def test_what_is_lost_goes_on_as_before() -> None:
    model, left = moving()
    for _ in range(5):
        model.predict(STILL, STEP_S)
    assert model.center[0, 1] == pytest.approx(left + 30.0 + 25.0, abs=0.5)
    assert model.unseen_s[0] == pytest.approx(0.5)
