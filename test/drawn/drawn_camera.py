# SPDX-License-Identifier: Apache-2.0
"""A camera that publishes drawn streets, and short words for what a node answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from test.drawn.graph import Bench, header, image
from test.drawn.street_scene import street

SECOND = 1_000_000_000
DIAGNOSTICS = "diagnostic_msgs/msg/DiagnosticArray"
CAMERA = "panoptic: camera"
"""Status of a single camera on ``/diagnostics``."""


class Camera:
    """Publishes images with growing stamps."""

    def __init__(self, bench: Bench, topic: str = "/image") -> None:
        self.bench = bench
        self.topic = topic
        self.stamp_ns = 100 * SECOND

    def shoot(self, message: Any = None, step_ns: int = SECOND // 20) -> None:
        self.stamp_ns += step_ns
        if message is None:
            message = image(street((10, 10), (15, 40)), self.stamp_ns)
        message.header = header(self.stamp_ns)
        self.bench.publish(self.topic, message)


def state(node: Any) -> str:
    """Lifecycle state of a node."""
    return str(node._state_machine.current_state[1])


def ids(message: Any) -> set[int]:
    """Track ids in an ``~/instance`` image."""
    return set(np.unique(np.frombuffer(message.data, np.uint16)).tolist())


def last(reports: list[Any]) -> list[Any]:
    """Statuses of the latest message on ``/diagnostics``."""
    return list(reports[-1].status) if reports else []


def value(reports: list[Any], name: str, key: str) -> str:
    """A value of a status of the latest message on ``/diagnostics``; empty where there is none."""
    pairs = [pair for row in last(reports) if row.name == name for pair in row.values]
    return next((str(pair.value) for pair in pairs if pair.key == key), "")


def words(reports: list[Any], name: str) -> tuple[int, str]:
    """Level and message of a status of the latest message on ``/diagnostics``."""
    rows = [(row.level[0], str(row.message)) for row in last(reports) if row.name == name]
    return rows[0] if rows else (-1, "")


def is_served(reports: list[Any], name: str = CAMERA) -> bool:
    """Whether nothing is wrong with a camera; a busy machine loses images on their way."""
    level, message = words(reports, name)
    return level == 0 or "were lost on their way" in message
