# SPDX-License-Identifier: Apache-2.0
"""Draw a result over its image, for people: topic, report and film show the same."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.parameters import param
from panoptic_ros.core.types import Box, Drivable, Frame, Panoptic, Track

Color = tuple[int, int, int]

DRIVABLE_COLOR: Color = (60, 255, 120)
_FONT = cv2.FONT_HERSHEY_DUPLEX
_FRACTION_BITS = 4
_REFERENCE_HEIGHT_PX = 720


class DrawnResult(Protocol):
    """What is drawn: a ``Result``, which has ``plot`` and therefore cannot be named here."""

    @property
    def frame(self) -> Frame:
        """The image."""

    @property
    def panoptic(self) -> Panoptic:
        """Labels and segment ids, at map size."""

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The objects."""

    @property
    def drivable(self) -> Drivable:
        """The surface, at map size."""

    @property
    def camera_size(self) -> tuple[int, int]:
        """(height, width) of the image."""

    def camera_box(self, track: Track) -> Box:
        """Box of a track in camera pixels."""

    def track_labels(self) -> NDArray[np.uint8]:
        """Class index of every pixel, at map size."""


@dataclass(frozen=True)
class OverlayStyle:
    """How the overlay looks."""

    opacity: float = param(
        0.45, "How much of a class's colour covers the image.", low=0.0, high=1.0
    )
    names: bool = param(True, "Write number and class at every object.")
    outlines: bool = param(True, "Draw the outline of every object.")
    drivable_edge: bool = param(True, "Draw the edge of the drivable surface.")


def draw_overlay(
    result: DrawnResult, labels: LabelSet, style: OverlayStyle | None = None
) -> NDArray[np.uint8]:
    """Draw labels, objects with their numbers, and the drivable edge over the image.

    Args:
        result: One frame's result.
        labels: Classes of the model.
        style: What to draw.

    Returns:
        RGB, (H, W, 3) uint8 at camera size, contiguous; the frame is not touched.
    """
    style = style or OverlayStyle()
    canvas = _tinted(result, labels, style.opacity)
    if style.drivable_edge:
        _draw_edge(canvas, result)
    if style.outlines:
        for track in result.tracks:
            _draw_outline(canvas, result, track)
    if style.names:
        for track in sorted(result.tracks, key=lambda entry: entry.segment.area):
            _draw_name(canvas, result, labels, track)
    return canvas


@lru_cache(maxsize=4096)
def track_color(track_id: int) -> Color:
    """Bright colour of a track, far from those of the tracks before and after it.

    >>> track_color(1) == track_color(1)
    True
    """
    hue = track_id * 0.618034 % 1.0
    saturation = 0.55 + 0.35 * (track_id % 3) / 2
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


def _tinted(result: DrawnResult, labels: LabelSet, opacity: float) -> NDArray[np.uint8]:
    """Image under its class colours; void stays as it is."""
    height, width = result.camera_size
    values = result.track_labels()
    weight = np.full(256, round(255 * opacity), np.uint8)
    weight[len(labels) :] = 0
    color = (labels.palette.astype(np.float32) * opacity).round().astype(np.uint8)
    # Both maps are enlarged smoothly: classes then blend over the one map pixel at their border.
    paint = cv2.resize(color[values], (width, height), interpolation=cv2.INTER_LINEAR)
    kept = cv2.resize(255 - weight[values], (width, height), interpolation=cv2.INTER_LINEAR)
    image = _contiguous(result.frame.image)
    cv2.multiply(image, cv2.merge((kept, kept, kept)), dst=image, scale=1 / 255)
    cv2.add(image, paint, dst=image)
    return image


