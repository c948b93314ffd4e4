# SPDX-License-Identifier: Apache-2.0
"""Labels of points against scenes whose every ray is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.clouds.cloud import LabelledCloud, PointCloud
from panoptic_ros.core.clouds.labelling import label_cloud
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.types import VOID
from test.drawn.drawn_cloud import CAMERA, CARS, WALL, Box, Scene
from test.drawn.drawn_result import CAR, ROAD, SKY

SCENES = {
    "cars": CARS,
    "queue": tuple(Box(7.0 + 6.0 * place, 0.5 - 0.4 * place) for place in range(6)),
    "wall alone": (),
    "person before car": (Box(8.0, 0.3, 0.4, 0.5, 1.7), Box(12.0, 0.0)),
}


@pytest.fixture(params=SCENES.values(), ids=SCENES)
def scene(request: pytest.FixtureRequest) -> Scene:
    return Scene(request.param)


@cache
def _drawn(boxes: tuple[Box, ...]) -> tuple[LabelledCloud, NDArray[np.intp]]:
    scene = Scene(boxes)
    cloud, hit = scene.cloud()
    return label_cloud(cloud, scene.result(), CAMERA, scene.camera_from_cloud), hit


def labelled(scene: Scene) -> tuple[LabelledCloud, NDArray[np.intp]]:
    """A cloud of a scene, labelled, and what its points lie on."""
    return _drawn(scene.boxes)


def truth(scene: Scene, hit: NDArray[np.intp]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Class and track id of what every point lies on."""
    classes = np.array([SKY, ROAD, WALL, *[CAR] * len(scene.boxes)], np.uint8)
    return classes[hit], np.where(hit > 2, hit + 7, 0)


def is_shown(scene: Scene, found: LabelledCloud, hit: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether the point is in view, and its pixel shows what it lies on."""
    classes, ids = truth(scene, hit)
    shown = np.zeros(len(hit), np.bool_)
    index, pixels = found.view.index, found.view.pixels
    is_class = found.result.track_labels().ravel()[pixels] == classes[index]
    shown[index] = is_class & (found.result.track_ids().ravel()[pixels] == ids[index])
    return shown


def test_what_the_camera_sees_has_its_exact_label(scene: Scene) -> None:
    found, hit = labelled(scene)
    seen = (scene.behind_m(found.cloud) == 0) & is_shown(scene, found, hit)
    classes, ids = truth(scene, hit)
    assert seen.sum() > 10_000
    assert (found.labels[seen] == classes[seen]).all()
    assert (found.ids[seen] == ids[seen]).all()


def test_hidden_points_do_not_get_the_object_that_hides_them(scene: Scene) -> None:
    found, hit = labelled(scene)
    _, ids = truth(scene, hit)
    hidden = scene.behind_m(found.cloud) > 0.5
    wrong = hidden & (found.ids > 0) & (found.ids != ids)
    assert hidden[found.view.index].any() == bool(scene.boxes)
    assert wrong.sum() == 0


def test_what_is_seen_through_windows_is_not_the_car() -> None:
    scene = Scene(tuple(replace(car, window=(0.9, 1.3)) for car in CARS))
    found, hit = labelled(scene)
    through = (found.result.track_ids().ravel()[found.view.pixels] > 0) & (
        hit[found.view.index] == 2
    )
    assert through.sum() > 20
    assert not found.ids[found.view.index[through]].any()


def test_points_out_of_view_are_void(scene: Scene) -> None:
    found, _ = labelled(scene)
    out = np.ones(len(found.cloud), np.bool_)
    out[found.view.index] = False
    assert out.any()
    assert (found.labels[out] == VOID).all()
    assert not found.ids[out].any()
    assert not found.confidence[out].any()


def test_confidence_is_that_of_the_pixel() -> None:
    found, _ = labelled(Scene())
    assert set(found.confidence[found.labels != VOID].tolist()) == {220}
    assert set(found.confidence[found.labels == VOID].tolist()) == {0}


def test_points_behind_the_camera_and_no_numbers_are_void() -> None:
    scene = Scene()
    points = np.array(
        [[-9.0, 0.2, -1.0], [np.nan, 0, 0], [np.inf, 0, 0], [7.0, 0.2, -1.0], [0, 0, 0]],
        np.float32,
    )
    cloud = PointCloud(points, np.zeros(5, np.float32), (1, 5), scene.stamp_ns)
    found = label_cloud(cloud, scene.result(), CAMERA, scene.camera_from_cloud)
    assert found.labels.tolist() == [VOID, VOID, VOID, CAR, VOID]


def test_an_empty_cloud_stays_empty() -> None:
    cloud = PointCloud(np.zeros((0, 3), np.float32), np.zeros(0, np.float32), (1, 0), 0)
    found = label_cloud(cloud, Scene(step=4).result(), CAMERA, Scene().camera_from_cloud)
    assert found.labels.shape == (0,)


@pytest.mark.parametrize(
    ("model", "distortion"),
    [("plumb_bob", (-0.3, 0.1, 0.001, -0.002, 0.0)), ("equidistant", (-0.02, 0.003, 0.0, 0.0))],
)
def test_distorted_cameras_look_up_the_pixel_that_shows_the_point(
    model: str, distortion: tuple[float, ...]
) -> None:
    camera = CameraModel.of(CAMERA.size, model, CAMERA.matrix.ravel(), distortion)
    scene = Scene()
    drawn = labelled(scene)[0]
    found = label_cloud(drawn.cloud, drawn.result, camera, scene.camera_from_cloud)
    body = found.cloud.points[found.view.index] + scene.lidar_m
    optical = body @ scene.camera_from_cloud[:3, :3].T
    height, width = found.view.size
    pixels = (camera.project(optical) + 0.5) * (width / camera.size[0], height / camera.size[1])
    row, column = np.divmod(found.view.pixels, width)
    assert len(found.view) > 5000
    assert np.abs(column + 0.5 - pixels[:, 0]).max() < 0.51
    assert np.abs(row + 0.5 - pixels[:, 1]).max() < 0.51


def test_motion_between_the_stamps_moves_the_points() -> None:
    scene = Scene()
    still, _ = labelled(scene)
    cloud = still.cloud
    drive = np.eye(4)
    drive[2, 3] = -1.0  # the camera is a metre farther ahead when it sees the scene
    late = PointCloud(cloud.points + np.float32([1, 0, 0]), cloud.intensity, cloud.shape, 0)
    moved = label_cloud(late, still.result, CAMERA, drive @ scene.camera_from_cloud)
    assert (moved.labels != still.labels).mean() < 1e-3
