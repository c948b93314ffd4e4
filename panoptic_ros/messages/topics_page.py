# SPDX-License-Identifier: Apache-2.0
"""The table of output topics as the docs show it."""

from __future__ import annotations

from panoptic_ros.messages.topic import Topic
from panoptic_ros.messages.topics import TOPICS

_ALWAYS_THERE = ("sensor_msgs", "geometry_msgs", "nav_msgs")
"""Packages that every installation of ROS 2 has."""


def to_markdown() -> str:
    """Write all output topics as a table."""
    rows = ["| topic | type, encoding | needs | meaning |", "|---|---|---|---|"]
    rows += [_row(topic) for topic in TOPICS.values()]
    return "\n".join(rows) + "\n"


def _row(topic: Topic) -> str:
    package, _, name = topic.type.split("/")
    kind = name if package == "sensor_msgs" else f"{package}/{name}"
    if topic.encoding:
        kind += " " + " or ".join(f"`{one}`" for one in topic.encodings)
    needs = [topic.needs] if topic.needs else []
    if package not in _ALWAYS_THERE:
        needs.append(f"`{package}`")
    meaning = f"{topic.meaning}; latched" if topic.is_latched else topic.meaning
    return f"| `~/{topic.name}` | {kind} | {', '.join(needs)} | {meaning} |"
