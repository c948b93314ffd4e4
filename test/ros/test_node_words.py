# SPDX-License-Identifier: Apache-2.0
"""What the node says about its states, in the log and on ``/diagnostics``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rclpy.node import Node

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.ros.node import PanopticNode
from panoptic_ros.ros.watches import name_watch
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


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (
            "engine_runtime",
            "tensorrtt",
            "parameter engine_runtime is 'tensorrtt', needs one of: auto, onnxruntime, openvino, "
            "tensorrt",
        ),
        (
            "jpeg_quality",
            "high",
            "parameter jpeg_quality is high, of type string, needs integer",
        ),
        ("jpeg_quality", 500, "Parameter jpeg_quality out of range. Min: 1, Max: 100, value: 500"),
        ("cameras", None, "parameter cameras is None, needs a list"),
    ],
    ids=["a word", "a type", "a range", "nothing"],
)
def test_a_value_that_cannot_be_used_is_told_with_its_name_once(
    name: str,
    value: object,
    told: str,
    make_node: MakeNode,
    capfd: pytest.CaptureFixture[str],
) -> None:
    make_node(**{name: value}).start()
    log = capfd.readouterr().err
    assert re.search(f"{re.escape(told)}$", log, re.MULTILINE)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [("lawn=0.7", "label set .* has no class 'lawn'"), ("car=0.7", "things are never drivable")],
)
def test_an_optional_class_that_does_not_fit_the_model_leaves_the_node_unconfigured(
    entry: str, reason: str, make_node: MakeNode, capfd: pytest.CaptureFixture[str]
) -> None:
    node = make_node(**{"drivable.optional_classes": [entry]})
    node.start()
    log = capfd.readouterr().err
    assert re.search(f"drivable.optional_classes has '{entry}': .*{reason}", log)
    assert "configured: " not in log
    assert node.engine is None


def test_a_model_without_a_drivable_class_is_warned_of_once(
    make_node: MakeNode, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LabelSet, "drivable", property(lambda _: np.zeros(256, np.bool_)))
    make_node().start()
    log = capfd.readouterr().err
    assert log.count("is drivable, so the drivable surface stays empty") == 1


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


def test_a_second_node_of_its_name_is_said_while_it_is_there(
    make_node: MakeNode, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_watch, "LASTS_S", 1.0)
    node = make_node()
    bench = Bench(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    second = Node("panoptic", context=bench.node.context)
    bench.until(lambda: "another node is called /panoptic" in name_words(reports))
    bench.spin(1.5)
    assert capfd.readouterr().err.count("another node is called /panoptic, too") == 1
    second.destroy_node()
    bench.until(lambda: name_words(reports) == "")
    bench.close()


def name_words(reports: list[Any]) -> str:
    """What the newest report says of the node's name."""
    rows = [row for row in last(reports) if row.name == "panoptic: name"] if reports else []
    return "".join(str(row.message) for row in rows)


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
