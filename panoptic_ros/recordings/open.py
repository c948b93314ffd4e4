# SPDX-License-Identifier: Apache-2.0
"""Open a recorded input by what it is."""

from __future__ import annotations

from pathlib import Path

from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.data.images import IMAGE_SUFFIXES
from panoptic_ros.recordings.bag import BagSource
from panoptic_ros.recordings.folder import FolderSource
from panoptic_ros.recordings.live import LiveSource, is_live
from panoptic_ros.recordings.open_bag import is_storage_file, storage_files
from panoptic_ros.recordings.source import Source, TimeRange
from panoptic_ros.recordings.storage.metadata import NAME
from panoptic_ros.recordings.video import VideoSource


def open_source(
    path: Path | str, topic: str = "", span: TimeRange | None = None, fps: float | None = None
) -> Source:
    """Open an input by what it is.

    Args:
        path: ROS 2 bag (file or folder), ROS 1 bag, video file, image, or folder of images; or a
            camera, ``/dev/videoN`` or an address such as ``rtsp://HOST/STREAM``.
        topic: Image topic of a bag; may be empty where the bag has only one.
        span: Which part is wanted; all by default.
        fps: Images per second of a folder (10 by default); overrides a video's own clock.

    Raises:
        ConfigError: ``fps`` is not a rate, or ``topic`` is given for what is no bag.
        DataError: There is no such input or it cannot be read at all.
    """
    if fps is not None and not 0 < fps <= 1e6:
        raise ConfigError(f"fps is {fps}, needs a number above 0")
    span = span or TimeRange()
    if is_live(path):
        return LiveSource(path, span)
    path = Path(path).expanduser()
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    try:
        if is_bag(path):
            return BagSource(path, topic, span)
        if topic:
            raise ConfigError(
                f"{path}: is not a bag, so it has no topic {topic} (panoptic play publishes on "
                "the topic of --to)"
            )
        if path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES:
            return FolderSource(path, span, fps)
        return VideoSource(path, span, fps)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def is_bag(path: Path) -> bool:
    """Whether a file or folder is read as a bag."""
    if path.is_dir():
        return (path / NAME).is_file() or bool(storage_files(path))
    return path.suffix.lower() not in IMAGE_SUFFIXES and is_storage_file(path)
