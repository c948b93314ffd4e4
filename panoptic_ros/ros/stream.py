# SPDX-License-Identifier: Apache-2.0
"""What belongs to one camera while the node is active, and which topics it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.ros.camera_input import CameraInput
from panoptic_ros.ros.camera_output import CameraOutput
from panoptic_ros.ros.ground_output import GroundOutput
from panoptic_ros.ros.parameters import NodeConfig, camera_topic
from panoptic_ros.ros.protocols import PublishingNode, SubscribingNode
from panoptic_ros.ros.statistics import CameraStatistics

Put = Callable[[str, Any], bool]
"""Takes a camera and its message, and says whether an older message was lost by that."""


@dataclass(frozen=True)
class Camera:
    """What belongs to one camera while the node is active."""

    input: CameraInput
    output: CameraOutput
    statistics: CameraStatistics
    ground: GroundOutput


def open_outputs(
    node: PublishingNode, config: NodeConfig, types: MessageTypes
) -> dict[str, CameraOutput]:
    """Offer the topics of every camera; under the camera's name where there are several."""
    several = len(config.cameras) > 1
    return {
        name: CameraOutput(node, f"~/{name}/" if several else "~/", types)
        for name in config.cameras
    }


def open_input(
    node: SubscribingNode,
    config: NodeConfig,
    index: int,
    types: MessageTypes,
    statistics: CameraStatistics,
    put: Put,
) -> CameraInput:
    """Subscribe to a camera.

    Args:
        node: Who subscribes.
        config: Checked parameters.
        index: Which camera.
        types: Message classes.
        statistics: Counts its images.
        put: Takes them.
    """
    name = config.cameras[index]

    def take(message: Any, lost: int) -> None:
        statistics.receive(put(name, message), lost)

    return CameraInput(
        node,
        camera_topic(config, index, "image_topics", "image"),
        _info_topic(node, config, index),
        types,
        take,
    )


def _info_topic(node: SubscribingNode, config: NodeConfig, index: int) -> str:
    """CameraInfo topic where parameter or remapping names it, else empty."""
    usual = camera_topic(config, index, "camera_info_topics", "camera_info")
    said = config.camera_info_topics
    plain = node.resolve_topic_name(usual, only_expand=True)
    is_remapped = node.resolve_topic_name(usual) != plain
    return usual if is_remapped or (any(said) and said[index]) else ""
