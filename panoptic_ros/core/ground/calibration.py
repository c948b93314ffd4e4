# SPDX-License-Identifier: Apache-2.0
"""Intrinsics of a camera from images of a chessboard.

Source: Zhang, A flexible new technique for camera calibration (2000), and for fisheye lenses
Kannala and Brandt, A generic camera model (2006), both as OpenCV implements them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import ConfigError, DataError, counted

PLUMB_BOB = "plumb_bob"
EQUIDISTANT = "equidistant"
MODELS = (PLUMB_BOB, EQUIDISTANT)
"""Distortion models by the names that ROS's CameraInfo has for them."""

LEAST_VIEWS = 3
LEAST_TILT_DEG = 10.0
"""Between two of the views; parallel boards fit any focal length (Zhang, section 3.3)."""

LEAST_MARKERS = 4
_MARKERS = (
    "DICT_4X4_1000",
    "DICT_5X5_1000",
    "DICT_6X6_1000",
    "DICT_7X7_1000",
    "DICT_ARUCO_ORIGINAL",
    "DICT_APRILTAG_16h5",
    "DICT_APRILTAG_25h9",
    "DICT_APRILTAG_36h10",
    "DICT_APRILTAG_36h11",
)
"""Each of the four largest holds the smaller ones of its marker size."""

_CELLS = 10
_Array = NDArray[np.float64]
_Solved = tuple[float, _Array, _Array, _Array, _Array]
_REFINED = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 100, 1e-6)


@dataclass(frozen=True)
class Board:
    """A chessboard.

    Attributes:
        columns: Inner corners along its longer side: one less than its squares.
        rows: Inner corners along the other.
        square_m: Side of a square in metres.

    Raises:
        ConfigError: It has too few corners or no size.
    """

    columns: int
    rows: int
    square_m: float

    def __post_init__(self) -> None:
        if min(self.columns, self.rows) < 3:
            raise ConfigError(
                f"board is {self.columns}x{self.rows}, needs at least 3x3 inner corners (a board "
                "of 10x7 squares has 9x6)"
            )
        if not 0 < self.square_m < 10:
            raise ConfigError(f"square is {self.square_m} m, needs more than 0 and less than 10")

    def points(self) -> NDArray[np.float32]:
        """Its inner corners in its own plane, (columns * rows, 1, 3) float32, in metres."""
        grid = np.zeros((self.rows, self.columns, 3), np.float32)
        grid[..., 0], grid[..., 1] = np.meshgrid(range(self.columns), range(self.rows))
        grid *= np.float32(self.square_m)
        return grid.reshape(-1, 1, 3)


@dataclass(frozen=True, eq=False)
class Intrinsics:
    """How a camera maps directions to pixels.

    Attributes:
        size: (width, height) of its images.
        model: One of ``MODELS``.
        matrix: K, (3, 3) float64, in pixels.
        distortion: (k1, k2, p1, p2, k3) of plumb_bob, (k1, k2, k3, k4) of equidistant.
        projection: P, (3, 4) float64: K of the rectified image and no translation.
        error_px: Root mean square distance of the corners from where the model puts them.
        errors_px: The same for each view.
    """

    size: tuple[int, int]
    model: str
    matrix: NDArray[np.float64]
    distortion: NDArray[np.float64]
    projection: NDArray[np.float64]
    error_px: float = 0.0
    errors_px: tuple[float, ...] = ()


def find_corners(gray: NDArray[np.uint8], board: Board) -> NDArray[np.float32] | None:
    """Find a board's inner corners.

    Args:
        gray: (H, W) uint8.
        board: What to look for; all of it must be in the image.

    Returns:
        Corners in pixels, to a fraction, (columns * rows, 1, 2) float32; None where it is not
        seen.
    """
    flags = cv2.CALIB_CB_NORMALIZE_IMAGE | cv2.CALIB_CB_EXHAUSTIVE | cv2.CALIB_CB_ACCURACY
    found, corners = cv2.findChessboardCornersSB(gray, (board.columns, board.rows), flags=flags)
    return np.asarray(corners, np.float32).reshape(-1, 1, 2) if found else None


def board_size(gray: NDArray[np.uint8]) -> tuple[int, int] | None:
    """Count the inner corners of a board of unknown size.

    Args:
        gray: (H, W) uint8.

    Returns:
        Columns and rows, the larger first; None where no board is seen.
    """
    flags = cv2.CALIB_CB_NORMALIZE_IMAGE | cv2.CALIB_CB_LARGER
    found, _, meta = cv2.findChessboardCornersSBWithMeta(gray, (3, 3), flags)
    if not found or meta is None or meta.ndim != 2:
        return None
    rows, columns = meta.shape
    return max(rows, columns), min(rows, columns)


def has_markers(gray: NDArray[np.uint8]) -> bool:
    """Whether a board carries ArUco markers or AprilTags, as a ChArUco board does.

    Args:
        gray: (H, W) uint8.

    Returns:
        Whether at least ``LEAST_MARKERS`` of one kind are seen; False where this OpenCV cannot
        look for them (before 4.7).
    """
    if not hasattr(getattr(cv2, "aruco", None), "ArucoDetector"):
        return False
    for kind in _MARKERS:
        known = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, kind))
        _, ids, _ = cv2.aruco.ArucoDetector(known).detectMarkers(gray)
        if ids is not None and len(np.unique(ids)) >= LEAST_MARKERS:
            return True
    return False


