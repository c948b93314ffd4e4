# SPDX-License-Identifier: Apache-2.0
"""``~/label/colored``: every pixel in the colour of its class."""

from __future__ import annotations

import numpy as np
import pytest

from panoptic_ros.core.types import VOID
from panoptic_ros.messages.context import FrameContext
from panoptic_ros.messages.map_image import pixels_of
from panoptic_ros.messages.topics import build_messages
from test.drawn.drawn_result import LABELS, drawn_result
from test.messages.test_convert import header, of_rosbags


@pytest.mark.parametrize("scale", [1, 4], ids=["map size", "larger"])
def test_every_pixel_has_the_colour_of_its_class(scale: int) -> None:
    types, result = of_rosbags(), drawn_result(scale)
    made = build_messages(["label/colored"], FrameContext(result, types, header(types)))
    pixels = pixels_of(made["label/colored"], ("rgb8",), "label/colored")
    labels = result.semantic()
    for label in LABELS.labels:
        assert (pixels[labels == label.index] == label.color).all()
    assert not pixels[labels == VOID].any()
    assert pixels.shape == (*result.camera_size, 3)
    assert np.unique(pixels.reshape(-1, 3), axis=0).shape == (5, 3)
