# SPDX-License-Identifier: Apache-2.0
"""A camera that is known comes back from the corners that it sees."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.core.ground.calibration import (
    EQUIDISTANT,
    PLUMB_BOB,
    Board,
    calibrate,
    coverage,
    find_corners,
    undistorted,
)

SIZE = (640, 480)
BOARD = Board(9, 6, 0.025)
MATRIX = np.array([[600.0, 0, 330], [0, 590, 250], [0, 0, 1]])
DISTORTION = {
    PLUMB_BOB: np.array([-0.25, 0.08, 0.001, -0.002, 0.0]),
    EQUIDISTANT: np.array([0.05, -0.01, 0.004, -0.001]),
}


def poses() -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Rotation vectors and positions of the board in ten images, all within the image."""
    draw = np.random.default_rng(3)
    return [
        (draw.uniform(-0.4, 0.4, 3), np.array([-0.1, -0.06, 0.4]) + draw.uniform(-0.02, 0.02, 3))
        for _ in range(10)
    ]


def seen(model: str) -> list[NDArray[np.float32]]:
    """Corners of every pose, exact to float32."""
    project = cv2.fisheye.projectPoints if model == EQUIDISTANT else cv2.projectPoints
    points = BOARD.points().astype(np.float64)
    views = []
    for rotation, position in poses():
        corners, _ = project(points, rotation, position, MATRIX, DISTORTION[model])
        views.append(np.asarray(corners, np.float32).reshape(-1, 1, 2))
    return views


def painted(rotation: NDArray[np.float64], position: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Image of the board through a lens without distortion."""
    square_px = 40
    squares = np.indices((BOARD.rows + 1, BOARD.columns + 1)).sum(0) % 2 * 255
    flat = np.kron(squares, np.ones((square_px, square_px))).astype(np.uint8)
    flat = np.pad(flat, square_px, constant_values=255)
    # An image's pixel (2, 2) squares from its corner is the first inner corner of the board.
    scale = BOARD.square_m / square_px
    to_board = np.array(
        [[scale, 0, -2 * BOARD.square_m], [0, scale, -2 * BOARD.square_m], [0, 0, 1]]
    )
    turned, _ = cv2.Rodrigues(rotation)
    to_image = MATRIX @ np.column_stack((turned[:, :2], position)) @ to_board
    image = cv2.warpPerspective(flat, to_image, SIZE, borderValue=200)
    return np.asarray(image, np.uint8)


@pytest.mark.parametrize("model", [PLUMB_BOB, EQUIDISTANT])
def test_exact_corners_give_the_camera_back(model: str) -> None:
    made = calibrate(seen(model), BOARD, SIZE, model)
    np.testing.assert_allclose(made.matrix, MATRIX, atol=0.5)
    np.testing.assert_allclose(made.distortion[:2], DISTORTION[model][:2], atol=0.01)
    assert made.error_px < 0.01
    assert made.projection.shape == (3, 4)


def test_painted_boards_give_the_camera_back() -> None:
    views = [find_corners(painted(*pose), BOARD) for pose in poses()]
    assert all(view is not None for view in views)
    made = calibrate([view for view in views if view is not None], BOARD, SIZE)
    np.testing.assert_allclose(made.matrix[[0, 1], [0, 1]], (600, 590), rtol=0.01)
    assert made.error_px < 0.3


def test_an_image_without_the_board_has_no_corners() -> None:
    assert find_corners(np.full((480, 640), 128, np.uint8), BOARD) is None


@pytest.mark.parametrize(
    ("board", "words"),
    [((2, 6, 0.1), "at least 3x3"), ((9, 6, 0.0), "more than 0"), ((9, 6, 25.0), "less than 10")],
    ids=["small", "no size", "millimetres"],
)
def test_a_board_that_cannot_be_is_refused(board: tuple[int, int, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Board(*board)


def test_too_few_views_are_refused() -> None:
    with pytest.raises(DataError, match="the whole board is seen in 2 images, at least 3"):
        calibrate(seen(PLUMB_BOB)[:2], BOARD, SIZE)


def test_views_that_determine_nothing_are_refused() -> None:
    # A fisheye camera cannot be told from boards that all lie parallel to its image.
    corners = np.asarray(BOARD.points()[..., :2] * 4000, np.float32)
    with pytest.raises(DataError, match="do not determine a camera of model equidistant"):
        calibrate([corners] * 3, BOARD, SIZE, EQUIDISTANT)


@pytest.mark.parametrize("model", [PLUMB_BOB, EQUIDISTANT])
def test_a_board_that_is_never_tilted_is_refused_although_it_fits(model: str) -> None:
    draw = np.random.default_rng(5)
    flat = BOARD.points()[..., :2]
    views = [
        flat * scale + draw.uniform(20, 120, 2) + draw.normal(0, 0.1, flat.shape)
        for scale in (1500.0, 1700.0, 1900.0, 2100.0, 2300.0)
    ]
    with pytest.raises(DataError, match="more different angles"):
        calibrate([np.asarray(view, np.float32) for view in views], BOARD, SIZE, model)


def test_another_model_is_refused() -> None:
    with pytest.raises(ConfigError, match="one of: plumb_bob, equidistant"):
        calibrate(seen(PLUMB_BOB), BOARD, SIZE, "pinhole")


@pytest.mark.parametrize("model", [PLUMB_BOB, EQUIDISTANT])
def test_the_error_of_each_view_adds_up_to_that_of_all(model: str) -> None:
    views = seen(model)
    views[3] = views[3] + np.float32(2) * np.sin(np.arange(54, dtype=np.float32)).reshape(-1, 1, 1)
    made = calibrate(views, BOARD, SIZE, model)
    assert int(np.argmax(made.errors_px)) == 3
    assert np.sqrt(np.mean(np.square(made.errors_px))) == pytest.approx(made.error_px, rel=0.05)


@pytest.mark.parametrize("model", [PLUMB_BOB, EQUIDISTANT])
def test_an_undistorted_image_shows_rows_of_corners_straight(model: str) -> None:
    made = calibrate(seen(model), BOARD, SIZE, model)
    dots = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    row = seen(model)[0].reshape(6, 9, 2)[0]
    for x, y in np.rint(row * 16).astype(int).tolist():
        cv2.circle(dots, (x, y), 48, (255, 255, 255), -1, cv2.LINE_AA, 4)
    straight = undistorted(dots, made)[..., 0]
    _, _, _, centres = cv2.connectedComponentsWithStats((straight > 60).astype(np.uint8))
    points = centres[1:]
    assert len(points) == 9
    middle = points - points.mean(axis=0)
    _, spread, _ = np.linalg.svd(middle)
    assert spread[1] / np.sqrt(9) < 0.3


def test_coverage_counts_the_cells_with_a_corner() -> None:
    one = np.array([[[0.0, 0.0]], [[639.0, 479.0]], [[639.0, 478.0]]], np.float32)
    assert coverage([one], SIZE) == pytest.approx(0.02)
