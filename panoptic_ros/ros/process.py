# SPDX-License-Identifier: Apache-2.0
"""The process around a node: signals, spinning, exit status."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

import cv2
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from panoptic_ros.core.errors import EngineRunError
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.ros.protocols import Logger
from panoptic_ros.ros.refusal import refusal

_LONGEST_WAIT_S = 0.2
_SAME_REQUEST_S = 2.0
"""A signal that comes no later than that after the first one is the same request."""


class RunnableNode(Protocol):
    """What ``run`` needs of a node."""

    failure: BaseException | None
    has_lost_engine: bool

    @property
    def config(self) -> NodeConfig: ...  # noqa: D102

    def start(self) -> None: ...  # noqa: D102

    def say_last_words(self) -> None: ...  # noqa: D102

    def close(self) -> None: ...  # noqa: D102

    def destroy_node(self) -> Any: ...  # noqa: D102

    def get_logger(self) -> Logger: ...  # noqa: D102

    def get_fully_qualified_name(self) -> str: ...  # noqa: D102


def run(make_node: Callable[[], RunnableNode], arguments: list[str] | None = None) -> int:
    """Run a node until it is asked to stop or has failed.

    Args:
        make_node: Called once ROS is up.
        arguments: Command line with ``--ros-args``; ``sys.argv`` by default.

    Returns:
        Exit status: 0 after SIGINT or SIGTERM, 1 where the engine failed, 2 where the command
        line or a parameter file cannot be read.
    """
    # The network owns the cores; OpenCV's threads would take them away for tiny pieces of work.
    cv2.setNumThreads(1)
    stop = _StopRequest()
    stop.listen()
    try:
        # rclpy's own handlers shut the context down under the worker, in the middle of a publish.
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
        node = make_node()
    except RuntimeError as error:
        print(f"panoptic_node: {_words(error)}", file=sys.stderr)  # noqa: T201
        _shut_down()
        return 2
    try:
        if node.config.autostart:
            node.start()
        else:
            name = node.get_fully_qualified_name()
            node.get_logger().info(
                f"waiting to be configured, e.g. by: ros2 lifecycle set {name} configure"
            )
        _spin(node, stop)
        status = _status(node)
    finally:
        node.close()
        node.destroy_node()
        _shut_down()
        stop.end()
    if node.has_lost_engine:
        # Ending in order would free memory under a thread that is still in the engine.
        sys.stderr.flush()
        os._exit(1)
    return status


def _words(error: RuntimeError) -> str:
    """What ROS says of a command line; of words that it does not know it gives a list alone."""
    text = " ".join(str(error).split())
    if type(error).__name__ != "UnknownROSArgsError":
        return text
    found = re.search(r"['\"](.*?)['\"]", text)
    return refusal(found[1] if found else text)


class _StopRequest:
    """Set by the first SIGINT or SIGTERM; one that comes later ends the process the hard way.

    One that comes at once changes nothing: ``ros2 launch`` sends its own after the terminal's.
    """

    def __init__(self) -> None:
        self.is_set = False
        self._since_s = 0.0

    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def end(self) -> None:
        """Leave the rest of the process alone: Python's end would else let a signal kill it."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    def _note(self, number: int, _: FrameType | None) -> None:
        now_s = time.monotonic()
        if not self.is_set:
            self.is_set, self._since_s = True, now_s
        elif now_s - self._since_s > _SAME_REQUEST_S:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)


def _spin(node: RunnableNode, stop: _StopRequest) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)  # type: ignore[arg-type]
    while rclpy.ok() and not stop.is_set and node.failure is None:
        executor.spin_once(timeout_sec=_LONGEST_WAIT_S)
    executor.remove_node(node)  # type: ignore[arg-type]
    executor.shutdown()


def _status(node: RunnableNode) -> int:
    if node.failure is None:
        return 0
    if not isinstance(node.failure, EngineRunError):
        raise node.failure
    node.get_logger().error(f"{node.failure}; the process ends so that it can be respawned")
    node.say_last_words()
    return 1


def _shut_down() -> None:
    if rclpy.ok():
        rclpy.shutdown()
