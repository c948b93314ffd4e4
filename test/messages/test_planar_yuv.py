# SPDX-License-Identifier: Apache-2.0
"""Planes of luma and chroma are found where drivers put them, or the image is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.errors import FrameError
from panoptic_ros.messages.convert import to_frame
from test.messages.test_encodings import PACKED, four_fields, message

HEIGHT, WIDTH = 20, 24
ENCODINGS = ("nv12", "nv21", "i420", "yv12")


def planes(encoding: str) -> list[NDArray[np.uint8]]:
    """The planes of the four fields, each (rows, bytes)."""
    packed = PACKED[encoding](four_fields(HEIGHT, WIDTH))
    luma, chroma = packed[:HEIGHT], packed[HEIGHT:]
    if encoding.startswith("nv"):
        return [luma, chroma]
    return [luma, *chroma.reshape(2, HEIGHT // 2, WIDTH // 2)]


def laid_out(encoding: str, step: int, rows: int) -> bytes:
    """Lay planes out in rows of ``step`` bytes, or half of it, luma in so many ``rows``."""
    parts = []
    for plane in planes(encoding):
        share = plane.shape[1] / WIDTH
        tall = rows * plane.shape[0] // HEIGHT
        part = np.full((tall, round(step * share)), 77, np.uint8)
        part[: plane.shape[0], : plane.shape[1]] = plane
        parts.append(part.tobytes())
    return b"".join(parts)


def read(encoding: str, data: bytes, step: int) -> NDArray[np.uint8]:
    packed: Any = message(np.zeros((1, 1), np.uint8), encoding, HEIGHT, WIDTH)
    packed.step, packed.data = step, data
    return to_frame(packed).image


def plain(encoding: str) -> NDArray[np.uint8]:
    return read(encoding, laid_out(encoding, WIDTH, HEIGHT), WIDTH)


@pytest.mark.parametrize("rows", [20, 24, 32, 64, 128])
@pytest.mark.parametrize("step", [24, 32])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_padded_rows_and_heights_give_the_same_image(encoding: str, step: int, rows: int) -> None:
    assert np.array_equal(read(encoding, laid_out(encoding, step, rows), step), plain(encoding))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_rows_that_only_pad_the_last_plane_may_be_missing(encoding: str) -> None:
    data = laid_out(encoding, 32, 32)
    spare = (32 - HEIGHT) // 2 * (32 if encoding.startswith("nv") else 16)
    assert np.array_equal(read(encoding, data[:-spare], 32), plain(encoding))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_padding_of_the_very_last_row_may_be_missing(encoding: str) -> None:
    spare = 8 if encoding.startswith("nv") else 4
    data = laid_out(encoding, 32, HEIGHT)[:-spare]
    assert np.array_equal(read(encoding, data, 32), plain(encoding))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_step_that_counts_the_chroma_is_understood(encoding: str) -> None:
    data = laid_out(encoding, 32, HEIGHT)
    assert np.array_equal(read(encoding, data, 48), plain(encoding))


@pytest.mark.parametrize("extra", [1, 24, 36, 72, 4096])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_bytes_that_no_padding_explains_are_refused(encoding: str, extra: int) -> None:
    with pytest.raises(FrameError, match=r"has \d+ bytes, needs 720, or .* place of its chroma"):
        read(encoding, laid_out(encoding, WIDTH, HEIGHT) + bytes(extra), WIDTH)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_rows_wider_than_the_step_says_are_refused(encoding: str) -> None:
    with pytest.raises(FrameError, match="place of its chroma"):
        read(encoding, laid_out(encoding, 32, 32), WIDTH)


@pytest.mark.parametrize("encoding", ["i420", "yv12"])
def test_half_a_step_needs_an_even_one(encoding: str) -> None:
    with pytest.raises(FrameError, match="step of 25 bytes, needs an even one"):
        read(encoding, bytes(25 * HEIGHT * 3 // 2), 25)
