# SPDX-License-Identifier: Apache-2.0
"""What a node publishes, as the graph tells it to a process that only listens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from panoptic_ros.core.errors import ConfigError

DIAGNOSTICS = "/diagnostics"


@dataclass(frozen=True)
class PublishedTopic:
    """One topic that somebody publishes.

    Attributes:
        name: Full name.
        type: Like ``sensor_msgs/msg/Image``.
        is_reliable: Whether all who publish it resend what is lost.
        listeners: How many subscribe to it.
        is_latched: Whether all who publish it give the last messages to those who come later.
    """

    name: str
    type: str
    is_reliable: bool
    listeners: int
    is_latched: bool = False


def open_context() -> Any:
    """Start rclpy in a context of its own, with the transport that large images need.

    Raises:
        ConfigError: rclpy is not installed.
    """
    import os

    from panoptic_ros.ros.transport.profile import with_profile

    try:
        import rclpy
    except ImportError as error:
        raise ConfigError(
            "rclpy is not here; source a ROS 2 installation, or see docs/install.md for its wheels"
        ) from error
    # The middleware reads its environment when the context starts.
    os.environ.update(with_profile())
    context = rclpy.Context()
    context.init()
    return context


def published_topics(node: Any) -> Iterator[PublishedTopic]:
    """List what is published now, by name.

    Args:
        node: Asks the graph.
    """
    from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

    for name, kinds in sorted(node.get_topic_names_and_types()):
        ends = node.get_publishers_info_by_topic(name)
        if not ends or len(kinds) != 1:
            continue
        offers = [end.qos_profile for end in ends]
        yield PublishedTopic(
            name,
            kinds[0],
            is_reliable=all(one.reliability == ReliabilityPolicy.RELIABLE for one in offers),
            listeners=int(node.count_subscribers(name)),
            is_latched=all(one.durability == DurabilityPolicy.TRANSIENT_LOCAL for one in offers),
        )


def is_below(name: str, node_name: str) -> bool:
    """Whether a topic is one of a node's own."""
    return name.startswith(f"{node_name}/")
