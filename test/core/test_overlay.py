# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.overlay import DRIVABLE_COLOR, OverlayStyle, draw_overlay, track_color
from test.drawn.drawn_result import LABELS, SKY, drawn_result

PLAIN = OverlayStyle(names=False, outlines=False, drivable_edge=False)
PICTURE = (100, 110, 120)


def _has(part: NDArray[np.uint8], color: tuple[int, int, int]) -> bool:
    return bool((np.abs(part.astype(int) - color).max(axis=2) <= 2).any())


@pytest.mark.parametrize("mirrored", [False, True], ids=["rgb", "bgr view"])
def test_class_colors_cover_the_image_by_their_opacity(mirrored: bool) -> None:
    style = OverlayStyle(0.5, names=False, outlines=False, drivable_edge=False)
    overlay = draw_overlay(drawn_result(mirrored=mirrored), LABELS, style)
    sky = np.array(LABELS.labels[SKY].color)
    assert np.abs(overlay[14, 40] - (np.array(PICTURE) + sky) / 2).max() <= 2


def test_void_shows_the_image_as_it_is() -> None:
    overlay = draw_overlay(drawn_result(), LABELS, PLAIN)
    assert np.abs(overlay[0, 0].astype(int) - PICTURE).max() <= 1


def test_the_frame_is_not_touched() -> None:
    result = drawn_result()
    draw_overlay(result, LABELS)
    assert (result.frame.image == PICTURE).all()


def test_objects_are_outlined_in_the_color_of_their_number() -> None:
    result = drawn_result(scale=40)
    overlay = draw_overlay(result, LABELS, OverlayStyle(names=False, drivable_edge=False))
    for track in result.tracks:
        x0, y0, x1, y1 = (40 * edge for edge in track.segment.box)
        assert _has(overlay[y0:y1, x0:x1], track_color(track.id))


def test_the_edge_of_the_drivable_surface_is_drawn_but_not_along_the_border() -> None:
    style = OverlayStyle(names=False, outlines=False)
    overlay = draw_overlay(drawn_result(scale=40), LABELS, style)
    assert _has(overlay[320:360], DRIVABLE_COLOR)
    assert not _has(overlay[-20:], DRIVABLE_COLOR)


def test_names_stay_inside_of_the_image() -> None:
    with_names = draw_overlay(drawn_result(scale=8), LABELS)
    without = draw_overlay(drawn_result(scale=8), LABELS, OverlayStyle(names=False))
    assert with_names.shape == (128, 192, 3)
    assert (with_names != without).any()


@pytest.mark.parametrize("scale", [1, 40], ids=["one to one", "large"])
def test_any_camera_size_can_be_drawn_on(scale: int) -> None:
    assert draw_overlay(drawn_result(scale), LABELS).shape == (16 * scale, 24 * scale, 3)


def test_neighbouring_numbers_have_colors_apart() -> None:
    for number in range(1, 200):
        difference = np.array(track_color(number), int) - track_color(number + 1)
        assert np.abs(difference).max() > 60
