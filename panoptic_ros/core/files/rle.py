# SPDX-License-Identifier: Apache-2.0
"""Binary masks as COCO's compressed run lengths.

Source: the mask API of https://github.com/cocodataset/cocoapi: runs go down the columns and start
with background; a run is stored as its difference to the one before the last, in groups of five
bits, low ones first, each a character from "0" on of which the sixth bit says that more follow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError

_FIRST = 48
_MOST_BITS = 40


def encode(mask: NDArray[np.bool_]) -> str:
    """Write a mask.

    >>> encode(np.array([[False, True], [False, True]]))
    '22'
    """
    # The first run is background, of no pixel where the mask begins with foreground.
    flat = np.concatenate(([False], mask.ravel(order="F")))
    runs = np.diff(np.append(run_starts(flat), flat.size)).tolist()
    runs[0] -= 1
    return "".join(
        _characters(run - (runs[index - 2] if index > 2 else 0)) for index, run in enumerate(runs)
    )


def run_starts(values: NDArray[Any]) -> NDArray[np.intp]:
    """Find where runs of equal values start.

    Args:
        values: One row of values, (n,), at least one.

    >>> run_starts(np.array([7, 7, 3, 7])).tolist()
    [0, 2, 3]
    """
    return np.flatnonzero(np.append(True, values[1:] != values[:-1]))


def _characters(value: int) -> str:
    text = ""
    while True:
        low, value = value & 31, value >> 5
        is_last = value == (-1 if low & 16 else 0)
        text += chr(_FIRST + (low if is_last else low | 32))
        if is_last:
            return text


def decode(text: str, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Read a mask.

    Args:
        text: What ``encode`` or COCO's own tools wrote.
        size: (height, width).

    Raises:
        DataError: It is no such text, or its runs do not fill the size.

    >>> decode("22", (2, 2)).astype(int).tolist()
    [[0, 1], [0, 1]]
    """
    runs = _runs(text)
    if min(runs, default=0) < 0 or sum(runs) != size[0] * size[1]:
        raise DataError(
            f"run lengths {text[:20]!r} cover {sum(runs)} pixels, the mask has {size[0] * size[1]}"
        )
    values = np.arange(len(runs)) % 2 == 1
    mask: NDArray[np.bool_] = np.repeat(values, runs).reshape(size, order="F")
    return mask


def _runs(text: str) -> list[int]:
    runs: list[int] = []
    value = shift = 0
    for character in text:
        group = ord(character) - _FIRST
        if not 0 <= group < 64:
            raise DataError(f"run lengths {text[:20]!r} have the character {character!r}")
        if shift > _MOST_BITS:
            raise DataError(f"run lengths {text[:20]!r} have a run longer than any image")
        value |= (group & 31) << shift
        shift += 5
        if group & 32:
            continue
        if group & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise DataError(f"run lengths {text[:20]!r} end in the middle of a number")
    return runs
