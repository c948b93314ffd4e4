# SPDX-License-Identifier: Apache-2.0
"""What the node lacks on this machine and goes on without, said once at its start."""

from __future__ import annotations

from rclpy.utilities import get_rmw_implementation_identifier

from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.vision import DETECTION_ARRAY, LABEL_INFO
from panoptic_ros.ros.protocols import Logger
from panoptic_ros.ros.transport import profile as transport


def say_what_is_missing(types: MessageTypes, log: Logger) -> None:
    """Log which topics are left out, and that large images may get lost.

    Args:
        types: Message classes.
        log: Takes the lines.
    """
    missing = [name for name in (DETECTION_ARRAY, LABEL_INFO) if not types.has(name)]
    if missing:
        log.info(
            "without ~/detections and ~/label_info: vision_msgs is not installed "
            "(ros-<distro>-vision-msgs)"
            if len(missing) == 2
            else f"the installed vision_msgs lacks {missing[0]}; its topic is left out"
        )
    if transport.needs_warning(get_rmw_implementation_identifier()):
        log.warning(transport.warning())
