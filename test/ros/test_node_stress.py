# SPDX-License-Identifier: Apache-2.0
"""Transitions and parameters under load, many times over: nothing leaks, nothing hangs.

``PANOPTIC_STRESS=1000`` makes it as many rounds.
"""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from test.drawn.drawn_camera import Camera, state
from test.drawn.graph import Bench

pytestmark = pytest.mark.ros

ROUNDS = int(os.environ.get("PANOPTIC_STRESS", "25"))
WARM_UP = 5
MOST_GROWTH_KB_PER_ROUND = 40
MOST_OBJECTS = 1000
GOOD = TransitionCallbackReturn.SUCCESS


def resident_kb() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def python_objects() -> int:
    """Objects alive, but for the weak references that rclpy's callback groups never drop."""
    gc.collect()
    return sum(type(one) is not weakref.ref for one in gc.get_objects())


def test_a_node_under_load_goes_through_its_states_again_and_again(
    make_node: Callable[..., Any],
) -> None:
    node = make_node()
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    camera, before, objects = Camera(bench), (0, 0, 0), 0
    for number in range(ROUNDS + WARM_UP):
        if number == WARM_UP:
            # Counted first: the list of all objects is large, and freed memory is kept.
            objects = python_objects()
            before = resident_kb(), open_files(), threading.active_count()
        assert node.trigger_configure() == GOOD
        assert node.trigger_activate() == GOOD
        had = len(labels)
        bench.until(lambda had=had: len(labels) > had, camera.shoot)
        assert node.trigger_deactivate() == GOOD
        camera.shoot()
        assert node.trigger_cleanup() == GOOD
        assert state(node) == "unconfigured"
        labels.clear()
    grown_kb, more_objects = resident_kb() - before[0], python_objects() - objects
    bench.close()
    assert node.failure is None
    assert threading.active_count() <= before[2]
    assert open_files() <= before[1]
    # Of each round, a camera's stream alone would be more.
    assert more_objects < MOST_OBJECTS
    # A few rounds cannot tell growth from the allocator's moods.
    assert grown_kb < MOST_GROWTH_KB_PER_ROUND * max(ROUNDS, 500)


def test_parameters_change_under_load(make_node: Callable[..., Any]) -> None:
    node = make_node()
    node.start()
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    camera = Camera(bench)
    bench.until(lambda: labels, camera.shoot)
    for number in range(ROUNDS):
        share = number % 10 / 10
        results = node.set_parameters(
            [
                Parameter("decode.center_threshold", value=share),
                Parameter("tracking.lost_after_s", value=share),
                Parameter("stale_after_s", value=0.1 + share),
                Parameter("jpeg_quality", value=1 + number % 100),
            ]
        )
        assert all(result.successful for result in results)
        camera.shoot()
        bench.spin(0.01)
    labels.clear()
    node.set_parameters([Parameter("decode.center_threshold", value=0.3)])
    bench.until(lambda: labels, camera.shoot)
    bench.close()
    assert node.failure is None
