# SPDX-License-Identifier: Apache-2.0
"""A node on no graph: a test says who publishes, and hands over what comes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any


@dataclass(frozen=True)
class End:
    """Who publishes on a topic."""

    topic_type: str
    node_name: str = "driver"
    node_namespace: str = "/"
    is_latched: bool = False
    is_reliable: bool = True

    @property
    def qos_profile(self) -> Any:
        """What is offered, as rclpy tells it."""
        from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

        latched, volatile = DurabilityPolicy.TRANSIENT_LOCAL, DurabilityPolicy.VOLATILE
        reliable, best_effort = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT
        return SimpleNamespace(
            durability=latched if self.is_latched else volatile,
            reliability=reliable if self.is_reliable else best_effort,
        )


@dataclass(eq=False)
class Subscription:
    """Somebody who listens."""

    kind: Any
    topic: str
    callback: Callable[..., Any]
    qos: Any
    may_override: bool


@dataclass
class DrawnNode:
    """Notes what is asked of a node.

    Attributes:
        remapped: Full names of topics by those that are remapped to them.
        ends: Who publishes, by topic.
        listening: Subscriptions that are open.
        offered: Topics that are offered.
        warned: Warnings.
        quiet_s: After each of them, for how long its like is not said.
        informed: Other lines of the log.
        now_ns: The node's time.
    """

    remapped: Mapping[str, str] = field(default_factory=dict)
    ends: dict[str, list[End]] = field(default_factory=dict)
    listening: list[Subscription] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    quiet_s: list[float] = field(default_factory=list)
    informed: list[str] = field(default_factory=list)
    now_ns: int = 0

    def resolve_topic_name(self, topic: str, *, only_expand: bool = False) -> str:
        full = topic if topic.startswith("/") else f"/{topic}"
        return full if only_expand else self.remapped.get(full, full)

    def get_publishers_info_by_topic(self, topic: str) -> list[End]:
        return self.ends.get(topic, [])

    def create_subscription(
        self, kind: Any, topic: str, callback: Any, qos: Any, **options: Any
    ) -> Subscription:
        may_override = options.get("qos_overriding_options") is not None
        self.listening.append(Subscription(kind, topic, callback, qos, may_override))
        return self.listening[-1]

    def destroy_subscription(self, subscription: Subscription) -> None:
        self.listening.remove(subscription)

    def create_lifecycle_publisher(self, kind: Any, topic: str, qos: Any, **options: Any) -> Any:
        self.offered.append(topic)
        return SimpleNamespace(topic=topic, get_subscription_count=lambda: 0)

    def destroy_lifecycle_publisher(self, publisher: Any) -> None:
        self.offered.remove(publisher.topic)

    def get_logger(self) -> Any:
        return self

    def warning(self, words: str, *, throttle_duration_sec: float = 0.0) -> None:
        self.warned.append(words)
        self.quiet_s.append(throttle_duration_sec)

    def info(self, words: str) -> None:
        self.informed.append(words)

    def get_clock(self) -> Any:
        return SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=self.now_ns))

    @property
    def topics(self) -> list[str]:
        """Those that are listened to."""
        return [one.topic for one in self.listening]

    def depth(self, topic: str) -> int:
        """How many messages of a topic wait for the node."""
        (depth,) = [int(one.qos.depth) for one in self.listening if one.topic == topic]
        return depth

    def hear(self, topic: str, message: Any, number: int | None = None) -> None:
        """Hand over a message; its publisher has sent ``number`` up to it."""
        about = {"publication_sequence_number": number}
        for one in [entry for entry in self.listening if entry.topic == topic]:
            takes_both = len(inspect.signature(one.callback).parameters) == 2
            one.callback(message, about) if takes_both else one.callback(message)