def _contiguous(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Copy an image; OpenCV turns a BGR view round ten times faster than NumPy does."""
    if image.strides[2] < 0:
        return np.asarray(cv2.cvtColor(image[..., ::-1], cv2.COLOR_BGR2RGB), np.uint8)
    return np.array(image, np.uint8, order="C")


def _draw_edge(canvas: NDArray[np.uint8], result: DrawnResult) -> None:
    mask = result.drivable.mask.astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    scale = _scale(mask, canvas)
    lines = [
        _to_camera(part, scale)
        for contour in contours
        for part in _inner_parts(np.asarray(contour[:, 0, :], np.int32), mask.shape)
    ]
    _draw_lines(canvas, lines, DRIVABLE_COLOR, closed=False)


def _inner_parts(contour: NDArray[np.int32], shape: tuple[int, ...]) -> list[NDArray[np.int32]]:
    """Cut a closed contour where it runs along the image's border."""
    x, y = contour[:, 0], contour[:, 1]
    outer = (x == 0) | (y == 0) | (x == shape[1] - 1) | (y == shape[0] - 1)
    if not outer.any():
        return [np.concatenate((contour, contour[:1]))]
    start = int(np.argmax(outer))
    contour, outer = np.roll(contour, -start, axis=0), np.roll(outer, -start)
    cuts = np.flatnonzero(outer[1:] != outer[:-1]) + 1
    parts = np.split(contour, cuts)
    return [part for part in parts[1::2] if len(part) > 1]


def _draw_outline(canvas: NDArray[np.uint8], result: DrawnResult, track: Track) -> None:
    x0, y0, x1, y1 = track.segment.box
    mask = np.isin(result.panoptic.ids[y0:y1, x0:x1], track.segment_ids).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(x0, y0))
    scale = _scale(result.panoptic.ids, canvas)
    lines = [
        _to_camera(_smooth(np.asarray(contour[:, 0, :], np.int32)), scale) for contour in contours
    ]
    _draw_lines(canvas, lines, track_color(track.id), closed=True)


def _smooth(contour: NDArray[np.int32]) -> NDArray[np.float64]:
    """Take the map's steps out of a closed contour."""
    before, after = np.roll(contour, 1, axis=0), np.roll(contour, -1, axis=0)
    return (before + contour + after) / 3


def _scale(values: NDArray[np.generic], canvas: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Camera pixels per map pixel, (x, y)."""
    return np.array([canvas.shape[1] / values.shape[1], canvas.shape[0] / values.shape[0]])


def _to_camera(
    points: NDArray[np.int32] | NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Centres of map pixels in camera pixels with ``_FRACTION_BITS``."""
    camera = (points + 0.5) * scale - 0.5
    return np.asarray(np.rint(camera * (1 << _FRACTION_BITS)), np.int32)


def _draw_lines(
    canvas: NDArray[np.uint8], lines: list[NDArray[np.int32]], color: Color, closed: bool
) -> None:
    thickness = max(1, round(2 * canvas.shape[0] / _REFERENCE_HEIGHT_PX))
    cv2.polylines(canvas, lines, closed, color, thickness, cv2.LINE_AA, _FRACTION_BITS)


def _draw_name(
    canvas: NDArray[np.uint8], result: DrawnResult, labels: LabelSet, track: Track
) -> None:
    """Write number and class on a plate at the object's upper left corner."""
    text = f"{track.id} {labels.labels[track.label].name}"
    size = max(0.3, 0.45 * canvas.shape[0] / _REFERENCE_HEIGHT_PX)
    (width, height), below = cv2.getTextSize(text, _FONT, size, 1)
    x, y = _plate(result.camera_box(track), (width + 6, height + below + 4), canvas.shape)
    color = track_color(track.id)
    cv2.rectangle(canvas, (x, y), (x + width + 6, y + height + below + 4), color, cv2.FILLED)
    place = (x + 3, y + height + 2)
    is_dark = color[0] * 0.3 + color[1] * 0.59 + color[2] * 0.11 < 110
    ink = (255, 255, 255) if is_dark else (0, 0, 0)
    cv2.putText(canvas, text, place, _FONT, size, ink, 1, cv2.LINE_AA)


def _plate(box: Box, size: tuple[int, int], shape: tuple[int, ...]) -> tuple[int, int]:
    """Upper left corner of a plate that stands on the box and stays in the image."""
    x = max(0, min(box[0], shape[1] - size[0]))
    y = max(0, min(box[1] - size[1], shape[0] - size[1]))
    return x, y
