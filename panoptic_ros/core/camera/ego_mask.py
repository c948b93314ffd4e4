# SPDX-License-Identifier: Apache-2.0
"""The ego vehicle in the image: neither road nor object, whatever the network takes it for."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.decoding.boxes import mask_box
from panoptic_ros.core.errors import ConfigError, FrameError
from panoptic_ros.core.files.limits import image_limits, is_image_size
from panoptic_ros.core.files.png_chunks import DamagedPngError, png_size
from panoptic_ros.core.types import NO_ID, VOID, Panoptic, Segment

_CORNERS = re.compile(r"\s*(-?\d+(\.\d*)?\s*,\s*-?\d+(\.\d*)?\s*)+")
_WANTED = "give a PNG, or corners like '0,700 1279,700 1279,719 0,719'"
_LEAST_SHARE = 0.5
"""An object with less of its pixels outside of the ego vehicle is the ego vehicle."""


class EgoMask:
    """Where the ego vehicle is in the images of one camera.

    Args:
        words: Path of a PNG that is not 0 there, or at least three corners ``x,y x,y x,y`` in
            pixels of the camera's image.

    Raises:
        ConfigError: The file cannot be read, or has other than one value per pixel; there are
            fewer than three corners.
    """

    def __init__(self, words: str) -> None:
        self._name = words
        self._image: NDArray[np.uint8] | None = None
        self._corners = _corners(words)
        if self._corners is None:
            self._image = _read(Path(words))

    @property
    def path(self) -> Path | None:
        """Its file, None where it is drawn by corners."""
        return Path(self._name) if self._corners is None else None

    def at(self, size: tuple[int, int]) -> NDArray[np.uint8]:
        """Give the mask for images of a size.

        Args:
            size: (height, width) of the camera's image, all of it.

        Returns:
            255 on the ego vehicle, else 0, (height, width) uint8.

        Raises:
            FrameError: The mask's file was made for another size.
        """
        if self._corners is not None:
            drawn = np.zeros(size, np.uint8)
            cv2.fillPoly(drawn, [self._corners], (255,))
            return drawn
        self.check(size)
        assert self._image is not None
        return self._image

    def check(self, size: tuple[int, int]) -> None:
        """Refuse images that the mask was not made for.

        Raises:
            FrameError: The mask's file was made for another size.
        """
        if self._image is not None and self._image.shape != size:
            height, width = self._image.shape
            raise FrameError(
                f"ego_mask {self._name} is for images of {width}x{height}, the image is "
                f"{size[1]}x{size[0]}; make one with: panoptic ego-mask"
            )


def _corners(words: str) -> NDArray[np.int32] | None:
    """Read corners; None where the words are something else."""
    if not _CORNERS.fullmatch(words):
        return None
    numbers = [float(word) for word in re.split(r"[\s,]+", words.strip())]
    corners: NDArray[np.int32] = np.array(numbers).reshape(-1, 2).round().astype(np.int32)
    if len(corners) < 3:
        raise ConfigError(f"ego_mask {words!r} has {len(corners)} corners, needs at least 3")
    return corners


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        content = path.read_bytes()
        if not is_image_size(*png_size(content)):
            raise DamagedPngError(f"is no image of {image_limits()}")
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
        raise ConfigError(f"ego_mask {path} {reason}; {_WANTED}") from error
    except DamagedPngError as error:
        raise ConfigError(f"ego_mask {path} {error}; {_WANTED}") from error
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise ConfigError(f"ego_mask {path} is damaged; {_WANTED}")
    mask = np.where(np.asarray(image) > 0, 255, 0).astype(np.uint8)
    if mask.all():
        raise ConfigError(f"ego_mask {path} covers all of the image; it must be 0 beside the car")
    return mask


def at_map_size(mask: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Shrink a mask so that no pixel of it is lost.

    Args:
        mask: 255 or 0, (H, W) uint8.
        size: (height, width) of the map.

    Returns:
        True where the map pixel covers any of the mask, (h, w) bool.
    """
    # The area's mean rounds a single pixel of a thousand away; floats keep it.
    mean = cv2.resize(mask.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(mean, np.float32) > 0


def cut_out(panoptic: Panoptic, ego: NDArray[np.bool_]) -> Panoptic:
    """Make the ego vehicle void, and end the objects there.

    Args:
        panoptic: The frame's map; is not changed.
        ego: Where the ego vehicle is, (h, w) bool.

    Returns:
        A map with ``ego``. Objects reach to its edge; one with less than half of its pixels
        outside is void as a whole.
    """
    # Above its highest pixel nothing changes.
    part = np.s_[int(ego.any(axis=1).argmax()) :]
    own = ego[part]
    lost = np.bincount(panoptic.ids[part][own], minlength=len(panoptic.segments) + 1)
    labels, ids, confidence = (
        values.copy() for values in (panoptic.labels, panoptic.ids, panoptic.confidence)
    )
    for values, nothing in ((labels, VOID), (ids, NO_ID), (confidence, 0)):
        np.copyto(values[part], values.dtype.type(nothing), where=own)
    segments = _left_over(panoptic.segments, lost, labels, ids, confidence)
    return replace(
        panoptic, labels=labels, ids=ids, confidence=confidence, segments=segments, ego=ego
    )


def _left_over(
    segments: tuple[Segment, ...],
    lost: NDArray[np.intp],
    labels: NDArray[np.uint8],
    ids: NDArray[np.uint16],
    confidence: NDArray[np.uint8],
) -> tuple[Segment, ...]:
    """Measure the segments that lost pixels anew; those that lost too many become void, in place.

    Args:
        segments: Before.
        lost: Pixels that each has lost, by id.
        labels: Without the ego vehicle, (h, w).
        ids: The same.
        confidence: The same.
    """
    if not lost[1:].any():
        return segments
    kept = []
    for one in segments:
        if _stays(one, one.area - int(lost[one.id])):
            kept.append(_cut(one, ids) if lost[one.id] else one)
            continue
        x0, y0, x1, y1 = one.box
        rest = ids[y0:y1, x0:x1] == one.id
        for values, nothing in ((labels, VOID), (ids, NO_ID), (confidence, 0)):
            np.copyto(values[y0:y1, x0:x1], values.dtype.type(nothing), where=rest)
    if len(kept) == len(segments):
        return tuple(kept)
    table = np.zeros(len(segments) + 1, np.uint16)
    table[[one.id for one in kept]] = np.arange(1, len(kept) + 1)
    ids[:] = table.take(ids)
    return tuple(replace(one, id=number) for number, one in enumerate(kept, 1))


def _stays(segment: Segment, area: int) -> bool:
    return area > 0 and area >= _LEAST_SHARE * segment.area


def _cut(segment: Segment, ids: NDArray[np.uint16]) -> Segment:
    """Measure what is left of a segment."""
    x0, y0, x1, y1 = segment.box
    here = ids[y0:y1, x0:x1] == segment.id
    left, top, right, bottom = mask_box(here)
    box = (x0 + left, y0 + top, x0 + right, y0 + bottom)
    return replace(segment, area=int(np.count_nonzero(here)), box=box)
