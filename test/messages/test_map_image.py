# SPDX-License-Identifier: Apache-2.0
"""Maps come back from messages as they were; what the node does not publish is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError
from panoptic_ros.messages.label_png import encode_png
from panoptic_ros.messages.map_image import png_pixels

CLASSES = np.array([[0, 13, 255], [7, 7, 1]], np.uint8)
IDS = np.array([[0, 700, 65535], [1, 256, 0]], np.uint16)


def packed(content: bytes, form: str) -> Any:
    return SimpleNamespace(format=form, data=content)


@pytest.mark.parametrize(
    ("pixels", "form"),
    [
        pytest.param(CLASSES, "mono8; png compressed ", id="8 bits"),
        pytest.param(IDS, "16UC1; png compressed ", id="16 bits"),
        pytest.param(IDS[:1], "16UC1", id="the encoding alone"),
    ],
)
def test_a_map_comes_back_from_its_png(pixels: NDArray[Any], form: str) -> None:
    found = png_pixels(packed(encode_png(pixels), form), ("mono8", "16UC1"), "label")
    assert found.dtype == pixels.dtype
    assert np.array_equal(found, pixels)


COLORED = np.dstack([CLASSES] * 3)


@pytest.mark.parametrize(
    ("content", "form", "words"),
    [
        pytest.param(
            encode_png(IDS), "mono8; png compressed ", "holds no PNG of mono8", id="other type"
        ),
        pytest.param(encode_png(COLORED), "mono8", "holds no PNG of mono8", id="several channels"),
        pytest.param(
            bytes(cv2.imencode(".bmp", CLASSES)[1]), "mono8", "holds no PNG of mono8", id="no PNG"
        ),
        pytest.param(encode_png(CLASSES)[:30], "mono8", "holds no PNG of mono8", id="cut off"),
        pytest.param(b"", "mono8", "holds no PNG of mono8", id="empty"),
        pytest.param(
            encode_png(CLASSES), "bgr8", "has encoding bgr8, the node's is mono8", id="encoding"
        ),
    ],
)
def test_what_is_no_map_of_the_node_is_refused(content: bytes, form: str, words: str) -> None:
    with pytest.raises(DataError, match=f"^/panoptic/label: {words}"):
        png_pixels(packed(content, form), ("mono8",), "/panoptic/label")
