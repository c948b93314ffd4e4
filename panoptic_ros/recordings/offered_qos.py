# SPDX-License-Identifier: Apache-2.0
"""Quality of service of recorded topics, by which a player offers them again.

Source of the keys: rosbag2_storage, ``qos.cpp``; numbers are those of rmw, which Jazzy replaced by
words.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from panoptic_ros.core.files.document import DocumentError, parse_yaml


def topic_qos(is_latched: bool) -> Any:
    """Profile of a topic whose publisher is reliable.

    Args:
        is_latched: Whether late listeners get the newest message.

    Returns:
        A ``rosbags.interfaces.Qos``.
    """
    from rosbags.interfaces import QosDurability, QosHistory, QosReliability

    durability = QosDurability.TRANSIENT_LOCAL if is_latched else QosDurability.VOLATILE
    return _profile(QosHistory.KEEP_LAST, 1, QosReliability.RELIABLE, durability)


def offered_qos(text: str) -> list[Any]:
    """Read the profiles of a topic's publishers.

    Args:
        text: ``offered_qos_profiles`` as rosbag2 writes it.

    Returns:
        A ``rosbags.interfaces.Qos`` for each; none where the text is damaged. Times are not kept.
    """
    try:
        told = parse_yaml(text)
    except DocumentError:
        return []
    return [_read(one) for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _read(told: dict[str, Any]) -> Any:
    from rosbags.interfaces import QosDurability, QosHistory, QosReliability

    depth = told.get("depth")
    return _profile(
        _policy(QosHistory, told.get("history")),
        depth if isinstance(depth, int) and depth >= 0 else 1,
        _policy(QosReliability, told.get("reliability")),
        _policy(QosDurability, told.get("durability")),
    )


def _policy(kind: Any, told: Any) -> Any:
    """A policy by its number or its word; the middleware's default for any other."""
    with suppress(KeyError, ValueError):
        return kind(told) if isinstance(told, int) else kind[str(told).upper()]
    return kind.SYSTEM_DEFAULT


def _profile(history: Any, depth: int, reliability: Any, durability: Any) -> Any:
    from rosbags.interfaces import Qos, QosLiveliness, QosTime

    never = QosTime(0, 0)
    return Qos(
        history=history,
        depth=depth,
        reliability=reliability,
        durability=durability,
        deadline=never,
        lifespan=never,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=never,
        avoid_ros_namespace_conventions=False,
    )
