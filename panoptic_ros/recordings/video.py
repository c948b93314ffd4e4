# SPDX-License-Identifier: Apache-2.0
"""Read video files through PyAV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from panoptic_ros.core.errors import ConfigError, DataError, FrameError, counted
from panoptic_ros.core.types import Frame
from panoptic_ros.messages.video.video_decoder import rgb_pixels
from panoptic_ros.recordings.source import (
    FIRST_STAMP_NS,
    RecordedFrame,
    Source,
    TimeRange,
)
from panoptic_ros.recordings.storage.avi import is_avi, packets_of
from panoptic_ros.recordings.storage.mp4 import fault_of, is_mp4

VIDEO_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm")
"""Endings that errors name; FFmpeg reads many more."""

_ENOUGH_PACKETS = 1000


class VideoSource(Source):
    """A video stream of a file; stamps are its presentation times.

    Of several streams the longest is taken, as a cover image is a video stream of one image.

    Args:
        path: Any file that FFmpeg reads.
        span: Which part is wanted.
        fps: Replaces the file's own clock, None keeps it.

    Raises:
        ConfigError: PyAV is not installed.
        DataError: The file is no video or is damaged from the start.
    """

    def __init__(self, path: Path, span: TimeRange, fps: float | None = None) -> None:
        super().__init__(path, span)
        self._own_clock = fps is None
        with _opened(path) as container:
            stream = _longest(container)
            self._stream_index = int(stream.index)
            if len(container.streams.video) > 1:
                self.read_errors.remark(_chosen_stream(path, stream, container))
            self.fps = fps or float(stream.average_rate or stream.guessed_rate or 25)
            self._promised = int(stream.frames or 0)
        self.count = self._expected()

    def frames(self) -> Iterator[RecordedFrame]:
        """Yield the images up to the end, or up to the damage that ends the file."""
        start_ns, end_ns = self.span.limits_ns(0)
        time_ns, given = -1, 0
        with _opened(self.path) as container:
            for number, (time_ns, decoded) in enumerate(self._timed(container)):
                if end_ns is not None and time_ns >= end_ns:
                    break
                if time_ns < start_ns:
                    continue
                for recorded in self._recorded(decoded, time_ns, number):
                    given += 1
                    yield recorded
        if not given:
            raise self.nothing_found(time_ns / 1e9)

    def _recorded(self, decoded: Any, time_ns: int, number: int) -> Iterator[RecordedFrame]:
        try:
            image = rgb_pixels(decoded)
        except FrameError as error:
            self.read_errors.skip(f"{self.path.name}: {error}")
            return
        turns = round(getattr(decoded, "rotation", 0) / 90) % 4
        upright = np.ascontiguousarray(np.rot90(image, turns)) if turns else image
        stamp_ns = FIRST_STAMP_NS + time_ns
        yield RecordedFrame(Frame(upright, stamp_ns, "camera"), stamp_ns, f"{number:06d}")

    def _timed(self, container: Any) -> Iterator[tuple[int, Any]]:
        """Images with their time in ns since the first one, never running backwards."""
        first_s: float | None = None
        period_ns = round(1e9 / self.fps)
        last_ns = -period_ns
        for number, decoded in enumerate(self._decoded(container)):
            if not self._own_clock:
                time_ns = round(number * 1e9 / self.fps)
            elif decoded.time is None:
                time_ns = last_ns + period_ns
            else:
                first_s = decoded.time if first_s is None else first_s
                time_ns = max(round((decoded.time - first_s) * 1e9), last_ns + 1)
            last_ns = time_ns
            yield time_ns, decoded

    def _decoded(self, container: Any) -> Iterator[Any]:
        """Images that decode; what does not is counted."""
        packets = 0
        for packet in self._packets(container):
            packets += 1 if packet.size else 0
            if packet.size and packet.is_corrupt:
                self.read_errors.skip(f"{self.path.name}: image {packets - 1} is cut off")
                continue
            try:
                yield from (decoded for decoded in packet.decode() if not self._broken(decoded))
            except ffmpeg_error() as error:
                self.read_errors.skip(f"{self.path.name}: image {packets - 1}: {error}")
        if packets < self._promised and self._packets_with_empty_ones(packets) < self._promised:
            self.read_errors.note(
                f"{self.path.name}: promises {counted(self._promised, 'image')}, has {packets}; "
                "the file is cut short"
            )

    def _packets_with_empty_ones(self, packets: int) -> int:
        """AVI stands still by packets without content, which FFmpeg leaves out."""
        if not is_avi(self.path):
            return packets
        return max(packets, packets_of(self.path, self._stream_index))

    def _packets(self, container: Any) -> Iterator[Any]:
        stream = container.streams[self._stream_index]
        stream.thread_type = "AUTO"
        try:
            yield from container.demux(stream)
        except ffmpeg_error() as error:
            self.read_errors.note(f"{self.path.name}: cannot be read to the end ({error})")

    def _broken(self, decoded: Any) -> bool:
        if decoded.is_corrupt:
            self.read_errors.skip(f"{self.path.name}: an image is damaged")
        return bool(decoded.is_corrupt)

    def _expected(self) -> int | None:
        if not self._promised:
            return None
        start = round(self.span.start_s * self.fps)
        length = self.span.duration_s
        rest = max(0, self._promised - start)
        return rest if length is None else min(rest, round(length * self.fps))


def _longest(container: Any) -> Any:
    """The video stream with the most images; a cover image is none of them."""
    streams = container.streams.video
    if len(streams) == 1:
        return streams[0]
    # Matroska does not say how long its streams are; a cover has one packet.
    packets = islice(container.demux(video=list(range(len(streams)))), _ENOUGH_PACKETS)
    seen = Counter(packet.stream_index for packet in packets if packet.size)

    def length(stream: Any) -> tuple[bool, float, int]:
        is_cover = bool(stream.disposition & pyav().stream.Disposition.attached_pic)
        duration_s = float((stream.duration or 0) * (stream.time_base or 0))
        return not is_cover and seen[stream.index] > 1, duration_s, seen[stream.index]

    return max(streams, key=length)


def _chosen_stream(path: Path, stream: Any, container: Any) -> str:
    return (
        f"{path.name}: has {len(container.streams.video)} video streams; stream {stream.index} "
        f"({stream.codec_context.name}, {stream.codec_context.width}x"
        f"{stream.codec_context.height}) is the longest and is read"
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    av = pyav()
    try:
        container = av.open(str(path))
    except (OSError, ValueError, av.error.FFmpegError) as error:
        why = _fault(path) or getattr(error, "strerror", None) or error
        raise DataError(
            f"{path}: not a bag, an image or a readable video ({why}); needs a ROS bag (.mcap, "
            f".db3, .bag), a folder of images, or a video ({', '.join(VIDEO_SUFFIXES)}, ...)"
        ) from error
    with container:
        if not container.streams.video:
            # FFmpeg opens an MP4 with a damaged index, and finds no stream of any kind.
            why = "" if len(container.streams) else _fault(path)
            raise DataError(f"{path}: has no video stream{f' ({why})' if why else ''}")
        yield container


def pyav() -> Any:
    """Import PyAV.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise ConfigError(
            "videos need PyAV, which is not installed; run: pip install av"
        ) from error
    return av


def ffmpeg_error() -> type[Exception]:
    """What FFmpeg raises."""
    kind: type[Exception] = pyav().error.FFmpegError
    return kind


def _fault(path: Path) -> str:
    """Say what FFmpeg's words hide; empty where nothing is known."""
    try:
        with path.open("rb") as stream:
            begin = stream.read(12)
        if is_mp4(begin):
            return fault_of(path)
    except OSError:
        return ""
    return "" if begin else "the file is empty"
