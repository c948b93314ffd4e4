# SPDX-License-Identifier: Apache-2.0
"""Takes back the last result of a camera that has fallen silent, so nobody drives on old news."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from panoptic_ros.ros.parameters import NodeConfig
from panoptic_ros.ros.protocols import AnyNode
from panoptic_ros.ros.publisher import ResultPublisher
from panoptic_ros.ros.stream import Camera

PERIOD_S = 0.1
"""How often ``look`` wants to be called."""


class Watchdog:
    """Looks at all cameras; used by the executor's thread, so that a hanging engine is noticed.

    Silence is measured in steady time: a paused simulation is silent too.

    Args:
        node: For clock and logger.
        cameras: By name.
        deliveries: Of the same cameras.
        config: Gives the parameters in force.
    """

    def __init__(
        self,
        node: AnyNode,
        cameras: Mapping[str, Camera],
        publishers: Mapping[str, ResultPublisher],
        config: Callable[[], NodeConfig],
    ) -> None:
        self._clock = node.get_clock()
        self._log = node.get_logger()
        self._cameras = cameras
        self._deliveries = publishers
        self._config = config
        self._taken_back_s: dict[str, float] = {}

    def look(self) -> None:
        """Publish void for every silent camera, once per ``stale_after_s``."""
        config = self._config()
        if config.stale_action != "void":
            return
        for name, publisher in self._deliveries.items():
            if publisher.silent_s < config.stale_after_s:
                self._taken_back_s.pop(name, None)
            elif self._is_due(name, config.stale_after_s):
                self._take_back(name, publisher, config)

    def _is_due(self, name: str, period_s: float) -> bool:
        before = self._taken_back_s.get(name)
        return before is None or time.monotonic() - before >= period_s

    def _take_back(self, name: str, publisher: ResultPublisher, config: NodeConfig) -> None:
        stamp = self._clock.now().to_msg()
        if not publisher.publish_void(stamp, config.stale_after_s, config):
            return
        self._cameras[name].statistics.publish_void()
        if name not in self._taken_back_s:
            self._log.warning(
                f"{name}: no result for {publisher.silent_s:.1f} s; void is published until "
                "images come again"
            )
        self._taken_back_s[name] = time.monotonic()
