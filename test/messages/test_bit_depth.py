# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.messages.bit_depth import dark_hint
from panoptic_ros.messages.convert import to_frame
from test.messages.test_encodings import message


def ramp(top: int) -> NDArray[np.uint16]:
    """Values from 0 to ``top``, (32, 32)."""
    return np.linspace(0, top, 1024).astype(np.uint16).reshape(32, 32)


def hint(values: NDArray[np.uint16], encoding: str = "mono16") -> str:
    image = message(values, encoding, 32, 32)
    return dark_hint(image, to_frame(image))


def test_twelve_bits_in_sixteen_are_named() -> None:
    assert hint(ramp(4095)).startswith("mono16 image is nearly black: no value reaches 4096")


@pytest.mark.parametrize("top", [5000, 65535])
def test_brighter_values_are_nothing_to_say(top: int) -> None:
    assert hint(ramp(top)) == ""


def test_a_dark_image_of_eight_bits_is_a_dark_image() -> None:
    image = message(np.zeros((32, 32), np.uint8), "mono8", 32, 32)
    assert dark_hint(image, to_frame(image)) == ""


def test_a_packed_image_is_looked_at_as_well() -> None:
    header = SimpleNamespace(stamp=SimpleNamespace(sec=0, nanosec=5), frame_id="front")
    content = cv2.imencode(".png", ramp(4095))[1].tobytes()
    packed = SimpleNamespace(header=header, format="mono16; png compressed ", data=content)
    assert dark_hint(packed, to_frame(packed))
