# SPDX-License-Identifier: Apache-2.0
"""A folder of images read as the images of one camera."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from panoptic_ros.core.errors import DataError, counted
from panoptic_ros.core.types import Frame
from panoptic_ros.data.exif import UPRIGHT
from panoptic_ros.data.images import (
    IMAGE_SUFFIXES,
    exif_orientation,
    is_sixteen_bit,
    read_image,
)
from panoptic_ros.messages.bit_depth import dark_words, is_dark
from panoptic_ros.recordings.source import (
    FIRST_STAMP_NS,
    RecordedFrame,
    Source,
    TimeRange,
)

DEFAULT_FPS = 10.0

_OTHER_SUFFIX = re.compile(
    r"\.(avif|gif|hei[cf]|jp2|j2k|jpx|jxl|jfif|jpe|exr|hdr|pfm|pbm|pnm|tga|svg|ico|psd|raw|dng"
    r"|cr[23]|nef|arw|orf|rw2)"
)
"""Endings of images that are not read."""


class FolderSource(Source):
    """Images of one folder, or one image, in the order of their names.

    Numbers inside of names count as numbers: ``frame_2`` comes before ``frame_10``.

    Args:
        path: The folder (its subfolders are not read) or the image.
        span: Which part is wanted.
        fps: Images per second.

    Raises:
        DataError: The folder has no image.
    """

    def __init__(self, path: Path, span: TimeRange, fps: float | None = None) -> None:
        super().__init__(path, span)
        self._period_ns = 1e9 / (fps or DEFAULT_FPS)
        files = image_files(path) if path.is_dir() else [path]
        others = _other_images(path) if path.is_dir() else {}
        if not files:
            found = f" ({_listed(others)} are not read)" if others else ""
            raise DataError(
                f"{path}: the folder has no image; needs files like "
                f"{', '.join(IMAGE_SUFFIXES)}{found}"
            )
        if others:
            self.read_errors.remark(
                f"{path.name}: image files that are not read: {_listed(others)}"
            )
        self._length_s = (len(files) - 1) * self._period_ns / 1e9
        self._wanted = [
            (self._stamp_ns(index), file) for index, file in enumerate(files) if self._has(index)
        ]
        self.count = len(self._wanted)

    def frames(self) -> Iterator[RecordedFrame]:
        """Yield the images that can be read; the others are counted in ``read_errors``.

        Raises:
            DataError: None of the wanted part can be read.
        """
        given, turned, is_dark_told = 0, 0, False
        for stamp_ns, file in self._wanted:
            try:
                image = read_image(file)
            except DataError as error:
                self.read_errors.skip(str(error))
                continue
            given += 1
            # The depth is looked for in dark images alone: the file is read once more for it.
            if not is_dark_told and is_dark(image) and is_sixteen_bit(file):
                is_dark_told = True
                self.read_errors.note(f"{self.path.name}: {dark_words('16-bit')}")
            turned += exif_orientation(file) != UPRIGHT
            yield RecordedFrame(Frame(image, stamp_ns, "camera"), stamp_ns, file.name)
        if not given:
            raise self.nothing_found(self._length_s)
        if turned:
            self.read_errors.remark(
                f"{counted(turned, 'image')} with an EXIF orientation, which is not applied: the "
                "pixels are taken as they are stored"
            )

    def _stamp_ns(self, index: int) -> int:
        return FIRST_STAMP_NS + round(index * self._period_ns)

    def _has(self, index: int) -> bool:
        start_ns, end_ns = self.span.limits_ns(FIRST_STAMP_NS)
        stamp_ns = self._stamp_ns(index)
        return stamp_ns >= start_ns and (end_ns is None or stamp_ns < end_ns)


def image_files(folder: Path) -> list[Path]:
    """List the images of a folder in the order of their names, numbers as numbers."""
    found = (entry for entry in folder.iterdir() if entry.suffix.lower() in IMAGE_SUFFIXES)
    return sorted((entry for entry in found if entry.is_file()), key=_natural)


def _other_images(folder: Path) -> dict[str, int]:
    """Count the image files of kinds that are not read, by their ending."""
    endings = (entry.suffix.lower() for entry in folder.iterdir() if entry.is_file())
    return dict(sorted(Counter(end for end in endings if _OTHER_SUFFIX.fullmatch(end)).items()))


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {suffix}" for suffix, count in counts.items())


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name
