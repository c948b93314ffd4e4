# SPDX-License-Identifier: Apache-2.0
"""A camera that is there now: a V4L2 device or a network stream, through PyAV."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.types import Frame
from panoptic_ros.recordings.source import RecordedFrame, Source, TimeRange
from panoptic_ros.recordings.video import ffmpeg_error, pyav

PATIENCE_S = 10.0
"""How long a stream may take to open, and to send its next packet."""

_DEVICE = re.compile(r"/dev/video\d+")
# A path has lost the second slash of an address.
_ADDRESS = re.compile(r"(rtsps?|rtmps?|https?|udp|rtp|srt|tcp):/+(.+)")
_PASSWORD = re.compile(r"//[^/@]*@")
_OPTIONS = {"rtsp": {"rtsp_transport": "tcp"}, "rtsps": {"rtsp_transport": "tcp"}}
"""Over UDP lost packets show as smeared images."""


def is_live(path: Path | str) -> bool:
    """Whether an input is a camera and no recording.

    >>> is_live("/dev/video0"), is_live(Path("rtsp://camera/stream")), is_live("drive.mp4")
    (True, True, False)
    """
    return bool(_DEVICE.fullmatch(str(path)) or _ADDRESS.fullmatch(str(path)))


class LiveSource(Source):
    """A camera that is there now; stamps are the times at which its images arrive.

    Args:
        path: ``/dev/videoN``, or an address like ``rtsp://HOST/STREAM``.
        span: Seconds to take; none are left out before.

    Raises:
        ConfigError: PyAV is not installed.
    """

    is_live = True

    def __init__(self, path: Path | str, span: TimeRange) -> None:
        pyav()
        found = _ADDRESS.fullmatch(str(path))
        self._kind = found.group(1) if found else "v4l2"
        self._address = f"{found.group(1)}://{found.group(2)}" if found else str(path)
        super().__init__(Path(_PASSWORD.sub("//", self._address)), span)

    def frames(self) -> Iterator[RecordedFrame]:
        """Yield the images as they come, until the stream ends or the time is over.

        Raises:
            DataError: It cannot be opened, or no image comes.
        """
        given = 0
        _, end_ns = self.span.limits_ns(time.time_ns())
        with self._opened() as container:
            for number, image in zip(count(), self._images(container), strict=False):
                now_ns = time.time_ns()
                if end_ns is not None and now_ns >= end_ns:
                    break
                given += 1
                yield RecordedFrame(Frame(image, now_ns, "camera"), now_ns, f"{number:06d}")
        if not given:
            raise self.nothing_found(-1.0)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        options = _OPTIONS.get(self._kind, {})
        form = "v4l2" if self._kind == "v4l2" else None
        try:
            container = pyav().open(
                self._address, format=form, options=options, timeout=PATIENCE_S
            )
        except (OSError, ValueError, ffmpeg_error()) as error:
            why = getattr(error, "strerror", None) or error
            raise DataError(
                f"{_PASSWORD.sub('//', self._address)}: no image comes from there ({why}); needs "
                "a camera like /dev/video0 or a stream like rtsp://USER:PASSWORD@HOST/STREAM"
            ) from error
        with container:
            if not container.streams.video:
                raise DataError(f"{_PASSWORD.sub('//', self._address)}: has no video stream")
            yield container

    def _images(self, container: Any) -> Iterator[Any]:
        """Decoded images; damage is counted, the end of the stream is a note."""
        try:
            for packet in container.demux(container.streams.video[0]):
                yield from self._decoded(packet)
        except ffmpeg_error() as error:
            self.read_errors.note(
                f"the stream ended ({getattr(error, 'strerror', None) or error})"
            )

    def _decoded(self, packet: Any) -> Iterator[Any]:
        try:
            for decoded in packet.decode():
                yield decoded.to_ndarray(format="rgb24")
        except ffmpeg_error() as error:
            # A stream that is joined in its middle begins with what cannot be decoded.
            self.read_errors.remark(f"an image could not be decoded ({error})")
