# SPDX-License-Identifier: Apache-2.0
"""Several cameras through one engine.

ros2 launch panoptic_ros multi_camera.launch.py cameras:=front,rear
"""

from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription
from panoptic_ros.ros.launching import (
    argument,
    node_arguments,
    panoptic_node,
    transport_actions,
    words,
)


def generate_launch_description() -> LaunchDescription:
    """Start one node for all cameras."""
    return LaunchDescription(
        [
            *node_arguments(),
            DeclareLaunchArgument(
                "cameras",
                default_value="",
                description="Names, separated by commas; topics are ~/<name>/label and so on. "
                "Empty takes those of params_file, or front,rear without one.",
            ),
            DeclareLaunchArgument(
                "images",
                default_value="",
                description="Image topics in the same order; empty takes those of params_file, or "
                "<name>/image each.",
            ),
            *transport_actions(),
            OpaqueFunction(function=_node),
        ]
    )


def _node(context: LaunchContext) -> list[Node]:
    parameters = {"cameras": words(context, "cameras"), "image_topics": words(context, "images")}
    if not parameters["cameras"] and not argument(context, "params_file"):
        parameters["cameras"] = ["front", "rear"]
    return [panoptic_node(context, {name: value for name, value in parameters.items() if value})]
