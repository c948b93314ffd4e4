# SPDX-License-Identifier: Apache-2.0
"""Where images come from when no camera is running: bags, videos and folders of images."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.core.types import Frame

FIRST_STAMP_NS = 1_000_000_000
"""Stamp of the first image of an input without clock; 0 means "no time" to ROS."""


@dataclass(frozen=True, eq=False)
class RecordedFrame:
    """One image of an input with what belongs to it.

    Attributes:
        frame: The image.
        time_ns: When the bag received it; the stamp where there is no bag.
        name: Name of its file, or its number in a video or bag.
        camera_info: The CameraInfo message in force, None where there is none.
    """

    frame: Frame
    time_ns: int
    name: str
    camera_info: Any = None

    @property
    def stem(self) -> str:
        """Name without ending."""
        return Path(self.name).stem


@dataclass
class ReadErrors:
    """What could not be read; grows while the input is read.

    True where something was lost; a remark alone is not a loss.

    Attributes:
        skipped: Images that were there but could not be used.
        notes: What was wrong, one sentence each, at most ``MOST_NOTES``; with the remarks.
        remarks: Those of the notes that tell of no loss.
        is_damaged: Whether something that is not a single image was lost.
    """

    MOST_NOTES = 20

    skipped: int = 0
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    is_damaged: bool = False

    def skip(self, why: str) -> None:
        """Count one image that cannot be used."""
        self.skipped += 1
        self.note(why)

    def note(self, what: str) -> None:
        """Remember damage that is not a single image."""
        self.is_damaged = True
        self._add(what)

    def remark(self, what: str) -> None:
        """Remember what the user should know though nothing was lost."""
        if self._add(what):
            self.remarks.append(what)

    @property
    def warnings(self) -> list[str]:
        """Those of the notes that tell of a loss."""
        return [what for what in self.notes if what not in self.remarks]

    def _add(self, what: str) -> bool:
        is_told = what not in self.notes and len(self.notes) < self.MOST_NOTES
        if is_told:
            self.notes.append(what)
        return is_told

    def __bool__(self) -> bool:
        return bool(self.skipped) or self.is_damaged


@dataclass(frozen=True)
class TimeRange:
    """Which part of an input is wanted.

    Attributes:
        start_s: Seconds after the first image.
        duration_s: Seconds from there on, None to the end.
    """

    start_s: float = 0.0
    duration_s: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.start_s < math.inf:
            raise ConfigError(f"start is {self.start_s} s, needs 0 or more")
        if self.duration_s is not None and not 0 < self.duration_s < math.inf:
            raise ConfigError(f"duration is {self.duration_s} s, needs more than 0")

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self.start_s == 0 and self.duration_s is None

    def limits_ns(self, first_ns: int) -> tuple[int, int | None]:
        """First wanted and first unwanted time, counted from the time of the first image."""
        start_ns = first_ns + round(self.start_s * 1e9)
        if self.duration_s is None:
            return start_ns, None
        return start_ns, start_ns + round(self.duration_s * 1e9)


@dataclass(frozen=True)
class ReceiptRange(TimeRange):
    """Which part of a bag is wanted, by the times at which the bag received its messages.

    Attributes:
        start_ns: First wanted time.
        end_ns: First unwanted time, None to the end.
    """

    start_ns: int = 0
    end_ns: int | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self.start_ns == 0 and self.end_ns is None

    def limits_ns(self, first_ns: int) -> tuple[int, int | None]:
        """First wanted and first unwanted time, whatever the time of the first image."""
        return self.start_ns, self.end_ns


class Source(Closing):
    """An input that yields images in their order; read by one thread, closed by its owner.

    Attributes:
        path: The input.
        topic: Image topic of a bag, else empty.
        is_live: Whether it is a camera that is there now and no recording.
        count: Images to expect, None where it is not known; less may come when it is damaged.
        read_errors: What could not be read so far.
    """

    path: Path
    topic: str = ""
    count: int | None = None
    is_live: bool = False

    def __init__(self, path: Path, span: TimeRange) -> None:
        self.path = path
        self.span = span
        self.read_errors = ReadErrors()

    @abstractmethod
    def frames(self) -> Iterator[RecordedFrame]:
        """Yield the images; may be called again to start over.

        Raises:
            DataError: Nothing at all can be read.
        """

    def __iter__(self) -> Iterator[RecordedFrame]:
        """Yield the images from the start."""
        return self.frames()

    def nothing_found(self, length_s: float) -> DataError:
        """Say why there was no image.

        Args:
            length_s: Time of the last image after the first; below 0 where there is none.
        """
        if self.read_errors.skipped or length_s < 0:
            why = f": {self.read_errors.notes[0]}" if self.read_errors.notes else ""
            return DataError(f"{self.path}: no image can be read{why}")
        if self.span.start_s > length_s:
            return DataError(
                f"{self.path}: --start is {self.span.start_s:g} s, the last image is at "
                f"{length_s:.3f} s; needs a smaller --start"
            )
        return DataError(
            f"{self.path}: has no image in the {self.span.duration_s} s after "
            f"{self.span.start_s:g} s; needs a longer --duration"
        )

    def close(self) -> None:  # a folder has nothing to close
        """Free what the input holds; safe to call twice."""


class CalibratedSource(Source):
    """An input whose camera is known from a calibration file; owns the input.

    Args:
        source: The input; a CameraInfo of its own gives way.
        path: The file, see ``camera_yaml``; of rectified images its projection counts.

    Raises:
        DataError: The file cannot be read or is no calibration.
    """

    def __init__(self, source: Source, path: Path) -> None:
        from panoptic_ros.messages.calibration.camera_yaml import read_camera_yaml
        from panoptic_ros.messages.camera_info import for_topic

        self._source = source
        self.path, self.topic, self.count = source.path, source.topic, source.count
        self.is_live = source.is_live
        self.span, self.read_errors = source.span, source.read_errors
        try:
            self._camera_info = for_topic(read_camera_yaml(path), source.topic)
        except DataError:
            source.close()
            raise

    def frames(self) -> Iterator[RecordedFrame]:
        """Yield the images with the calibration.

        Raises:
            DataError: The calibration is for images of another size.
        """
        info = self._camera_info
        for recorded in self._source.frames():
            height, width = recorded.frame.image.shape[:2]
            if (info.height, info.width) != (height, width):
                is_turned = (info.height, info.width) == (width, height)
                raise DataError(
                    f"the calibration is for {info.width}x{info.height}, {self.path.name} has "
                    f"{width}x{height}: calibrate with images of that size"
                    f"{'; an EXIF orientation is not applied' if is_turned else ''}"
                )
            yield replace(recorded, camera_info=info)

    def close(self) -> None:
        """Close the input."""
        self._source.close()


def describe(error: Exception) -> str:
    """One line about an error of another library."""
    return " ".join(str(error).split()) or type(error).__name__
