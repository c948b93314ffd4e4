# SPDX-License-Identifier: Apache-2.0
"""What the messages that are read here must have, whoever defines their classes."""

from __future__ import annotations

from collections.abc import Sequence
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


class CameraInfo(Protocol):
    """A ``sensor_msgs/msg/CameraInfo``, or a calibration file, as far as the ground needs it.

    Attributes:
        height: Of the images, in pixels.
        width: Of the images, in pixels.
        distortion_model: E.g. ``plumb_bob``.
        d: Distortion, as many values as the model has.
        k: Camera matrix, 9 values row by row.
    """

    height: int
    width: int
    distortion_model: str
    d: Sequence[float]
    k: Sequence[float]
