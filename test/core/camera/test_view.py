# SPDX-License-Identifier: Apache-2.0
"""A part of the camera's image, upright: what the network sees and what results are about."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.camera.camera_config import CameraConfig
from panoptic_ros.core.camera.output_size import resized
from panoptic_ros.core.camera.view import CameraView
from panoptic_ros.core.errors import FrameError
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import Frame
from test.drawn.painted_engine import HEIGHT, WIDTH, PaintedEngine, street

SCALE = 2


def upright() -> NDArray[np.uint8]:
    return street(20, width=SCALE * WIDTH, height=SCALE * HEIGHT)


def seen(image: NDArray[np.uint8], config: CameraConfig) -> Result:
    pipeline = Pipeline(PaintedEngine())
    return pipeline.step(Frame(image, 1), pipeline.new_state(config))


def same(one: Result, other: Result) -> bool:
    maps = [(r.semantic(), r.instance_ids(), r.drivable_mask()) for r in (one, other)]
    boxes = [[track.segment.box for track in r.tracks] for r in (one, other)]
    return boxes[0] == boxes[1] and all(np.array_equal(*pair) for pair in zip(*maps, strict=True))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("is_bgr", [False, True])
def test_a_turned_camera_gives_what_an_upright_one_gives(rotation: int, is_bgr: bool) -> None:
    image = np.ascontiguousarray(np.rot90(upright(), rotation // 90))
    if is_bgr:
        image = np.ascontiguousarray(image[..., ::-1])[..., ::-1]
    result = seen(image, CameraConfig(rotation=rotation))
    expected = seen(upright(), CameraConfig())
    assert same(result, expected)
    assert np.array_equal(result.frame.image, expected.frame.image)
    assert result.frame.whole_size == (image.shape[:2] if rotation else None)


def test_a_region_is_all_that_counts() -> None:
    around = np.full((3 * SCALE * HEIGHT, 2 * SCALE * WIDTH, 3), 255, np.uint8)
    around[10 : 10 + SCALE * HEIGHT, 7 : 7 + SCALE * WIDTH] = upright()
    config = CameraConfig(region=(7, 10, SCALE * WIDTH, SCALE * HEIGHT))
    assert same(seen(around, config), seen(upright(), CameraConfig()))


def test_a_region_is_cut_before_it_is_turned() -> None:
    around = np.zeros((200, 300, 3), np.uint8)
    turned = np.rot90(upright(), 1)
    height, width = turned.shape[:2]
    around[20 : 20 + height, 50 : 50 + width] = turned
    config = CameraConfig(region=(50, 20, width, height), rotation=90)
    assert same(seen(around, config), seen(upright(), CameraConfig()))


def test_a_region_beyond_the_image_is_refused() -> None:
    with pytest.raises(FrameError, match="region 100,0,64,8 reaches beyond the image of 128x96"):
        seen(upright(), CameraConfig(region=(100, 0, 64, 8)))


@pytest.mark.parametrize(
    ("config", "size"),
    [
        (CameraConfig(), (96, 128)),
        (CameraConfig(output_size=(320, 240)), (240, 320)),
        (CameraConfig(is_network_size=True), (48, 64)),
        (CameraConfig(output_size=(33, 17)), (17, 33)),
    ],
    ids=["as the camera", "larger", "as the network", "odd"],
)
def test_all_views_have_the_size_that_was_asked_for(
    config: CameraConfig, size: tuple[int, int]
) -> None:
    result = resized(seen(upright(), config), config)
    assert result.camera_size == result.semantic().shape == result.drivable_mask().shape == size
    (car,) = result.instances()
    rows, columns = np.nonzero(result.instance_ids() == car.id)
    assert car.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert (result.frame.whole_size or result.camera_size) == (96, 128)


def test_at_the_networks_size_maps_are_handed_on_as_they_are() -> None:
    result = seen(upright(), CameraConfig())
    small = resized(result, CameraConfig(is_network_size=True))
    assert np.array_equal(small.semantic(), result.track_labels())


def test_an_image_that_is_looked_at_is_shrunk_and_another_is_not() -> None:
    config = CameraConfig(output_size=(WIDTH, HEIGHT))
    result = seen(upright(), config)
    assert np.array_equal(resized(result, config).frame.image, street(20))
    assert resized(result, config, needs_image=False).frame.image.strides[0] == 0


def test_another_part_starts_tracks_anew_and_another_mask_does_not() -> None:
    pipeline = Pipeline(PaintedEngine())
    state = pipeline.new_state()
    first = pipeline.step(Frame(upright(), 1), state).tracks[0].id
    state.look_through(CameraView(CameraConfig(ego_mask="0,90 60,90 60,95")))
    assert pipeline.step(Frame(upright(), 2), state).tracks[0].id == first
    state.look_through(CameraView(CameraConfig(rotation=180)))
    turned = np.ascontiguousarray(np.rot90(upright(), 2))
    assert pipeline.step(Frame(turned, 3), state).tracks[0].id != first
