# SPDX-License-Identifier: Apache-2.0
"""A PNG file is checked chunk by chunk before memory is taken for it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from panoptic_ros.core.files.png_chunks import HEADER_BYTES, DamagedPngError, png_size

SOUND = cv2.imencode(".png", np.zeros((6, 9, 3), np.uint8))[1].tobytes()


def test_the_size_is_height_and_width() -> None:
    assert png_size(SOUND) == (6, 9)


def with_chunk(length: int, name: bytes) -> bytes:
    return SOUND[:HEADER_BYTES] + length.to_bytes(4, "big") + name + SOUND[HEADER_BYTES + 8 :]


BAD = {
    "a chunk of 4 GB": (with_chunk(2**32 - 1, b"IDAT"), "is cut off: a chunk ends at"),
    "a chunk of one byte too many": (with_chunk(len(SOUND), b"IDAT"), "is cut off"),
    "a name of no letters": (with_chunk(1, b"\0\0\0\0"), "has no chunk at byte 33"),
    "cut in the header": (SOUND[: HEADER_BYTES - 1], "has no PNG header"),
    "another first chunk": (SOUND.replace(b"IHDR", b"iHDR"), "has no PNG header"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_damaged_file_is_refused(case: str) -> None:
    content, words = BAD[case]
    with pytest.raises(DamagedPngError, match=words):
        png_size(content)
