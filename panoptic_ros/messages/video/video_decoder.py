# SPDX-License-Identifier: Apache-2.0
"""Video packets of one camera to images, through PyAV.

Reads ``foxglove_msgs/CompressedVideo``, ``sensor_msgs/CompressedImage`` whose format names a codec
and ``ffmpeg_image_transport_msgs/FFMPEGPacket``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import ConfigError, FrameError
from panoptic_ros.messages.video.foxglove import with_header
from panoptic_ros.messages.video.video_packets import (
    FrameNumbers,
    codec_of,
    has_image,
    is_key,
    nal_units,
)

COMPRESSED_VIDEO = "foxglove_msgs/msg/CompressedVideo"
FFMPEG_PACKET = "ffmpeg_image_transport_msgs/msg/FFMPEGPacket"

WAITING = "a video packet before the next key frame"
MISSING = "a video packet after one that is missing"
NO_IMAGE = "a video packet that gave no image"
DAMAGED = "a video packet that is damaged"
"""Why a packet gives no image."""

_DECODERS = {"av1": "libdav1d"}
"""Decoders by codec, where FFmpeg's own needs hardware."""

_MOST_WAITING = 16
"""Images that a decoder may hold back to put them in order, by the standards."""


_MOST_PARAMETERS = 1 << 16


class VideoImage:
    """A decoded image in the form of ``sensor_msgs/Image``; turned to RGB when it is asked for.

    Attributes:
        header: Of the packet's message.
        time_ns: As given with the packet.
    """

    encoding = "rgb8"
    is_bigendian = 0

    def __init__(self, decoded: Any, header: Any, time_ns: int) -> None:
        self._decoded = decoded
        self.header = header
        self.time_ns = time_ns
        self.height, self.width = int(decoded.height), int(decoded.width)
        self.step = 3 * self.width

    @property
    def data(self) -> NDArray[np.uint8]:
        """The pixels, (H * W * 3,) uint8.

        Raises:
            FrameError: FFmpeg cannot turn such pixels into RGB.
        """
        return rgb_pixels(self._decoded).reshape(-1)


