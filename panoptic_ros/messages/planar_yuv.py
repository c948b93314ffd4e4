# SPDX-License-Identifier: Apache-2.0
"""Where the planes of 4:2:0 images lie in a message: drivers pad rows, and heights to macroblocks.

A message says width, height and step, but not at which row the chroma begins. That follows from
the number of bytes, or the image is refused: chroma read from a wrong place colours everything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import FrameError

Bytes = NDArray[np.uint8]

ALIGNMENTS = (1, 4, 8, 16, 32, 64, 128)
"""What encoders and image processors round the height of the first plane up to, in rows."""


@dataclass(frozen=True, eq=False)
class PlanarImage:
    """A 4:2:0 image in memory: a plane of luma, then chroma at half its height.

    Attributes:
        data: All bytes, (n,) uint8.
        height: Rows of the image, even.
        width: Pixels per row, even.
        step: Bytes per row of luma, as the message says it; at least ``width``.
        encoding: For the error's words.
        chroma_planes: 1 where blue and red take turns (NV12, NV21), 2 where one follows the other
            in rows of half the step (I420, YV12).
    """

    data: Bytes
    height: int
    width: int
    step: int
    encoding: str
    chroma_planes: int


def without_padding(image: PlanarImage) -> Bytes:
    """Bring the planes together as OpenCV takes them.

    Returns:
        (height * 3 / 2, width) uint8; a view where the message has them so.

    Raises:
        FrameError: The number of bytes does not say where the chroma begins, or the step is odd
            where half of it is needed.
    """
    if image.step % image.chroma_planes:
        raise FrameError(
            f"{image.encoding} image has a step of {image.step} bytes, needs an even one: the "
            "rows of its chroma have half of it"
        )
    step, rows = _placed(image)
    height, width, count = image.height, image.width, image.chroma_planes
    if rows == height and (count == 1 or step == width):
        return _plane(image, 0, height * 3 // 2, width, step)
    part = step // count
    starts = [step * rows + number * part * (rows // 2) for number in range(count)]
    planes = [_plane(image, at, height // 2, width // count, part) for at in starts]
    chroma = np.concatenate(planes).reshape(height // 2, width)
    return np.concatenate((_plane(image, 0, height, width, step), chroma))


def _placed(image: PlanarImage) -> tuple[int, int]:
    """Bytes per row of luma, and rows of memory before the chroma.

    Raises:
        FrameError: No padding, or more than one, explains the number of bytes.
    """
    step = image.step
    if step * image.height == image.data.size and step >= image.width * 3 // 2:
        # Some drivers count the chroma into the step.
        step = step * 2 // 3
    rows = {tall for tall in _heights(image.height) if _fits(image, step, tall)}
    if len(rows) != 1:
        raise FrameError(_unplaced(image, step))
    return step, rows.pop()


def _heights(height: int) -> set[int]:
    return {-(-height // align) * align for align in ALIGNMENTS}


def _fits(image: PlanarImage, step: int, tall: int) -> bool:
    """Whether planes of so many rows make up the bytes; a last row may lack its padding."""
    count = image.chroma_planes
    padding = (step - image.width) // count
    whole = step * tall * 3 // 2
    # The rows that only pad the last plane may be missing, too.
    shortest = whole - step // count * ((tall - image.height) // 2)
    return any(end - padding <= image.data.size <= end for end in (whole, shortest))


def _plane(image: PlanarImage, offset: int, height: int, width: int, step: int) -> Bytes:
    view: Bytes = np.ndarray((height, width), np.uint8, image.data, offset, (step, 1))
    return view


def _unplaced(image: PlanarImage, step: int) -> str:
    return (
        f"{image.encoding} image of {image.width}x{image.height}, step {image.step}, has "
        f"{image.data.size} bytes, needs {step * image.height * 3 // 2}, or what a height rounded "
        f"up to a multiple of {', '.join(map(str, ALIGNMENTS[1:-1]))} or {ALIGNMENTS[-1]} makes "
        "of it; otherwise the place of its chroma is not known"
    )
