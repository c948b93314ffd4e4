# SPDX-License-Identifier: Apache-2.0
"""Video packets of one camera between its subscription and the mailbox.

The mailbox keeps the newest image only, but a decoder needs every packet. So packets are decoded
as they come, and only their images wait; they are turned to RGB when the worker takes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.messages.video.video_decoder import VideoDecoder, video_codec


class VideoInput:
    """Passes still images on and decodes video; used by the executor's thread only.

    Args:
        on_image: Called with every image, and how many messages were lost before it.
        on_drop: Called with the cause for every packet that gives no image.

    Attributes:
        is_video: Whether a packet of a video has come; its messages must then be queued.
    """

    def __init__(
        self, on_image: Callable[[Any, int], None], on_drop: Callable[[str], None]
    ) -> None:
        self.is_video = False
        self._on_image = on_image
        self._on_drop = on_drop
        self._decoder = VideoDecoder()
        self._lost = 0

    def take(self, message: Any, lost: int) -> None:
        """Take a message.

        Args:
            message: Any message that holds an image or a packet.
            lost: How many were lost before it.
        """
        if not video_codec(message):
            self._on_image(message, lost)
            return
        self.is_video = True
        self._lost += lost
        try:
            images = self._decoder.decode(message, is_after_loss=lost > 0)
        except ConfigError as error:
            self._on_drop(str(error))
            return
        for cause in self._decoder.dropped():
            self._on_drop(cause)
        for image in images:
            self._on_image(image, self._lost)
            self._lost = 0

    def restart(self) -> None:
        """Begin a new subscription: wait for a key frame."""
        self._decoder = VideoDecoder()
