# SPDX-License-Identifier: Apache-2.0
"""Write images as a video that browsers play, through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.core.files.output import unwritten, written_aside
from panoptic_ros.recordings.video import ffmpeg_error, pyav

FILM_SUFFIXES = (".mp4", ".mkv", ".webm")
"""Containers that are written; the encoder that is liked best fits into each of them."""

CODECS = {
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "crf": "32", "b": "0"},
    "mpeg4": {"b": "6000000"},
}
"""Encoders and their options, in order of liking: browsers play the first, every build has the
second. None of them is under the GPL; see docs/decisions/video-codec.md."""

USUAL_FPS = 25
LONGEST_STEP_MS = 5000
_MILLISECOND = Fraction(1, 1000)


class VideoWriter(Closing):
    """Writes RGB images as a video that browsers play; used by one thread.

    The first image sets the size (an odd row or column is cut off, as the codecs need);
    images of another size are scaled to it. Images keep the distance of their stamps; where
    stamps jump, the step of ``USUAL_FPS`` is taken. The file is written aside and takes its place
    when it is closed; where the block that owns the writer fails, nothing of it is left.

    Args:
        path: The file; its ending is one of ``FILM_SUFFIXES``.

    Raises:
        ConfigError: PyAV is not installed, or the name has another ending.
        DataError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        av = pyav()
        if path.suffix.lower() not in FILM_SUFFIXES:
            raise ConfigError(
                f"{path}: films are written as {', '.join(FILM_SUFFIXES)}; name it {path.stem}.mp4"
            )
        self._path = path
        self._stream: Any = None
        self._last_ns = 0
        self._time_ms = 0
        with self._refusing(), ExitStack() as aside:
            part = aside.enter_context(written_aside(path))
            self._container = av.open(str(part), "w", options={"movflags": "faststart"})
            self._aside = aside.pop_all()

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Say what FFmpeg and the disk refuse in one line."""
        try:
            yield
        except _refusals() as error:
            if isinstance(error, OSError) and error.strerror:
                raise DataError(unwritten(self._path, error)) from error
            raise DataError(f"{self._path}: cannot be written ({error})") from error

    def write(self, image: NDArray[np.uint8], stamp_ns: int) -> None:
        """Append one image.

        Args:
            image: RGB, (H, W, 3).
            stamp_ns: When it was taken.

        Raises:
            DataError: It cannot be written.
        """
        if self._stream is not None:
            self._time_ms += _step_ms(self._last_ns, stamp_ns)
        self._last_ns = stamp_ns
        with self._refusing():
            if self._stream is None:
                self._stream = self._started(image.shape[1], image.shape[0])
            frame = pyav().VideoFrame.from_ndarray(self._fitted(image), format="rgb24")
            frame.pts, frame.time_base = self._time_ms, _MILLISECOND
            self._container.mux(self._stream.encode(frame))

    def _fitted(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut off an odd row or column, scale an image of another size."""
        width, height = self._stream.width, self._stream.height
        odd = (image.shape[0] - height, image.shape[1] - width)
        if set(odd) <= {0, 1}:
            return np.ascontiguousarray(image[:height, :width])
        return np.ascontiguousarray(cv2.resize(image, (width, height)), np.uint8)

    def _started(self, width: int, height: int) -> Any:
        av = pyav()
        codec = next(name for name in CODECS if name in av.codecs_available)
        stream = self._container.add_stream(codec, rate=USUAL_FPS)
        stream.codec_context.time_base = _MILLISECOND
        stream.width, stream.height = max(2, width // 2 * 2), max(2, height // 2 * 2)
        stream.pix_fmt = "yuv420p"
        stream.options = dict(CODECS[codec])
        return stream

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
            return
        with suppress(*_refusals()):
            self._container.close()
        self._aside.__exit__(kind, error, trace)

    def close(self) -> None:
        """Finish the file and put it in its place; safe to call twice.

        Raises:
            DataError: It cannot be written.
        """
        with self._refusing(), self._aside:
            if self._stream is not None:
                stream, self._stream = self._stream, None
                self._container.mux(stream.encode(None))
            self._container.close()


def _refusals() -> tuple[type[Exception], ...]:
    """What FFmpeg and the disk raise."""
    return OSError, ValueError, ffmpeg_error()


def _step_ms(last_ns: int, stamp_ns: int) -> int:
    step_ms = round((stamp_ns - last_ns) / 1e6)
    return step_ms if 0 < step_ms <= LONGEST_STEP_MS else 1000 // USUAL_FPS
