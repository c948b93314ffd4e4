# SPDX-License-Identifier: Apache-2.0
"""How fast every object moves, from its boxes over time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.clouds.boxes import ObjectBox

Vector = NDArray[np.float64]

ACCELERATION_M_S2 = 3.0
"""Standard deviation of an object's acceleration, along each axis."""

FASTEST_M_S = 20.0
"""Standard deviation of the velocity of an object that is seen for the first time."""

FORGET_S = 2.0
"""An object that had no box for longer starts anew."""

SLOWEST_M_S = 1.0
"""Up to this speed nothing is said about where an object is heading."""

_SURPRISE = 16.0
"""Squared Mahalanobis distance, three axes: farther boxes are of another part, or another object
(chi-squared, 99.9 %)."""


@dataclass(eq=False)
class _Estimate:
    """Position and velocity of one object in the fixed frame.

    Attributes:
        state: (6,).
        covariance: (6, 6).
        size: Of the last box, (3,).
        stamp_ns: Of the last box.
    """

    state: Vector
    covariance: Vector
    size: Vector
    stamp_ns: int


class ObjectFilter:
    """Follows the boxes of one camera's tracks; used by one thread.

    A Kalman filter of constant velocity for each track, as in Bar-Shalom, Li and Kirubarajan,
    Estimation with applications to tracking and navigation (2001), section 6.3.
    """

    def __init__(self) -> None:
        self._estimates: dict[int, _Estimate] = {}
        self._stamp_ns = 0

    def update(
        self, boxes: list[ObjectBox], stamp_ns: int, fixed_from_cloud: Vector | None = None
    ) -> list[ObjectBox]:
        """Take in the boxes of the next cloud.

        Args:
            boxes: Of this cloud.
            stamp_ns: Of this cloud; a time that is not after the last one starts all anew.
            fixed_from_cloud: Takes points of the cloud into a frame that does not move, (4, 4).
                None where that is not known; velocities are then relative to the sensor.

        Returns:
            The boxes with velocities in the axes of the cloud's frame, from an object's second
            box on. The length of what moves over the ground points to where it goes.
        """
        if stamp_ns <= self._stamp_ns:
            self._estimates.clear()
        self._stamp_ns = stamp_ns
        self._forget(stamp_ns)
        if fixed_from_cloud is None:
            return [self._followed(box, stamp_ns, np.eye(4)) for box in boxes]
        followed = [self._followed(box, stamp_ns, fixed_from_cloud) for box in boxes]
        return [_headed(box) for box in followed]

    def _forget(self, stamp_ns: int) -> None:
        for number, estimate in list(self._estimates.items()):
            if stamp_ns - estimate.stamp_ns > FORGET_S * 1e9:
                del self._estimates[number]

    def _followed(self, box: ObjectBox, stamp_ns: int, pose: Vector) -> ObjectBox:
        turn, shift = pose[:3, :3], pose[:3, 3]
        place, noise = turn @ box.center + shift, turn @ box.covariance @ turn.T
        estimate = self._estimates.get(box.track.id)
        if estimate is not None:
            # Where another part of the object comes into view, its middle moves by half of that.
            change = box.axes @ np.diag((0.5 * (box.size - estimate.size)) ** 2) @ box.axes.T
            _predict(estimate, (stamp_ns - estimate.stamp_ns) / 1e9)
            if not _correct(estimate, place, noise + turn @ change @ turn.T):
                estimate = None
        if estimate is None:
            self._estimates[box.track.id] = _started(place, noise, box.size, stamp_ns)
            return box
        estimate.size, estimate.stamp_ns = box.size, stamp_ns
        velocity = turn.T @ estimate.state[3:]
        spread = turn.T @ estimate.covariance[3:, 3:] @ turn
        return replace(box, velocity=velocity, velocity_covariance=spread)


def _headed(box: ObjectBox) -> ObjectBox:
    """Turn a box about so that its length points to where it goes, where it goes anywhere."""
    is_backward = float(box.axes[:, 0] @ box.velocity) < -SLOWEST_M_S
    return replace(box, axes=box.axes * (-1.0, -1.0, 1.0)) if is_backward else box


def _started(place: Vector, noise: Vector, size: Vector, stamp_ns: int) -> _Estimate:
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = noise
    covariance[3:, 3:] = FASTEST_M_S**2 * np.eye(3)
    return _Estimate(np.concatenate((place, np.zeros(3))), covariance, size, stamp_ns)


def _predict(estimate: _Estimate, seconds: float) -> None:
    """Move an estimate on; white noise acceleration, constant within a step."""
    step = np.eye(6)
    step[:3, 3:] = seconds * np.eye(3)
    pull = np.vstack((0.5 * seconds**2 * np.eye(3), seconds * np.eye(3)))
    estimate.state = step @ estimate.state
    noise = ACCELERATION_M_S2**2 * (pull @ pull.T)
    estimate.covariance = step @ estimate.covariance @ step.T + noise


def _correct(estimate: _Estimate, place: Vector, noise: Vector) -> bool:
    """Take in a measured place; False where it is too far from where the object should be."""
    innovation = place - estimate.state[:3]
    spread = np.linalg.inv(estimate.covariance[:3, :3] + noise)
    if innovation @ spread @ innovation > _SURPRISE:
        return False
    gain = estimate.covariance[:, :3] @ spread
    estimate.state = estimate.state + gain @ innovation
    estimate.covariance = estimate.covariance - gain @ estimate.covariance[:3]
    return True
