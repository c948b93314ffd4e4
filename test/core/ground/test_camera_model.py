# SPDX-License-Identifier: Apache-2.0
"""Pixels to directions and back, and where cameras sit."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.ground.extrinsics import CameraPose, pitch_of_horizon

K = [900.0, 0.0, 650.0, 0.0, 910.0, 350.0, 0.0, 0.0, 1.0]
MODELS = {
    "pinhole": ("plumb_bob", []),
    "plumb_bob": ("plumb_bob", [-0.25, 0.06, 1e-3, -5e-4, 0.0]),
    "nothing said": ("", []),
    "none": ("none", []),
    "none in zeros": ("none", [0.0] * 5),
    "rational": ("rational_polynomial", [0.1, 0.02, 1e-4, 1e-4, 0.001, 0.12, 0.05, 0.002]),
    "thin prism": (
        "rational_polynomial",
        [0.1, 0.02, 1e-4, 1e-4, 0.001, 0.12, 0.05, 0.002, 1e-3, -1e-3, 1e-3, 5e-4],
    ),
    "tilted": (
        "rational_polynomial",
        [0.1, 0.02, 1e-4, 1e-4, 0.001, 0.12, 0.05, 0.002, 1e-3, 0.0, 1e-3, 0.0, 0.01, -0.02],
    ),
    "equidistant": ("equidistant", [0.02, -0.01, 0.003, 0.0]),
}


@pytest.mark.parametrize(("model", "d"), MODELS.values(), ids=MODELS.keys())
def test_a_pixel_comes_back_from_its_direction(model: str, d: list[float]) -> None:
    camera = CameraModel.of((1280, 720), model, K, d)
    pixels = np.random.default_rng(0).uniform((0, 0), (1280, 720), (500, 2))
    rays = camera.rays(pixels)
    np.testing.assert_allclose(np.linalg.norm(rays, axis=1), 1.0)
    np.testing.assert_allclose(camera.project(7.0 * rays), pixels, atol=1e-3)


def test_a_fisheye_sees_as_opencv_says() -> None:
    camera = CameraModel.of((1280, 720), "equidistant", K, MODELS["equidistant"][1])
    points = np.random.default_rng(1).uniform((-3, -2, 1), (3, 2, 9), (200, 3))
    expected, _ = cv2.fisheye.projectPoints(
        points[:, None], np.zeros((3, 1)), np.zeros((3, 1)), camera.matrix, camera.distortion
    )
    np.testing.assert_allclose(camera.project(points), expected[:, 0], atol=1e-6)


@pytest.mark.parametrize("name", ["plumb_bob", "rational", "thin prism", "tilted"])
def test_a_point_appears_where_opencv_says(name: str) -> None:
    model, d = MODELS[name]
    camera = CameraModel.of((1280, 720), model, K, d)
    points = np.random.default_rng(1).uniform((-1, -1, 3), (1, 1, 9), (200, 3))
    none = np.zeros(3)
    expected, _ = cv2.projectPoints(points, none, none, camera.matrix, np.array(d))
    np.testing.assert_allclose(camera.project(points), expected[:, 0], atol=1e-6)


@pytest.mark.parametrize("places", [(1,), (3,), (1, 3)], ids=["skew", "turned skew", "both"])
@pytest.mark.parametrize(("model", "d"), MODELS.values(), ids=MODELS.keys())
def test_skew_moves_a_point_and_is_undone_in_its_direction(
    model: str, d: list[float], places: tuple[int, ...]
) -> None:
    """OpenCV knows no skew; calibrations of other tools, turned or not, may have some."""
    k = [30.0 if place in places else value for place, value in enumerate(K)]
    camera, plain = (CameraModel.of((1280, 720), model, one, d) for one in (k, K))
    points = np.random.default_rng(1).uniform((-1, -1, 3), (1, 1, 9), (200, 3))
    straight = (plain.project(points) - (650.0, 350.0)) / (900.0, 910.0)
    expected = straight @ np.array([k[0:2], k[3:5]]).T + (650.0, 350.0)
    found = camera.project(points)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    ways = points / np.linalg.norm(points, axis=1, keepdims=True)
    np.testing.assert_allclose(camera.rays(found), ways, atol=1e-5)


@pytest.mark.parametrize(("model", "d"), MODELS.values(), ids=MODELS.keys())
def test_what_lies_behind_is_not_seen(model: str, d: list[float]) -> None:
    camera = CameraModel.of((1280, 720), model, K, d)
    behind = np.array([[0.1, 0.2, -1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert np.isnan(camera.project(behind)).all() or model == "equidistant"
    assert np.isnan(camera.project(behind[:1])).all()


def test_what_would_fold_back_into_the_image_is_not_seen() -> None:
    """With strong barrel distortion a direction far out would land near the middle."""
    camera = CameraModel.of((1280, 720), "plumb_bob", K, [-0.3, 0.0, 0.0, 0.0, 0.0])
    aside = np.array([[1.7, 0.0, 1.0]])
    landed, _ = cv2.projectPoints(
        aside, np.zeros(3), np.zeros(3), camera.matrix, camera.distortion
    )
    assert 0 < landed[0, 0, 0] < 1280
    assert np.isnan(camera.project(aside)).all()


BEYOND = {
    # A fisheye is used up to 1.5 rad, where its image is 1.5 focal lengths from the middle.
    "fisheye": ("equidistant", [0.0] * 4, 1.49, 1.51),
    # Its polynomial turns at 1 rad, 0.667 focal lengths from the middle.
    "folding fisheye": ("equidistant", [-1 / 3, 0.0, 0.0, 0.0], 0.66, 0.672),
    # A slope of 1.054 is seen farthest out, at 0.703.
    "folding polynomial": ("plumb_bob", [-0.3, 0.0, 0.0, 0.0, 0.0], 0.69, 0.71),
}


@pytest.mark.parametrize("turn", np.linspace(0.0, 2 * math.pi, 9)[:-1])
@pytest.mark.parametrize("name", BEYOND)
def test_pixels_beyond_the_calibrated_field_have_no_direction(name: str, turn: float) -> None:
    model, d, inside, outside = BEYOND[name]
    camera = CameraModel.of((4000, 4000), model, [1000.0, 0, 2000, 0, 1000, 2000, 0, 0, 1], d)
    way = 1000.0 * np.array([math.cos(turn), math.sin(turn)])
    rays = camera.rays(2000.0 + np.outer([inside, outside, 1.9], way))
    assert np.isfinite(rays[0]).all()
    assert np.isnan(rays[1:]).all()


@pytest.mark.parametrize(
    ("model", "k", "d", "words"),
    [
        ("plumb_bob", [0.0] * 9, [], "not calibrated"),
        ("plumb_bob", [math.nan, *K[1:]], [], "not calibrated"),
        ("plumb_bob", K, [0.1], "with 1 values"),
        ("thin_prism", K, [0.1] * 12, "'thin_prism'"),
        ("none", K, [0.1] * 5, "'none' with 5 values"),
        ("rational_polynomial", K, [0.1] * 9, "rational_polynomial 8/12/14"),
        ("plumb_bob", K, [math.inf, 0, 0, 0, 0], "not numbers"),
    ],
    ids=["all zero", "not a number", "too few", "unknown", "none", "nine", "infinite"],
)
def test_a_camera_info_that_cannot_be_used_is_told(
    model: str, k: list[float], d: list[float], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        CameraModel.of((1280, 720), model, k, d)


@pytest.mark.parametrize(
    ("angles", "ray", "place"),
    [
        ((0.0, 0.0, 0.0), (0.0, 1.0, 1.0), (4.0, 1.0)),
        ((math.pi / 4, 0.0, 0.0), (0.0, 0.0, 1.0), (4.0, 1.0)),
        ((0.0, 0.0, math.pi / 2), (0.0, 1.0, 1.0), (2.0, 3.0)),
        ((0.0, math.pi / 2, 0.0), (1.0, 0.0, 1.0), (4.0, 1.0)),
    ],
    ids=["ahead", "pitched down", "turned left", "rolled right: its right side is below"],
)
def test_rays_meet_the_ground_where_they_should(
    angles: tuple[float, float, float], ray: tuple[float, ...], place: tuple[float, float]
) -> None:
    pose = CameraPose.of_angles((2.0, 1.0, 2.0), *angles)
    np.testing.assert_allclose(pose.on_ground(np.array([ray])), [place], atol=1e-9)


def test_a_quaternion_says_the_same_as_angles() -> None:
    """The optical frame of a camera that looks ahead, as TF usually has it."""
    looks_ahead = CameraPose.of_quaternion((1.0, 0.0, 1.5), (-0.5, 0.5, -0.5, 0.5))
    expected = CameraPose.of_angles((1.0, 0.0, 1.5))
    np.testing.assert_allclose(looks_ahead.rotation, expected.rotation, atol=1e-12)
    points = np.random.default_rng(0).uniform(-5, 5, (10, 3))
    back = looks_ahead.to_optical(points) @ looks_ahead.rotation.T + looks_ahead.position
    np.testing.assert_allclose(back, points)


def test_a_ray_above_the_horizon_meets_no_ground() -> None:
    pose = CameraPose.of_angles((0.0, 0.0, 1.5))
    assert not np.isfinite(pose.on_ground(np.array([[0.0, -0.1, 1.0], [0, 0, 1.0]]))).any()


@pytest.mark.parametrize("pitch", [-0.1, 0.0, 0.2])
def test_the_horizon_tells_the_pitch(pitch: float) -> None:
    camera = CameraModel.of((1280, 720), *MODELS["plumb_bob"][:1], K, MODELS["plumb_bob"][1])
    pose = CameraPose.of_angles((0.0, 0.0, 1.5), pitch)
    far = pose.to_optical(np.array([[1e7, 0.0, 1.5]]))
    row = float(camera.project(far)[0, 1])
    assert pitch_of_horizon(camera, row) == pytest.approx(pitch, abs=1e-3)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: CameraPose.of_angles((0.0, 0.0, 0.0)), "needs more than 0"),
        (lambda: CameraPose.of_quaternion((0, 0, 1.0), (0.0, 0.0, 0.0, 0.0)), "is none"),
    ],
    ids=["in the ground", "no rotation"],
)
def test_a_mounting_that_cannot_be_is_told(make: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make()  # type: ignore[operator]
