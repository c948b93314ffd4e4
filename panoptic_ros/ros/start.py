# SPDX-License-Identifier: Apache-2.0
"""``panoptic_node`` as a command: what needs no ROS comes before the imports that take seconds."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # importing typing would double the time in which Ctrl-C is not caught
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HELP = """\
usage: panoptic_node [--help] [--ros-args ARGUMENT ...]

Images of one or several cameras in, tracked panoptic topics out; a lifecycle node.

  panoptic_node --ros-args -r image:=/camera/image_raw
  panoptic_node --ros-args -p engine:=street_sharp --params-file FILE.yaml
  ros2 launch panoptic_ros panoptic.launch.py image:=/camera/image_raw

Parameters: ros2 param describe, docs/parameters.md, config/panoptic.yaml.
Topics: docs/topics.md. What is said when, and systemd: docs/operations.md.
"""


def main() -> int:
    """Run the node as a process.

    Returns:
        Exit status: 0 after SIGINT, SIGTERM or ``--help``, 1 where the engine failed, 2 where the
        command line or a parameter file cannot be read.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        # Nothing is in work yet; the node sets handlers of its own.
        signal.signal(number, lambda number, frame: os._exit(0))
    others = list(not_for_ros(sys.argv[1:]))
    if {"-h", "--help"} & set(others):
        sys.stdout.write(HELP)
        return 0
    if others:
        from panoptic_ros.ros.refusal import refusal

        sys.stderr.write(f"panoptic_node: {refusal(others[0])}\n")
        return 2
    from panoptic_ros.ros.node import main as run_node

    return run_node()


def not_for_ros(words: Sequence[str]) -> Iterator[str]:
    """List the words of a command line that ROS leaves to the program.

    >>> list(not_for_ros(["a", "--ros-args", "-p", "b:=1", "--", "c"]))
    ['a', 'c']
    """
    is_for_ros = False
    for word in words:
        if word == "--ros-args":
            is_for_ros = True
        elif word == "--" and is_for_ros:
            is_for_ros = False
        elif not is_for_ros:
            yield word


if __name__ == "__main__":
    sys.exit(main())
