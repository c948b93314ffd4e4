# SPDX-License-Identifier: Apache-2.0
"""What the messages that are read here must have, whoever defines their classes."""

from __future__ import annotations

from typing import Protocol


class Stamp(Protocol):
    """A ``builtin_interfaces/msg/Time``.

    Attributes:
        sec: Whole seconds.
        nanosec: The rest, 0..999 999 999.
    """

    sec: int
    nanosec: int


class Header(Protocol):
    """A ``std_msgs/msg/Header``.

    Attributes:
        stamp: When the content was true.
        frame_id: Frame of the content.
    """

    stamp: Stamp
    frame_id: str


class Region(Protocol):
    """A ``sensor_msgs/msg/RegionOfInterest``; all 0 for the whole image.

    Attributes:
        x_offset: First column, in pixels of the full resolution.
        y_offset: First row.
        height: Rows.
        width: Columns.
    """

    x_offset: int
    y_offset: int
    height: int
    width: int


class CameraInfo(Protocol):
    """A ``sensor_msgs/msg/CameraInfo``, or a calibration file, as far as the ground needs it.

    Its matrices have another case in ROS 1; ``camera_info`` reads them.

    Attributes:
        height: Of the images at full resolution, in pixels.
        width: Of the images at full resolution, in pixels.
        distortion_model: E.g. ``plumb_bob``.
        binning_x: How many columns of the full resolution are one of the image; 0 as 1.
        binning_y: How many rows are one.
        roi: The part of the full resolution that is sent.
    """

    height: int
    width: int
    distortion_model: str
    binning_x: int
    binning_y: int

    @property
    def roi(self) -> Region: ...  # noqa: D102
