# SPDX-License-Identifier: Apache-2.0
"""The ego vehicle is void, never an object or road, and the free space begins in front of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.camera.camera_config import CameraConfig
from panoptic_ros.core.camera.ego_mask import EgoMask, at_map_size, cut_out
from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.drivable.free_space import ego_foot
from panoptic_ros.core.errors import ConfigError, FrameError
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.ground.extrinsics import CameraPose
from panoptic_ros.core.ground.grid import UNKNOWN, Ground
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import VOID, Frame, Panoptic, Segment
from test.drawn.painted_engine import CAR, HEIGHT, WIDTH, PaintedEngine, street

SIZE = (2 * HEIGHT, 2 * WIDTH)


def bonnet() -> NDArray[np.uint8]:
    """A mask over the lowest sixth, higher in the middle."""
    mask = np.zeros(SIZE, np.uint8)
    mask[-16:] = 255
    mask[-24:, 40:90] = 255
    return mask


def written(mask: NDArray[np.uint8], folder: Path) -> CameraConfig:
    path = folder / "mask.png"
    cv2.imwrite(str(path), mask)
    return CameraConfig(ego_mask=str(path))


def seen(image: NDArray[np.uint8], config: CameraConfig) -> Result:
    pipeline = Pipeline(PaintedEngine())
    return pipeline.step(Frame(image, 1), pipeline.new_state(config))


def road(car_x: int = 20) -> NDArray[np.uint8]:
    return street(car_x, width=SIZE[1], height=SIZE[0])


def test_the_own_vehicle_is_void_and_not_drivable_to_its_last_pixel(tmp_path: Path) -> None:
    mask = bonnet()
    result = seen(road(), written(mask, tmp_path))
    own = mask > 0
    assert (result.semantic()[own] == VOID).all()
    assert not result.instance_ids()[own].any()
    assert not result.drivable_mask()[own].any()
    assert not result.confidence()[own].any()


def test_the_surface_begins_in_front_of_it(tmp_path: Path) -> None:
    result = seen(road(), written(bonnet(), tmp_path))
    mask, foot = result.drivable.mask, result.drivable.foot
    assert mask.any()
    columns = np.arange(WIDTH)
    assert mask[foot - 1, columns].all(), "the road goes on above the bonnet's edge"
    assert set(foot.tolist()) == {HEIGHT - 8, HEIGHT - 12}
    assert (result.drivable.boundary < foot - 1).all()
    for column in columns:
        assert mask[result.drivable.boundary[column] + 1 : foot[column], column].all()


def test_without_a_mask_a_bonnet_cuts_the_road_off_and_with_it_does_not(tmp_path: Path) -> None:
    image = road()
    image[bonnet() > 0] = CAR
    assert not seen(image, CameraConfig()).drivable.mask.any()
    assert seen(image, written(bonnet(), tmp_path)).drivable.mask.any()


def test_no_track_is_the_own_vehicle(tmp_path: Path) -> None:
    image = street(20, width=SIZE[1], height=SIZE[0])
    image[52:68, 40:64] = (100, 100, 100)
    # It looks out from under the mask a little.
    image[-20:] = CAR
    mask = np.zeros(SIZE, np.uint8)
    mask[-16:] = 255
    assert len(seen(image, CameraConfig()).tracks) == 1
    result = seen(image, written(mask, tmp_path))
    assert not result.tracks
    assert (result.semantic()[-20:] == VOID).all(), "what looks out is the ego vehicle, too"


def test_corners_and_a_file_say_the_same(tmp_path: Path) -> None:
    mask = np.zeros(SIZE, np.uint8)
    mask[80:] = 255
    by_file = seen(road(), written(mask, tmp_path))
    by_corners = seen(road(), CameraConfig(ego_mask="0,80 127,80 127,95 0,95"))
    assert np.array_equal(by_file.semantic(), by_corners.semantic())


def test_the_mask_is_turned_and_cut_with_the_image(tmp_path: Path) -> None:
    mask = bonnet()
    turned_mask, turned = (np.ascontiguousarray(np.rot90(one, 2)) for one in (mask, road()))
    config = written(turned_mask, tmp_path)
    turned_too = CameraConfig(ego_mask=config.ego_mask, rotation=180)
    result = seen(turned, turned_too)
    assert np.array_equal(result.semantic(), seen(road(), written(mask, tmp_path)).semantic())


def test_a_single_pixel_is_not_lost() -> None:
    mask = np.zeros((1080, 1920), np.uint8)
    mask[777, 1234] = 255
    assert int(at_map_size(mask, (48, 64)).sum()) == 1


def test_objects_keep_what_lies_outside() -> None:
    ids = np.zeros((6, 8), np.uint16)
    ids[0:4, 0:3], ids[1:6, 5:8] = 1, 2
    labels = np.where(ids > 0, 2, 0).astype(np.uint8)
    segments = (Segment(1, 2, 0.9, 12, (0, 0, 3, 4)), Segment(2, 2, 0.8, 15, (5, 1, 8, 6)))
    before = Panoptic(labels, ids, np.full((6, 8), 9, np.uint8), segments)
    ego = np.zeros((6, 8), np.bool_)
    ego[1:4, 0:3] = True
    ego[5] = True
    after = cut_out(before, ego)
    assert after.segments == (Segment(1, 2, 0.8, 12, (5, 1, 8, 5)),)
    assert np.array_equal(after.ids > 0, (ids == 2) & ~ego)
    assert (after.labels[0, :3] == VOID).all(), "three pixels of twelve are no car"
    assert ids[0, 0] == 1, "the map before is not written to"


def test_the_own_vehicle_is_unknown_on_the_grid_and_the_outline_begins_in_front(
    tmp_path: Path,
) -> None:
    camera = CameraModel.of((SIZE[1], SIZE[0]), "plumb_bob", [100, 0, 64, 0, 100, 48, 0, 0, 1], [])
    config = GroundConfig(length_m=20.0, width_m=6.0)
    found = {}
    for name, told in (("with", written(bonnet(), tmp_path)), ("without", CameraConfig())):
        ground = Ground(camera, CameraPose.of_angles((0, 0, 1.5), 0.1), config)
        result = seen(road(60), told)
        boundary = ground.boundary(result.drivable)
        grid = ground.grid(result.panoptic, result.drivable, 1)
        found[name] = float(boundary.foot_m[:, 0].min()), grid.cells
    assert found["with"][0] > found["without"][0] + 0.3
    own = (found["without"][1] == 0) & (found["with"][1] != 0)
    assert own.any()
    assert (found["with"][1][own] == UNKNOWN).all()


def test_a_column_of_the_own_vehicle_has_no_free_space() -> None:
    ego = np.array([[0, 1], [1, 1]], np.bool_)
    assert ego_foot(ego).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("/no/such/mask.png", "cannot be read"),
        (__file__, "has no PNG header"),
        ("1,2 3,4", "has 2 corners, needs at least 3"),
    ],
)
def test_what_is_no_mask_is_refused(words: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        EgoMask(words)
    assert said in str(caught.value)


def test_a_mask_of_everything_is_refused(tmp_path: Path) -> None:
    config = written(np.full(SIZE, 255, np.uint8), tmp_path)
    with pytest.raises(ConfigError, match="covers all of the image"):
        EgoMask(config.ego_mask)


def test_a_mask_of_another_size_refuses_the_image(tmp_path: Path) -> None:
    config = written(bonnet(), tmp_path)
    with pytest.raises(FrameError, match="is for images of 128x96, the image is 64x48"):
        seen(street(20), config)
