# SPDX-License-Identifier: Apache-2.0
"""Play a recording through the node and look at it.

ros2 launch panoptic_ros replay.launch.py input:=drive.mcap rviz:=true
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.messages.camera_info import beside, is_rectified
from panoptic_ros.ros.launching import (
    argument,
    choice,
    end_with,
    full_name,
    in_namespace,
    node_arguments,
    panoptic_node,
    transport_actions,
    yes_or_no,
)
from panoptic_ros.ros.views import view_of

PLAYERS = ("panoptic", "ros2")
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
            *node_arguments(),
            *own,
            *transport_actions(),
            OpaqueFunction(function=_actions),
        ]
    )


def _actions(context: LaunchContext) -> list[Any]:
    _check(context)
    player = ExecuteProcess(cmd=_player(context), name="player", output="screen")
    at_the_end = OnProcessExit(target_action=player, on_exit=end_with)
    image = argument(context, "image")
    # The player publishes /clock, so the node goes by it unless somebody says otherwise.
    says_otherwise = argument(context, "use_sim_time") or argument(context, "params_file")
    parameters = {} if says_otherwise else {"use_sim_time": True}
    node = panoptic_node(context, parameters, remappings={"image": image})
    viewer = [_viewer(context)] if yes_or_no(context, "rviz") else []
    return [node, RegisterEventHandler(at_the_end), player, *viewer]


def _check(context: LaunchContext) -> None:
    """Refuse what cannot be played.

    Raises:
        ConfigError: An argument is refused.
    """
    source = argument(context, "input")
    if not Path(source).exists():
        raise ConfigError(f"input:={source}: there is no such file or folder")
    if choice(context, "player", PLAYERS) == "ros2":
        _check_ros2(argument(context, "topic"), argument(context, "image"))
    try:
        is_rate = 0.0 < float(argument(context, "rate")) < float("inf")
    except ValueError:
        is_rate = False
    if not is_rate:
        raise ConfigError(f"rate:={argument(context, 'rate')} is refused; needs a number above 0")


def _check_ros2(topic: str, image: str) -> None:
    """Refuse what ``ros2 bag play`` cannot do.

    Raises:
        ConfigError: It is not installed, or would give images a name that is wrong of them.
    """
    if shutil.which("ros2") is None:
        raise ConfigError("player:=ros2 needs the command ros2; source ROS 2, or leave player out")
    if topic and is_rectified(topic) != is_rectified(image):
        raise ConfigError(
            f"image:={image} is refused for topic:={topic}: names that begin with image_rect are "
            "of rectified images, to which another part of camera_info applies; give image:= the "
            "last name of the topic"
        )


def _viewer(context: LaunchContext) -> Node:
    """Make RViz's action, with a view of the node's topics.

    Raises:
        ConfigError: RViz is not installed.
    """
    try:
        get_package_prefix("rviz2")
    except PackageNotFoundError as error:
        raise ConfigError(
            "rviz:=true needs RViz; install ros-$ROS_DISTRO-rviz2, or leave rviz out"
        ) from error
    view = str(view_of("panoptic.rviz", full_name(context)))
    return Node(package="rviz2", executable="rviz2", name="rviz", arguments=["-d", view])


def _player(context: LaunchContext) -> list[str]:
    source, rate = argument(context, "input"), argument(context, "rate")
    topic, image = argument(context, "topic"), in_namespace(context, argument(context, "image"))
    loop = ["--loop"] if yes_or_no(context, "loop") else []
    if argument(context, "player") == "ros2":
        pairs = [(topic, image), (beside(topic), beside(image))] if topic else []
        renamed = [word for old, new in pairs for word in ("--remap", f"{old}:={new}")]
        return ["ros2", "bag", "play", source, "--clock", "--rate", rate, *loop, *renamed]
    chosen = ["--topic", topic] if topic else []
    module = [sys.executable, "-m", "panoptic_ros.cli.main", "play", source]
    return [*module, *chosen, "--to", image, "--rate", rate, "--wait", "30", *loop]
