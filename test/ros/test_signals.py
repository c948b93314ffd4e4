# SPDX-License-Identifier: Apache-2.0
"""A test run that is asked to end does end, and finds no fault with the nodes that are up."""

from __future__ import annotations

import os
import signal
import threading

import pytest

pytest.importorskip("rclpy")
pytestmark = pytest.mark.ros
LONG_ENOUGH_S = 0.5
"""A handler of rclpy's shuts contexts down from a thread of its own, at once."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_tests_and_leaves_their_ros_up(number: signal.Signals) -> None:
    import rclpy

    from test.drawn.graph import ros

    with ros():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        threading.Event().wait(LONG_ENOUGH_S)
        assert rclpy.ok()
