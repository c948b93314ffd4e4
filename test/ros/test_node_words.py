# SPDX-License-Identifier: Apache-2.0
"""What the node says about its states, in the log and on ``/diagnostics``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from panoptic_ros.ros.node import PanopticNode
from test.drawn.drawn_camera import Camera, last, value, words
from test.drawn.graph import Bench

pytestmark = pytest.mark.ros

DIAGNOSTICS = "diagnostic_msgs/msg/DiagnosticArray"
ERROR = 2
MakeNode = Callable[..., PanopticNode]


def test_a_start_that_failed_is_an_error_with_its_reason_until_it_succeeds(
    make_node: MakeNode,
) -> None:
    node = make_node(ego_mask=["/no/mask.png"])
    bench = Bench(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    node.start()
    said = "start failed: ego_mask /no/mask.png cannot be read"
    bench.until(lambda: said in words(reports, "panoptic: engine")[1])
    assert words(reports, "panoptic: engine")[0] == ERROR
    node.on_cleanup(None)
    bench.until(lambda: words(reports, "panoptic: engine")[1] == "not configured")
    bench.close()


def test_states_are_logged(make_node: MakeNode, capfd: pytest.CaptureFixture[str]) -> None:
    node = make_node()
    node.start()
    node.trigger_deactivate()
    node.trigger_cleanup()
    log = capfd.readouterr().err
    places = [
        log.index(line) for line in ("configured: ", "active, ", "deactivated", "cleaned up")
    ]
    assert places == sorted(places)


def test_names_on_diagnostics_carry_the_namespace(make_node: MakeNode) -> None:
    node = make_node(namespace="/robot1")
    bench = Bench(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    node.start()
    bench.until(lambda: len(last(reports)) == 3)
    assert [row.name for row in last(reports)] == [
        "robot1/panoptic: camera",
        "robot1/panoptic: engine",
        "robot1/panoptic: machine",
    ]
    bench.close()


def test_a_parameter_that_there_is_not_is_said_with_the_nearest(
    make_node: MakeNode, capfd: pytest.CaptureFixture[str]
) -> None:
    quiet = ("qos_overrides./panoptic/label.publisher.depth", 3), ("use_sim_time", False)
    make_node(**{"decode.center_treshold": 0.2, **dict(quiet)})
    log = capfd.readouterr().err
    assert log.count("there is no parameter") == 1
    assert "'decode.center_treshold', so it has no effect" in log
    assert "the nearest is 'decode.center_threshold'" in log


def test_results_are_counted_while_nobody_listens(make_node: MakeNode) -> None:
    node = make_node()
    bench = Bench(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    node.start()
    bench.until(
        lambda: int(value(reports, "panoptic: camera", "published") or 0) > 2, Camera(bench).shoot
    )
    bench.close()
