# SPDX-License-Identifier: Apache-2.0
"""An image that is too dark for its 16 bits is told once per camera."""

from __future__ import annotations

import numpy as np

from panoptic_ros.messages.convert import to_frame
from panoptic_ros.ros.camera.dark_warning import DarkWarning
from test.messages.test_encodings import message


def test_the_first_dark_image_is_told_with_its_camera_and_no_other() -> None:
    warned: list[str] = []
    warning = DarkWarning("front", warned.append)
    for top in (65535, 4095, 65535, 4095):
        values = np.linspace(0, top, 1024).astype(np.uint16).reshape(32, 32)
        image = message(values, "mono16", 32, 32)
        warning.look(image, to_frame(image))
        if top == 65535 and not warned:
            continue
        assert len(warned) == 1
    assert warned[0].startswith("front: mono16 image is nearly black")
