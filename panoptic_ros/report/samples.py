# SPDX-License-Identifier: Apache-2.0
"""Images of a result for the report: input, labels, objects with their ids, drivable surface."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.overlay import DRIVABLE_COLOR, track_color
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import NO_ID, VOID

WIDTH_PX, MOST_HEIGHT_PX = 480, 960
"""Size of images on the page; those that would be higher are squeezed."""
MOST_MOMENTS = 6
MOST_DOUBTFUL = 3
DOUBTFUL_APART_NS = 1_000_000_000
"""Frames nearer to each other than this show the same doubt."""
JPEG_QUALITY = 82


@dataclass(frozen=True)
class Sample:
    """One frame in four images, each an image data URI.

    Where the camera's place is known there are two more: the ground from above as the camera saw
    it, and the grid.
    """

    stamp_ns: int
    input: str
    labels: str
    instances: str
    drivable: str
    ground: str = ""
    grid: str = ""


FromAbove = Callable[[], "tuple[NDArray[np.uint8], NDArray[np.uint8]] | None"]
"""Draws the ground and the grid of a frame; None where nothing was published about it."""


@dataclass
class SampledFrames:
    """Keeps a few frames spread evenly over a run of unknown length, and the least confident.

    Args:
        labels: The classes, for their colours.
    """

    labels: LabelSet
    _doubtful: list[tuple[float, Sample]] = field(default_factory=list)
    _kept: list[tuple[int, Sample]] = field(default_factory=list)
    _stride: int = 1
    _seen: int = 0

    def offer(self, result: Result, from_above: FromAbove | None = None) -> None:
        """Keep the frame if it is due; the stride doubles whenever too many are kept."""
        if self._seen % self._stride == 0:
            sample = _moment(result, self.labels)
            drawn = from_above() if from_above is not None else None
            if drawn is not None:
                sample = replace(sample, ground=data_uri(drawn[0]), grid=data_uri(drawn[1]))
            self._kept.append((self._seen, sample))
        self._seen += 1
        if len(self._kept) > 2 * MOST_MOMENTS:
            self._stride *= 2
            self._kept = [entry for entry in self._kept if entry[0] % self._stride == 0]

    def offer_doubtful(self, result: Result, confidence: float | None) -> None:
        """Keep the frame if it is among those of least confidence, one per second.

        Args:
            result: The frame.
            confidence: Its mean confidence, 0 to 1; None where not known.
        """
        stamp_ns = result.frame.stamp_ns
        if confidence is None or not self._is_doubtful(confidence, stamp_ns):
            return
        apart = [
            entry
            for entry in self._doubtful
            if abs(entry[1].stamp_ns - stamp_ns) >= DOUBTFUL_APART_NS
        ]
        kept = [*apart, (confidence, _moment(result, self.labels))]
        self._doubtful = sorted(kept, key=lambda entry: entry[0])[:MOST_DOUBTFUL]

    def _is_doubtful(self, confidence: float, stamp_ns: int) -> bool:
        near = [
            kept
            for kept, sample in self._doubtful
            if abs(sample.stamp_ns - stamp_ns) < DOUBTFUL_APART_NS
        ]
        if near:
            return confidence < min(near)
        return len(self._doubtful) < MOST_DOUBTFUL or confidence < self._doubtful[-1][0]

    def doubtful(self) -> list[tuple[float, Sample]]:
        """At most ``MOST_DOUBTFUL`` frames with their mean confidence, least first."""
        return list(self._doubtful)

    def samples(self) -> list[Sample]:
        """At most ``MOST_MOMENTS``, in order."""
        if not self._kept:
            return []
        count = min(MOST_MOMENTS, len(self._kept))
        chosen = np.linspace(0, len(self._kept) - 1, count).round().astype(int)
        return [self._kept[index][1] for index in chosen]


def shown_size(height: int, width: int) -> tuple[int, int]:
    """Say how large an image is on the page, (height, width) in pixels.

    >>> shown_size(720, 1280), shown_size(3, 1000), shown_size(1000, 3)
    ((270, 480), (1, 480), (960, 480))
    """
    return min(MOST_HEIGHT_PX, max(1, round(WIDTH_PX * height / width))), WIDTH_PX


def _moment(result: Result, labels: LabelSet) -> Sample:
    image = result.frame.image
    size = shown_size(*image.shape[:2])
    # A view of BGR memory has a negative stride, which cv2 does not take.
    whole = np.ascontiguousarray(image)
    small = np.asarray(cv2.resize(whole, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    seen = enlarge(result.track_labels(), size)
    surface = enlarge(result.drivable.mask.astype(np.uint8), size) > 0
    return Sample(
        result.frame.stamp_ns,
        data_uri(small),
        data_uri(blended(small, labels.palette[seen], seen != VOID, 0.62)),
        data_uri(draw_instances(small, enlarge(result.track_ids(), size))),
        data_uri(draw_drivable(small, surface)),
    )


def blended(
    image: NDArray[np.uint8],
    colors: NDArray[np.uint8],
    where: NDArray[np.bool_],
    share: float,
) -> NDArray[np.uint8]:
    """Lay colours over an image where a mask says so."""
    mixed = cv2.addWeighted(image, 1 - share, colors, share, 0)
    return np.where(where[..., None], mixed, image).astype(np.uint8)


def draw_instances(image: NDArray[np.uint8], ids: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Colour every object by its id and write the id on it."""
    keys = [key for key in np.unique(ids).tolist() if key != NO_ID]
    table = np.zeros((max(keys, default=0) + 1, 3), np.uint8)
    for key in keys:
        table[key] = track_color(key)
    drawn = blended(image, table[ids], ids != NO_ID, 0.6)
    for key in keys:
        _outline(drawn, (ids == key).astype(np.uint8), track_color(key), str(key))
    return drawn


def draw_drivable(image: NDArray[np.uint8], surface: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Colour the drivable surface and draw its rim."""
    colors = np.full_like(image, 0)
    colors[:] = DRIVABLE_COLOR
    drawn = blended(image, colors, surface, 0.45)
    _outline(drawn, surface.astype(np.uint8), DRIVABLE_COLOR, "")
    return drawn


def _outline(
    drawn: NDArray[np.uint8], mask: NDArray[np.uint8], color: Sequence[int], text: str
) -> None:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(drawn, contours, -1, tuple(color), 1, cv2.LINE_AA)
    if text:
        rows, columns = np.nonzero(mask)
        # 0.4 is the least size at which the font is still readable in the small image.
        place = (int(np.median(columns)) - 4 * len(text), int(np.median(rows)) + 4)
        for thickness, ink in ((3, (0, 0, 0)), (1, (255, 255, 255))):
            cv2.putText(
                drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, ink, thickness, cv2.LINE_AA
            )


def data_uri(image: NDArray[np.uint8]) -> str:
    """Encode an RGB image for use inside of a page."""
    bgr = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")
