# SPDX-License-Identifier: Apache-2.0
"""Quality of service of a topic of its own, which ``qos_overrides`` of a user may change.

rclpy writes overrides into the profile that it is given, so no two topics may share one.
"""

from __future__ import annotations

from dataclasses import dataclass

from rcl_interfaces.msg import SetParametersResult
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions


@dataclass(frozen=True)
class Quality:
    """What a topic has unless a user says otherwise; the last messages are kept.

    Attributes:
        depth: How many.
        is_reliable: Whether lost messages are sent again.
        is_latched: Whether those who come later get the last messages.
        least_depth: What an override of the depth is raised to.
    """

    depth: int
    is_reliable: bool = False
    is_latched: bool = False
    least_depth: int = 0

    def profile(self) -> QoSProfile:
        """Make a profile that belongs to one topic."""
        best_effort, reliable = ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE
        profile = QoSProfile(
            history=HistoryPolicy.KEEP_LAST,
            depth=self.depth,
            reliability=reliable if self.is_reliable else best_effort,
        )
        if self.is_latched:
            profile.durability = DurabilityPolicy.TRANSIENT_LOCAL
        return profile

    def overrides(self) -> QoSOverridingOptions:
        """Let a user change history, depth and reliability."""
        return QoSOverridingOptions.with_default_policies(callback=self._accept)

    def _accept(self, profile: QoSProfile) -> SetParametersResult:
        """Raise the depth: a topic keeps the parameter that it declared at first."""
        profile.depth = max(profile.depth, self.least_depth)
        return SetParametersResult(successful=True)
