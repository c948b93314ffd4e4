# SPDX-License-Identifier: Apache-2.0
"""One camera: ros2 launch panoptic_ros panoptic.launch.py image:=/camera/image_raw."""

from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription
from panoptic_ros.ros.launching import argument, node_arguments, panoptic_node, transport_actions


def generate_launch_description() -> LaunchDescription:
    """Start the node for one camera."""
    return LaunchDescription(
        [
            *node_arguments(),
            DeclareLaunchArgument(
                "image",
                default_value="image",
                description="Image or CompressedImage topic; camera_info is taken beside it.",
            ),
            *transport_actions(),
            OpaqueFunction(function=_node),
        ]
    )


def _node(context: LaunchContext) -> list[Node]:
    return [panoptic_node(context, remappings={"image": argument(context, "image")})]
