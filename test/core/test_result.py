# SPDX-License-Identifier: Apache-2.0
"""The views of one result agree with each other, pixel by pixel, at camera size."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from panoptic_ros.core.classes.labels import Label, LabelSet
from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files import rle
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.ground.extrinsics import camera_pose_of
from panoptic_ros.core.ground.grid import Ground
from panoptic_ros.core.overlay import OverlayStyle, draw_overlay
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import VOID, Drivable, Frame, Track
from test.drawn.drawings import CAR, LABELS, PERSON, ROAD, scene

PICTURE = scene("ssssss", "s11ss2", "r11rr2", "rrr..2", classes={2: PERSON})


def result(camera: tuple[int, int] = (8, 12), tracks: tuple[Track, ...] | None = None) -> Result:
    """Give a result of a 4x6 map, object 1 as track 70, object 2 as track 9 and voted a car."""
    car, person = PICTURE.segments
    default = (Track(9, person, CAR, 0.5, 0), Track(70, car, CAR, 0.8, 0))
    drivable = Drivable(PICTURE.labels == ROAD, PICTURE.confidence, np.zeros(6, np.int32))
    frame = Frame(np.zeros((*camera, 3), np.uint8), 0)
    return Result(frame, PICTURE, default if tracks is None else tracks, drivable, {}, LABELS)


@pytest.mark.parametrize("size", [(12, 9), (24, 16), (8, 12)], ids=str)
def test_the_ground_of_images_of_another_size_is_refused(size: tuple[int, int]) -> None:
    camera = CameraModel.of(size, "plumb_bob", [10.0, 0, 6, 0, 10.0, 4, 0, 0, 1], [])
    config = GroundConfig(camera_height_m=1.4)
    seen = result((8, 12))
    fitting = replace(camera, size=(12, 8))
    for use in (seen.grid, seen.ground_boundary):
        use(Ground(fitting, camera_pose_of(fitting, config), config))
        words = f"calibration is for {size[0]}x{size[1]}, the image is 12x8; needs"
        with pytest.raises(ConfigError, match=words):
            use(Ground(camera, camera_pose_of(camera, config), config))


def test_what_is_no_ground_is_refused() -> None:
    seen = result()
    for use in (seen.grid, seen.ground_boundary):
        with pytest.raises(ConfigError, match=r"str is no Ground; ground_of makes one"):
            use("camera.yaml")  # type: ignore[operator]


SIZES = pytest.mark.parametrize("camera", [(8, 12), (4, 6), (7, 11), (2, 3)], ids=str)


def test_the_pieces_of_one_object_are_one_instance_of_one_class() -> None:
    car, person = PICTURE.segments
    whole = replace(car, area=car.area + person.area, box=(1, 1, 6, 4))
    seen = result((4, 6), (Track(7, whole, CAR, 0.8, 0, pieces=(person.id,)),))
    np.testing.assert_array_equal(seen.track_ids() == 7, PICTURE.ids > 0)
    assert set(seen.track_labels()[PICTURE.ids > 0].tolist()) == {CAR}
    assert [(one.id, int(one.mask.sum())) for one in seen.instances()] == [(7, whole.area)]


@SIZES
def test_masks_boxes_and_ids_agree(camera: tuple[int, int]) -> None:
    seen = result(camera)
    ids = seen.instance_ids()
    assert [instance.id for instance in seen.instances()] == [9, 70]
    for instance in seen.instances():
        np.testing.assert_array_equal(instance.mask, ids == instance.id)
        rows, columns = np.nonzero(instance.mask)
        x0, y0, x1, y1 = instance.box
        assert (x0, y0) == (columns.min(), rows.min())
        assert (x1, y1) == (columns.max() + 1, rows.max() + 1)
        assert instance.area == np.count_nonzero(ids == instance.id)


@SIZES
def test_both_channels_are_class_and_id(camera: tuple[int, int]) -> None:
    seen = result(camera)
    pairs = seen.two_channel()
    assert pairs.shape == (*camera, 2)
    np.testing.assert_array_equal(pairs[..., 0], seen.semantic())
    np.testing.assert_array_equal(pairs[..., 1], seen.instance_ids())


def test_the_png_gives_classes_and_large_ids_back() -> None:
    car, person = PICTURE.segments
    seen = result(tracks=(Track(40_000, car, CAR, 0.8, 0), Track(65_535, person, CAR, 0.5, 0)))
    blue_first = cv2.imdecode(np.frombuffer(seen.two_channel_png(), np.uint8), -1)
    label, high, low = (blue_first[..., 2 - channel].astype(int) for channel in range(3))
    np.testing.assert_array_equal(label, seen.semantic())
    np.testing.assert_array_equal(high * 256 + low, seen.instance_ids())


def test_an_object_has_its_voted_class_in_every_view() -> None:
    seen = result()
    masks = {instance.id: instance.mask for instance in seen.instances()}
    assert set(seen.semantic()[masks[9]].tolist()) == {CAR}
    assert seen.counts() == {"car": 2}
    assert [entry["category_id"] for entry in seen.to_coco()] == [CAR, CAR]


def test_an_object_that_is_not_tracked_keeps_its_class_and_is_no_instance() -> None:
    seen = result(tracks=())
    assert seen.instances() == ()
    assert seen.counts() == {}
    assert not seen.instance_ids().any()
    assert (seen.semantic() == PERSON).any()


def test_an_object_without_a_pixel_at_camera_size_is_no_instance() -> None:
    assert [instance.id for instance in result((1, 2)).instances()] == [70]


def test_void_stays_void() -> None:
    assert result().semantic()[6, 7] == VOID


def test_boxes_come_half_open_and_by_their_midpoint() -> None:
    car = result().instances()[1]
    assert car.box == (2, 2, 6, 6)
    assert car.box_midpoint == (4.0, 4.0, 4.0, 4.0)


def test_coco_entries_carry_the_mask() -> None:
    seen = result()
    entries = seen.to_coco(image_id=5)
    for entry, instance in zip(entries, seen.instances(), strict=True):
        height, width = entry["segmentation"]["size"]
        mask = rle.decode(entry["segmentation"]["counts"], (height, width))
        np.testing.assert_array_equal(mask, instance.mask)
        x0, y0, x1, y1 = instance.box
        assert entry["bbox"] == [x0, y0, x1 - x0, y1 - y0]
        assert (entry["image_id"], entry["track_id"]) == (5, instance.id)
        assert entry["probabilities"] == instance.probabilities


def test_an_instance_names_the_classes_that_it_may_be() -> None:
    car, person = PICTURE.segments
    divided = Track(9, person, CAR, 0.5, 0, votes=((CAR, 0.5), (PERSON, 0.5)))
    first, sure = result(tracks=(divided, Track(70, car, CAR, 1.0, 0))).instances()
    assert first.probabilities == {"car": 0.5, "person": 0.5}
    assert sure.probabilities == {"car": 1.0}


def test_a_class_that_is_called_void_keeps_the_sum() -> None:
    named = LabelSet("odd", (Label(0, "void", True, False, (0, 0, 0)),))
    assert named.named_probabilities({0: 0.75, VOID: 0.25}) == {"void": 1.0}


def test_a_class_without_a_name_is_called_by_its_number() -> None:
    plain = result()
    nameless = Result(plain.frame, plain.panoptic, plain.tracks, plain.drivable)
    assert nameless.counts() == {f"class {CAR}": 2}


def test_what_has_no_class_is_called_void() -> None:
    assert [LABELS.name_of(value) for value in (CAR, 254, VOID)] == ["car", "class 254", "void"]


def test_its_words_fit_into_a_line() -> None:
    assert repr(result()) == "<Result 12x8 at 0.000 s: car 2; 25 % drivable>"
    nothing = result(tracks=())
    assert repr(nothing) == "<Result 12x8 at 0.000 s: no objects; 25 % drivable>"
    assert repr(nothing.frame) == "<Frame 12x8 at 0.000 s>"
    assert repr(result().instances()[1]) == "<Instance 70 car 0.80 at (2, 2, 6, 6)>"


def test_a_plot_is_the_overlay_of_the_topic() -> None:
    seen = result((64, 96))
    np.testing.assert_array_equal(seen.plot(), draw_overlay(seen, LABELS))
    plain = seen.plot(OverlayStyle(opacity=0.0, names=False, outlines=False, drivable_edge=False))
    np.testing.assert_array_equal(plain, seen.frame.image)
