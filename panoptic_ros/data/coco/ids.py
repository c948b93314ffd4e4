# SPDX-License-Identifier: Apache-2.0
"""The PNG files of COCO panoptic: segment ids as colours.

Source: panopticapi, ``utils.rgb2id``: id = R + 256 G + 65536 B.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import VOID_ID, SegmentInfo
from panoptic_ros.core.errors import DataError, listed
from panoptic_ros.core.files.output import write_image
from panoptic_ros.data.png import as_rgb, has_palette, read_palette_indices, read_png, read_rgb

_WHAT = "8-bit RGB ids"
_LOOKS = 16
"""How often a map is looked at by axis before all of it is."""


def read_ids(png_path: Path) -> NDArray[np.uint32]:
    """Read a COCO panoptic PNG.

    Args:
        png_path: 8-bit RGB PNG with id = R + 256 G + 65536 B; alpha must hide void only, and the
            colours of a palette count.

    Returns:
        Segment ids, shape (H, W); 0 is unlabelled.

    Raises:
        DataError: The file is missing or is not an 8-bit RGB image.
    """
    return _decoded(read_rgb(png_path, _WHAT))


def read_listed_ids(png_path: Path, segments: Sequence[SegmentInfo]) -> NDArray[np.uint32]:
    """Read a COCO panoptic PNG whose segments are known.

    A palette's indices, or the values of a grey image, are the ids where colours are not: only
    one of the two readings has segments that are listed.

    Args:
        png_path: The PNG.
        segments: What the JSON lists for it.

    Returns:
        Segment ids, shape (H, W); 0 is unlabelled.

    Raises:
        DataError: The file is missing, or no reading of it has the listed segments.
    """
    image = read_png(png_path)
    if image.ndim == 2 and _are_listed(image, segments):
        return image.astype(np.uint32)
    ids = _decoded(as_rgb(png_path, image, _WHAT))
    if has_palette(png_path) and not _are_listed(ids, segments):
        numbers = read_palette_indices(png_path)
        if _are_listed(numbers, segments):
            return numbers.astype(np.uint32)
    return ids


def check_listed(png_path: Path, ids: NDArray[np.uint32], segments: Sequence[SegmentInfo]) -> None:
    """Refuse a map that has none of the segments that the JSON lists for it.

    Args:
        png_path: The PNG, for the message.
        ids: What was read of it.
        segments: What the JSON lists.

    Raises:
        DataError: All of them are missing, so the map is another one or numbered otherwise.
    """
    if segments and not _holds_one(ids, segments):
        raise _unlisted(png_path, ids, segments)


def check_order(png_path: Path, ids: NDArray[np.uint32], segments: Sequence[SegmentInfo]) -> None:
    """Refuse a map that has the segments of the JSON once red and blue change places.

    Args:
        png_path: The PNG, for the message.
        ids: What was read of it.
        segments: What the JSON lists.

    Raises:
        DataError: It has none of them as it is, and some with the channels the other way round.
    """
    if not segments or _holds_one(ids, segments):
        return
    turned = np.asarray((ids & 0xFF) << 16 | ids & 0xFF00 | ids >> 16, np.uint32)
    if _holds_one(turned, segments):
        raise _unlisted(png_path, ids, segments)


def _holds_one(ids: NDArray[np.uint32], segments: Sequence[SegmentInfo]) -> bool:
    # A few pixels show it nearly always.
    few = ids[tuple(slice(None, None, max(1, side // _LOOKS)) for side in ids.shape)]
    if not {segment.id for segment in segments}.isdisjoint(few.ravel().tolist()):
        return True
    return any(bool((ids == segment.id).any()) for segment in segments)


def _unlisted(
    png_path: Path, ids: NDArray[np.uint32], segments: Sequence[SegmentInfo]
) -> DataError:
    found = listed(np.unique(ids).tolist(), 3)
    wanted = listed((segment.id for segment in segments), 3)
    return DataError(
        f"{png_path}: has none of the segments that the JSON lists; its ids are {found}, the JSON "
        f"has {wanted}; a pixel's id is R + 256 G + 65536 B"
    )


def _decoded(rgb: NDArray[np.uint8]) -> NDArray[np.uint32]:
    # A pixel of RGBA read as one little endian number is the id with alpha above it.
    ids = cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA).view("<u4")[..., 0]
    ids &= 0xFFFFFF
    return np.asarray(ids, np.uint32)


def _are_listed(
    ids: NDArray[np.integer],  # type: ignore[type-arg]
    segments: Iterable[SegmentInfo],
) -> bool:
    """Whether a map has segments, and every one of them is listed."""
    there = set(np.unique(ids).tolist()) - {VOID_ID}
    return bool(there) and there <= {segment.id for segment in segments}


def write_ids(png_path: Path, ids: NDArray[np.uint32]) -> None:
    """Write segment ids as a COCO panoptic PNG.

    Args:
        png_path: The file to write; its folder exists.
        ids: Segment ids, shape (H, W), 0..2**24 - 1.

    Raises:
        DataError: The file cannot be written.
    """
    channels = [(ids >> shift).astype(np.uint8) for shift in (16, 8, 0)]
    write_image(png_path, np.dstack(channels), [cv2.IMWRITE_PNG_COMPRESSION, 1])