class VideoDecoder:
    """Decodes the packets of one camera in their order; used by one thread at a time.

    Starts at a key frame. After a damaged or missing packet it starts anew at the next one, as
    the images between would be made of wrong parts.
    """

    def __init__(self) -> None:
        self._codec = ""
        self._decoder: Any = None
        self._numbers = FrameNumbers()
        self._parameters = b""
        self._is_waiting = True
        self._sent = 0
        self._pending: dict[int, tuple[Any, int]] = {}
        self._dropped: list[str] = []

    def decode(
        self, message: Any, time_ns: int = 0, is_after_loss: bool = False
    ) -> list[VideoImage]:
        """Take the next packet.

        Args:
            message: One of the messages that this module reads.
            time_ns: Kept with the image.
            is_after_loss: Whether packets before it are known to be lost.

        Returns:
            The images that are ready, mostly one; a codec may hold some back.

        Raises:
            ConfigError: PyAV is not installed.
        """
        plain = with_header(message)
        codec, data = video_codec(plain), self._parameters + bytes(plain.data)
        images = self._changed_to(codec) if codec != self._codec else []
        if not has_image(codec, data):
            self._keep_parameters(data)
            return images
        self._parameters = b""
        misses = codec == "h264" and self._numbers.misses_one(data)
        return images + self._send(data, plain.header, time_ns, misses or is_after_loss)

    def _changed_to(self, codec: str) -> list[VideoImage]:
        images = self.finish()
        self._codec, self._decoder, self._numbers = codec, None, FrameNumbers()
        return images

    def finish(self) -> list[VideoImage]:
        """Return the images that are still held back; the next packet must be a key frame."""
        images: list[VideoImage] = []
        if self._decoder is not None and self._pending:
            images = self._ready(None)
        self._wait()
        return images

    def dropped(self) -> list[str]:
        """Why packets since the last call gave no image, one entry each."""
        causes, self._dropped = self._dropped, []
        return causes

    def _send(
        self, data: bytes, header: Any, time_ns: int, is_after_loss: bool
    ) -> list[VideoImage]:
        is_start = is_key(self._codec, data)
        if is_after_loss and not is_start:
            images = self.finish()
            self._drop(MISSING)
            return images
        if self._is_waiting and not is_start:
            self._drop(WAITING)
            return []
        self._is_waiting = False
        if self._decoder is None:
            self._decoder = _opened(self._codec)
        self._pending[self._sent] = (header, time_ns)
        images = self._ready(data)
        self._drop_overdue()
        return images

    def _ready(self, data: bytes | None) -> list[VideoImage]:
        """Images of the decoder after a packet, or after the last where there is none."""
        av = _av()
        packet = None
        if data is not None:
            packet = av.Packet(data)
            packet.pts, self._sent = self._sent, self._sent + 1
        try:
            decoded = self._decoder.decode(packet)
        except (av.error.FFmpegError, NotImplementedError) as error:
            self._pending.pop(self._sent - 1, None)
            self._drop(f"{DAMAGED} ({getattr(error, 'strerror', None) or error})")
            self._wait()
            return []
        return [image for one in decoded if (image := self._image(one)) is not None]

    def _image(self, decoded: Any) -> VideoImage | None:
        known = self._pending.pop(decoded.pts, None)
        if known is None:
            return None
        if decoded.is_corrupt:
            self._drop(DAMAGED)
            return None
        return VideoImage(decoded, *known)

    def _wait(self) -> None:
        """Go on at the next key frame; what the decoder knows of the stream is kept."""
        self._drop(NO_IMAGE, len(self._pending))
        self._pending.clear()
        self._numbers.forget_last()
        self._is_waiting = True
        if self._decoder is not None:
            self._decoder.flush_buffers()

    def _keep_parameters(self, data: bytes) -> None:
        """Keep parameter sets for the packet that needs them."""
        if self._codec in ("h264", "hevc") and not nal_units(data):
            self._parameters = b""
            self._drop(f"{DAMAGED} (it has no start code; needs Annex B)")
        else:
            self._parameters = data[-_MOST_PARAMETERS:]

    def _drop_overdue(self) -> None:
        for number in [key for key in self._pending if key < self._sent - 1 - _MOST_WAITING]:
            del self._pending[number]
            self._drop(NO_IMAGE)

    def _drop(self, cause: str, count: int = 1) -> None:
        self._dropped.extend([cause] * count)


def rgb_pixels(decoded: Any) -> NDArray[np.uint8]:
    """Turn a decoded image into RGB, (H, W, 3) uint8.

    Args:
        decoded: An ``av.VideoFrame``.

    Raises:
        FrameError: FFmpeg does not convert such pixels: the stream names a colour matrix or range
            that is reserved, or one like ICtCp.
    """
    try:
        return np.ascontiguousarray(decoded.to_ndarray(format="rgb24"))
    except (_av().error.FFmpegError, ValueError) as error:
        raise FrameError(
            f"a video image of {decoded.format.name} with colour matrix {int(decoded.colorspace)} "
            f"and range {int(decoded.color_range)} cannot be turned into RGB "
            f"({getattr(error, 'strerror', None) or error}); encode the video anew as BT.709"
        ) from error


def video_codec(message: Any) -> str:
    """Codec of a message; empty where it is a still image.

    Args:
        message: Any message that holds an image.
    """
    if hasattr(message, "format"):
        return codec_of(str(message.format))
    if hasattr(message, "pts"):
        return codec_of(str(message.encoding))
    return ""


def _opened(codec: str) -> Any:
    av = _av()
    try:
        decoder = av.CodecContext.create(_DECODERS.get(codec, codec), "r")
    except (av.error.FFmpegError, ValueError) as error:
        raise ConfigError(
            f"this PyAV has no decoder for {codec} ({error}); run: pip install av"
        ) from error
    # By frames it would hold back as many images as there are threads.
    decoder.thread_type = "SLICE"
    if codec == "av1":
        decoder.options = {"max_frame_delay": "1"}
    return decoder


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise ConfigError(
            "video topics need PyAV, which is not installed; run: pip install av"
        ) from error
    return av
