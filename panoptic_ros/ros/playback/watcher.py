# SPDX-License-Identifier: Apache-2.0
"""The newest of what a node shows and says, for who looks at it from another process."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data

from panoptic_ros.core.closing import Closing
from panoptic_ros.messages.message_types import rclpy_types
from panoptic_ros.ros.playback.published_topics import (
    DIAGNOSTICS,
    is_below,
    open_context,
    published_topics,
)

OVERLAY = "overlay/compressed"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
STATUSES = "diagnostic_msgs/msg/DiagnosticArray"
LOOK_S = 1.0
"""How often the graph is asked for topics."""

_RATE_OVER = 30
_LEVELS = ("ok", "warning", "error", "stale")


@dataclass
class Shown:
    """The newest overlay of one camera, and when the last ones came."""

    jpeg: bytes = b""
    number: int = 0
    arrived_s: deque[float] = field(default_factory=lambda: deque(maxlen=_RATE_OVER))

    @property
    def rate_hz(self) -> float:
        """Overlays in a second, over the last ones."""
        if len(self.arrived_s) < 2:
            return 0.0
        return (len(self.arrived_s) - 1) / max(1e-6, self.arrived_s[-1] - self.arrived_s[0])


class Watcher(Closing):
    """Listens to a node's overlays and diagnostics in a thread of its own.

    Methods may be called from any thread.

    Args:
        node_name: Full name of the node, like ``/panoptic``.

    Raises:
        ConfigError: rclpy is not installed.
    """

    def __init__(self, node_name: str) -> None:
        import rclpy

        self.node_name = node_name.rstrip("/")
        self._context = open_context()
        self._node = rclpy.create_node("panoptic_watch", context=self._context)
        self._types = rclpy_types()
        self._changed = threading.Condition()
        self._cameras: dict[str, Shown] = {}
        self._statuses: dict[str, dict[str, Any]] = {}
        self._topics: list[dict[str, Any]] = []
        kind = self._types.find(STATUSES)
        self._subscribe(kind, DIAGNOSTICS, self._keep_statuses)
        self._is_done = threading.Event()
        self._thread = threading.Thread(target=self._spin, name="watcher", daemon=True)
        self._thread.start()

    def snapshot(self) -> dict[str, Any]:
        """Say what is known now, in JSON types."""
        with self._changed:
            now_s = time.monotonic()
            cameras = [
                {
                    "name": name,
                    "frames": shown.number,
                    "rate_hz": round(shown.rate_hz, 1),
                    "age_s": round(now_s - shown.arrived_s[-1], 1) if shown.arrived_s else None,
                }
                for name, shown in sorted(self._cameras.items())
            ]
            return {
                "node": self.node_name,
                "cameras": cameras,
                "statuses": [self._statuses[name] for name in sorted(self._statuses)],
                "topics": self._topics,
            }

    def wait_for_topics(self, patience_s: float) -> bool:
        """Wait until the node publishes a topic.

        Args:
            patience_s: How long at most.

        Returns:
            Whether it does.
        """
        with self._changed:
            return bool(self._changed.wait_for(lambda: self._topics, patience_s))

    def next_image(self, camera: str, after: int, patience_s: float) -> tuple[int, bytes] | None:
        """Wait for an overlay.

        Args:
            camera: Name of the camera, empty where the node has one.
            after: Number of the overlay that was seen last.
            patience_s: How long to wait.

        Returns:
            Number and JPEG of the newest one; None where none came.
        """

        def is_newer() -> bool:
            shown = self._cameras.get(camera)
            return shown is not None and shown.number > after

        with self._changed:
            if not self._changed.wait_for(is_newer, patience_s):
                return None
            shown = self._cameras[camera]
            return shown.number, shown.jpeg

    def _spin(self) -> None:
        executor = SingleThreadedExecutor(context=self._context)
        executor.add_node(self._node)
        due_s = 0.0
        while not self._is_done.is_set():
            if time.monotonic() >= due_s:
                self._look_around()
                due_s = time.monotonic() + LOOK_S
            executor.spin_once(timeout_sec=0.05)

    def _look_around(self) -> None:
        """List the node's topics; listen to overlays that were not there before."""
        mine = [one for one in published_topics(self._node) if is_below(one.name, self.node_name)]
        with self._changed:
            self._topics = [
                {"name": one.name, "type": one.type, "listeners": one.listeners} for one in mine
            ]
            self._changed.notify_all()
        for one in mine:
            if one.name.endswith(f"/{OVERLAY}") and one.type == COMPRESSED:
                self._listen(one.name)

    def _listen(self, topic: str) -> None:
        camera = topic.removeprefix(self.node_name).removesuffix(OVERLAY).strip("/")
        if camera in self._cameras:
            return
        with self._changed:
            self._cameras[camera] = Shown()

        def keep(message: Any) -> None:
            with self._changed:
                shown = self._cameras[camera]
                shown.jpeg, shown.number = bytes(message.data), shown.number + 1
                shown.arrived_s.append(time.monotonic())
                self._changed.notify_all()

        self._subscribe(self._types.find(COMPRESSED), topic, keep)

    def _subscribe(self, kind: Any, topic: str, keep: Callable[[Any], None]) -> None:
        # Best effort takes what anybody publishes, reliably or not.
        self._node.create_subscription(kind, topic, keep, qos_profile_sensor_data)

    def _keep_statuses(self, message: Any) -> None:
        with self._changed:
            for status in message.status:
                # A byte in rclpy, a number in other libraries.
                level = status.level[0] if isinstance(status.level, bytes) else int(status.level)
                self._statuses[status.name] = {
                    "name": status.name,
                    "level": _LEVELS[min(level, len(_LEVELS) - 1)],
                    "message": status.message,
                    "values": [[pair.key, pair.value] for pair in status.values],
                }

    def close(self) -> None:
        """Stop listening; safe to call twice."""
        self._is_done.set()
        # The thread must not meet a context that is gone; it looks at the flag every 50 ms.
        self._thread.join()
        self._context.try_shutdown()