def calibrate(
    views: Sequence[NDArray[np.float32]],
    board: Board,
    size: tuple[int, int],
    model: str = PLUMB_BOB,
) -> Intrinsics:
    """Find the intrinsics that explain the corners best.

    Args:
        views: Corners of each image, as ``find_corners`` gives them.
        board: The board.
        size: (width, height) of the images.
        model: One of ``MODELS``.

    Raises:
        ConfigError: There is no such model.
        DataError: There are too few views, or they do not determine a camera, as where the board
            is never tilted.
    """
    if model not in MODELS:
        raise ConfigError(f"model is {model!r}, needs one of: {', '.join(MODELS)}")
    if len(views) < LEAST_VIEWS:
        raise DataError(
            f"the whole board is seen in {counted(len(views), 'image')}, at least {LEAST_VIEWS} "
            "are needed, better 15, from different sides and in every part of the image"
        )
    try:
        error, matrix, distortion, turns, places = _solve(views, board, size, model)
    except cv2.error as failure:
        raise DataError(
            f"the {len(views)} views do not determine a camera of model {model} "
            f"({_words(failure)}); take images from more different angles"
        ) from failure
    tilt_deg = _widest_tilt_deg(turns)
    if not tilt_deg >= LEAST_TILT_DEG:
        raise DataError(
            f"the board is tilted by {tilt_deg:.0f} degrees at most between two of the "
            f"{len(views)} views, needs {LEAST_TILT_DEG:.0f}, better 45; take images from more "
            "different angles"
        )
    projection = _projection(matrix, distortion, size, model)
    errors = tuple(
        _error_px(corners, board, model, (matrix, distortion, turn, place))
        for corners, turn, place in zip(views, turns, places, strict=True)
    )
    return Intrinsics(size, model, matrix, distortion.ravel(), projection, float(error), errors)


def undistorted(image: NDArray[np.uint8], intrinsics: Intrinsics) -> NDArray[np.uint8]:
    """Take the lens's distortion out of an image: what is straight in the world becomes straight.

    Args:
        image: (H, W, 3) uint8 of the calibration's size.
        intrinsics: The calibration; its ``projection`` is the camera of the outcome.
    """
    new = intrinsics.projection[:, :3]
    if intrinsics.model == EQUIDISTANT:
        straight = cv2.fisheye.undistortImage(
            image, intrinsics.matrix, intrinsics.distortion, Knew=new
        )
    else:
        straight = cv2.undistort(
            image, intrinsics.matrix, intrinsics.distortion, newCameraMatrix=new
        )
    return np.asarray(straight, np.uint8)


def coverage(views: Sequence[NDArray[np.float32]], size: tuple[int, int]) -> float:
    """Share of the image, 0 to 1, in whose cells a corner was seen; there are 10x10 cells.

    Args:
        views: Corners of each image.
        size: (width, height) of the images.
    """
    corners = np.concatenate([view.reshape(-1, 2) for view in views])
    cells = np.clip(corners / np.asarray(size) * _CELLS, 0, _CELLS - 1).astype(np.intp)
    return len(np.unique(cells, axis=0)) / _CELLS**2


def _error_px(
    corners: NDArray[np.float32],
    board: Board,
    model: str,
    solved: tuple[NDArray[np.float64], ...],
) -> float:
    """Root mean square distance of one view's corners from where the model puts them."""
    matrix, distortion, turn, place = solved
    project = cv2.fisheye.projectPoints if model == EQUIDISTANT else cv2.projectPoints
    told, _ = project(board.points().astype(np.float64), turn, place, matrix, distortion)
    away = np.asarray(told).reshape(-1, 2) - corners.reshape(-1, 2)
    return float(np.sqrt((away**2).sum(axis=1).mean()))


def _solve(
    views: Sequence[NDArray[np.float32]], board: Board, size: tuple[int, int], model: str
) -> _Solved:
    """Error in px, K, distortion, and turn (Rodrigues) and place of the board per view, (N, 3)."""
    points = [board.points()] * len(views)
    if model == EQUIDISTANT:
        flags = cv2.fisheye.CALIB_RECOMPUTE_EXTRINSIC | cv2.fisheye.CALIB_FIX_SKEW
        error, matrix, distortion, turns, places = cv2.fisheye.calibrate(
            points, views, size, np.eye(3), np.zeros((4, 1)), flags=flags, criteria=_REFINED
        )
    else:
        error, matrix, distortion, turns, places = cv2.calibrateCamera(
            points, views, size, np.eye(3), np.zeros((5, 1)), criteria=_REFINED
        )
    return (
        error,
        np.asarray(matrix, np.float64),
        np.asarray(distortion, np.float64),
        np.asarray(turns, np.float64).reshape(-1, 3),
        np.asarray(places, np.float64).reshape(-1, 3),
    )


def _widest_tilt_deg(turns: NDArray[np.float64]) -> float:
    """Largest angle between the planes of the board in two views."""
    normals = np.array([cv2.Rodrigues(turn)[0][:, 2] for turn in turns])
    return float(np.degrees(np.arccos(np.clip((normals @ normals.T).min(), -1.0, 1.0))))


def _projection(
    matrix: NDArray[np.float64],
    distortion: NDArray[np.float64],
    size: tuple[int, int],
    model: str,
) -> NDArray[np.float64]:
    """Camera matrix of the rectified image that shows no invalid pixel."""
    if model == EQUIDISTANT:
        rectified = cv2.fisheye.estimateNewCameraMatrixForUndistortRectify(
            matrix, distortion, size, np.eye(3), balance=0.0
        )
    else:
        rectified, _ = cv2.getOptimalNewCameraMatrix(matrix, distortion, size, 0.0)
    return np.hstack((np.asarray(rectified, np.float64), np.zeros((3, 1))))


def _words(failure: cv2.error) -> str:
    return " ".join(str(failure).split())[:160]
