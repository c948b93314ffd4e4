# SPDX-License-Identifier: Apache-2.0
"""The camera that a CameraInfo is about, also where it sends a part of its pixels."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.messages.camera_info import (
    beside,
    camera_model,
    fits,
    for_topic,
    image_size,
)

K = [500.0, 0.0, 320.0, 0.0, 510.0, 180.0, 0.0, 0.0, 1.0]


def region(x: int = 0, y: int = 0, width: int = 0, height: int = 0) -> Any:
    return SimpleNamespace(x_offset=x, y_offset=y, width=width, height=height)


def info(**other: Any) -> Any:
    fields = {
        "width": 640,
        "height": 360,
        "distortion_model": "plumb_bob",
        "d": [],
        "k": K,
        "binning_x": 0,
        "binning_y": 0,
        "roi": region(),
    }
    return SimpleNamespace(**{**fields, **other})


def intrinsics(told: Any, size: tuple[int, int]) -> list[float]:
    """fx, fy, cx, cy of the camera of images of a size."""
    matrix = camera_model(told, size).matrix
    return [float(matrix[at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2))]


CASES = {
    "whole": (info(), (360, 640), [500, 510, 320, 180]),
    "binning of 1": (info(binning_x=1, binning_y=1), (360, 640), [500, 510, 320, 180]),
    "binned": (info(binning_x=2, binning_y=4), (90, 320), [250, 127.5, 160, 45]),
    "cut": (info(roi=region(100, 40, 400, 200)), (200, 400), [500, 510, 220, 140]),
    "cut and binned": (
        info(binning_x=2, binning_y=2, roi=region(100, 40, 400, 200)),
        (100, 200),
        [250, 255, 110, 70],
    ),
    "scaled by the driver": (info(binning_x=2, binning_y=2), (360, 640), [500, 510, 320, 180]),
}


@pytest.mark.parametrize("case", CASES)
def test_focal_length_and_middle_follow_binning_and_region(case: str) -> None:
    told, size, expected = CASES[case]
    assert intrinsics(told, size) == expected
    assert fits(told, size)


def test_pixels_of_a_binned_camera_look_where_the_full_ones_do() -> None:
    full, binned = camera_model(info(), (360, 640)), camera_model(CASES["binned"][0], (90, 320))
    pixels = np.array([[10.0, 8.0], [300.0, 80.0]])
    np.testing.assert_allclose(binned.rays(pixels), full.rays(pixels * (2, 4)), atol=1e-9)


def test_another_size_is_named() -> None:
    told = info(binning_x=2, binning_y=2)
    assert image_size(told) == (180, 320)
    with pytest.raises(ConfigError, match="camera_info is for 320x180, the image is 300x200"):
        camera_model(told, (200, 300))


def test_the_matrices_of_ros_1_are_read() -> None:
    told = info(D=[0.1, 0.0, 0.0, 0.0, 0.0], K=K)
    del told.k, told.d
    camera = camera_model(told, (360, 640))
    assert (camera.matrix[0, 0], camera.distortion[0]) == (500.0, 0.1)


@pytest.mark.parametrize("transport", ["compressed", "ffmpeg", "foxglove", "theora"])
def test_the_camera_info_lies_beside_the_image_whatever_the_transport(transport: str) -> None:
    assert beside(f"/cam/image_raw/{transport}") == "/cam/camera_info"


P = [450.0, 0.0, 310.0, -45.0, 0.0, 460.0, 170.0, 0.0, 0.0, 0.0, 1.0, 0.0]
TILT = [0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8]


def shared(**other: Any) -> Any:
    """What lies beside raw and rectified images of one camera."""
    d = np.array([-0.3, 0.1, 0.0, 0.0, 0.0])
    return info(d=d, r=np.array(TILT), p=np.array(P), **other)


@pytest.mark.parametrize(
    "topic", ["/cam/image_rect", "/cam/image_rect_color", "/cam/image_rect/compressed"]
)
@pytest.mark.parametrize("model", ["plumb_bob", "equidistant"])
def test_rectified_images_have_the_camera_of_the_projection(topic: str, model: str) -> None:
    camera = camera_model(for_topic(shared(distortion_model=model), topic), (360, 640))
    assert (camera.model, camera.distortion.size) == ("plumb_bob", 0)
    np.testing.assert_array_equal(camera.matrix, np.array(P).reshape(3, 4)[:, :3])


def test_rectified_images_are_not_turned_against_their_optical_frame() -> None:
    told = for_topic(shared(), "/cam/image_rect")
    np.testing.assert_array_equal(told.r, np.eye(3).ravel())
    np.testing.assert_array_equal(told.p, P)


@pytest.mark.parametrize(
    "topic",
    ["/cam/image_raw", "/image_rect/image", "/cam/image_raw/compressed", "/compressed", "image"],
)
def test_other_images_have_the_camera_info_as_it_is(topic: str) -> None:
    told = shared()
    assert for_topic(told, topic) is told


def test_a_projection_that_is_not_filled_in_changes_nothing() -> None:
    told = info(p=np.zeros(12))
    assert for_topic(told, "/cam/image_rect") is told


def test_the_shared_camera_info_stays_as_it_was() -> None:
    told = shared()
    for_topic(told, "/cam/image_rect")
    assert list(told.k) == K
    assert list(told.r) == TILT


def test_rectified_images_of_ros_1_have_the_projections_camera_too() -> None:
    told = info(D=np.array([0.1] * 5), K=np.array(K), R=np.array(TILT), P=np.array(P))
    del told.k, told.d
    camera = camera_model(for_topic(told, "/cam/image_rect"), (360, 640))
    assert (camera.matrix[0, 0], camera.distortion.size) == (450.0, 0)


def test_a_region_of_rectified_images_is_cut_from_the_projection() -> None:
    told = shared(binning_x=2, binning_y=2, roi=region(100, 40, 400, 200))
    rectified = for_topic(told, "/cam/image_rect")
    assert intrinsics(rectified, (100, 200)) == [225, 230, 105, 65]
