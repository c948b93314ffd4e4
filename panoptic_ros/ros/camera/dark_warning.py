# SPDX-License-Identifier: Apache-2.0
"""Says once that a camera's images are so dark that their 16 bits must be fewer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from panoptic_ros.core.types import Frame
from panoptic_ros.messages.bit_depth import dark_hint


class DarkWarning:
    """Looks at the images of one camera; used by the worker's thread.

    Args:
        camera: Its name.
        warn: Takes the one warning.
    """

    def __init__(self, camera: str, warn: Callable[[str], object]) -> None:
        self._camera = camera
        self._warn = warn
        self._has_warned = False

    def look(self, message: Any, frame: Frame) -> None:
        """Warn where this is the first image that looks like fewer bits.

        Args:
            message: ``sensor_msgs`` Image or CompressedImage.
            frame: What was read from it.
        """
        if not self._has_warned and (hint := dark_hint(message, frame)):
            self._has_warned = True
            self._warn(f"{self._camera}: {hint}")
