# SPDX-License-Identifier: Apache-2.0
"""Takes back the last result of a silent camera, so that no consumer acts on stale data."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.messages.protocols import Stamp
from panoptic_ros.ros.camera.statistics import CameraStatistics

PERIOD_S = 0.1
"""How often ``look`` wants to be called."""


class VoidPublisher(Protocol):
    """What a watchdog looks after."""

    @property
    def since_s(self) -> float:
        """When, in steady time, the last result went out, or the start before the first."""

    def publish_void(self, stamp: Stamp, silence_s: float, config: NodeConfig) -> bool:
        """Publish that nothing is known, if there was no result for so long."""


class Watchdog:
    """Looks at one camera; used by the executor's thread, so that a hanging engine is noticed.

    Silence is measured in steady time: a paused simulation is silent too.

    Args:
        camera: Its name.
        publisher: Its results.
        statistics: Counts the void results.
        stamp: Gives the node's time, as a ``builtin_interfaces/msg/Time``.
        warn: Told once of every silence.
        now_s: The steady clock.
    """

    def __init__(
        self,
        camera: str,
        publisher: VoidPublisher,
        statistics: CameraStatistics,
        stamp: Callable[[], Stamp],
        warn: Callable[[str], object],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._camera = camera
        self._publisher = publisher
        self._statistics = statistics
        self._stamp = stamp
        self._warn = warn
        self._now_s = now_s
        self._silence_since_s: float | None = None
        self._void_s = 0.0

    def look(self, config: NodeConfig) -> None:
        """Publish void for a silent camera, once per ``stale_after_s``."""
        now_s, since_s = self._now_s(), self._publisher.since_s
        is_stale = now_s - since_s >= config.stale_after_s
        is_told = since_s == self._silence_since_s
        is_due = not is_told or now_s - self._void_s >= config.stale_after_s
        if config.stale_action != "void" or not is_stale or not is_due:
            return
        if not self._publisher.publish_void(self._stamp(), config.stale_after_s, config):
            return
        self._statistics.publish_void()
        if not is_told:
            self._warn(
                f"{self._camera}: no result for {now_s - since_s:.1f} s; void is published until "
                "images come again"
            )
        self._silence_since_s, self._void_s = since_s, now_s
