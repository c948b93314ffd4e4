# SPDX-License-Identifier: Apache-2.0
"""Play a recording through the node and look at it.

ros2 launch panoptic_ros replay.launch.py input:=drive.mcap rviz:=true
"""

import sys
from typing import Any

from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription
from panoptic_ros.core.files.resources import resource
from panoptic_ros.ros.launching import (
    argument,
    is_true,
    node_arguments,
    panoptic_node,
    transport_actions,
)

ARGUMENTS = {
    "input": (None, "ROS 2 or ROS 1 bag, video or folder of images."),
    "image": ("/camera/image_raw", "Image topic to play to; the bag's, with player:=ros2."),
    "topic": ("", "Image topic of the bag, where it has several; empty with one."),
    "rate": ("1.0", "Speed of the player."),
    "loop": ("false", "Start over at the end."),
    "player": ("panoptic", "panoptic (any input) or ros2 (ros2 bag play)."),
    "rviz": ("false", "Open RViz."),
}


def generate_launch_description() -> LaunchDescription:
    """Start player and node, and RViz if asked for; end when the player ends."""
    own = [
        DeclareLaunchArgument(name, default_value=value, description=words)
        for name, (value, words) in ARGUMENTS.items()
    ]
    return LaunchDescription(
        [
            *node_arguments(use_sim_time="true"),
            *own,
            *transport_actions(),
            OpaqueFunction(function=_actions),
        ]
    )


def _actions(context: LaunchContext) -> list[Any]:
    player = ExecuteProcess(cmd=_player(context), output="screen")
    at_the_end = OnProcessExit(
        target_action=player, on_exit=[EmitEvent(event=Shutdown(reason="the recording ended"))]
    )
    node = panoptic_node(context, remappings={"image": argument(context, "image")})
    actions = [node, RegisterEventHandler(at_the_end), player]
    if is_true(context, "rviz"):
        view = str(resource("config", "panoptic.rviz"))
        actions.append(Node(package="rviz2", executable="rviz2", arguments=["-d", view]))
    return actions


def _player(context: LaunchContext) -> list[str]:
    source, rate = argument(context, "input"), argument(context, "rate")
    topic, image = argument(context, "topic"), argument(context, "image")
    loop = ["--loop"] if is_true(context, "loop") else []
    if argument(context, "player") == "ros2":
        renamed = ["--remap", f"{topic}:={image}"] if topic else []
        return ["ros2", "bag", "play", source, "--clock", "--rate", rate, *loop, *renamed]
    chosen = ["--topic", topic] if topic else []
    module = [sys.executable, "-m", "panoptic_ros.cli.main", "play", source]
    return [*module, *chosen, "--to", image, "--rate", rate, "--wait", "30", *loop]
