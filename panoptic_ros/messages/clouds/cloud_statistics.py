# SPDX-License-Identifier: Apache-2.0
"""What happened to the clouds of one camera, in numbers."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

COUNTS = {
    "received": "clouds or depth images that came",
    "labelled": "clouds that were labelled",
    "dropped_unusable": "clouds that cannot be read: fields missing, data cut off, no depth image",
    "dropped_too_large": "clouds with more points than points.max_points",
    "dropped_no_points": "clouds without a single point that is a number",
    "dropped_no_image": "clouds with no image within points.max_offset_s",
    "dropped_no_calibration": "clouds of a camera without a usable camera_info",
    "dropped_no_transform": "clouds whose frame TF does not connect with the camera's",
    "points_not_a_number": "points that are not a number, in clouds that were labelled",
}
"""What is counted for every camera with a cloud topic."""


@dataclass
class CloudStatistics:
    """Counts of one camera; any thread may call any method.

    Attributes:
        problem: Why the last cloud was dropped; empty where it was labelled.
    """

    problem: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _total: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))

    def count(self, what: str, number: int = 1) -> None:
        """Count something of ``COUNTS``."""
        with self._lock:
            self._total[what] += number

    def drop(self, cause: str, why: str) -> None:
        """Count a cloud that is dropped.

        Args:
            cause: Key of ``COUNTS``.
            why: One line.
        """
        self.count(cause)
        self.problem = why

    def totals(self) -> Mapping[str, int]:
        """Counts since start."""
        with self._lock:
            return dict(self._total)

    @property
    def dropped(self) -> int:
        """Clouds that were dropped, whatever the cause."""
        return sum(n for name, n in self.totals().items() if name.startswith("dropped"))
