# SPDX-License-Identifier: Apache-2.0
"""``panoptic record`` waits for the topics that are wanted, and says which have not come."""

from __future__ import annotations

import argparse
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("rosbags")

from rclpy.qos import QoSProfile

from panoptic_ros.cli import record
from panoptic_ros.core.errors import DataError
from panoptic_ros.messages.message_types import rclpy_types
from panoptic_ros.messages.topics import TOPICS

DIAGNOSTICS = "diagnostic_msgs/msg/DiagnosticArray"


class SlowGraph:
    """A graph that comes to know one topic more each time it is asked.

    Args:
        topics: Type by name, in the order in which they come.
    """

    def __init__(self, topics: dict[str, str]) -> None:
        self._topics = list(topics.items())
        self._asked = 0

    def get_topic_names_and_types(self) -> list[tuple[str, list[str]]]:
        self._asked += 1
        return [(name, [kind]) for name, kind in self._topics[: self._asked // 3]]

    def get_publishers_info_by_topic(self, topic: str) -> list[Any]:
        profile = QoSProfile(depth=1)
        return [SimpleNamespace(qos_profile=profile)]

    def count_subscribers(self, topic: str) -> int:
        return 0


def usual_topics() -> dict[str, str]:
    """What the node offers with two cameras."""
    types = rclpy_types()
    kinds = {row: TOPICS[row].type for row in sorted(record.usual_rows())}
    return {
        **{f"/panoptic/front/{row}": kind for row, kind in kinds.items() if types.has(kind)},
        "/panoptic/rear/label": "sensor_msgs/msg/Image",
        **{f"/panoptic/rear/{row}": kind for row, kind in kinds.items() if types.has(kind)},
        "/diagnostics": DIAGNOSTICS,
    }


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "SETTLE_S", 0.002)


def found(topics: dict[str, str], *words: str, wait_s: float = 30.0) -> list[str]:
    """Names of the topics that would be recorded."""
    parser = argparse.ArgumentParser()
    record.add_arguments(parser)
    args = parser.parse_args([*words, "--wait", str(wait_s)])
    return [topic.name for topic in record._found(SlowGraph(topics), args)]


def test_all_topics_of_a_camera_are_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    topics = usual_topics()
    assert found(topics) == sorted(topics)
    assert capsys.readouterr().err == ""


def test_named_topics_are_waited_for() -> None:
    topics = usual_topics()
    names = list(topics)[:: len(topics) - 1]
    assert found(topics, *names) == sorted(names)


def test_a_usual_topic_that_does_not_come_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    topics = usual_topics()
    del topics["/panoptic/rear/drivable"]
    assert found(topics, wait_s=2.0) == sorted(topics)
    said = "panoptic record: left out /panoptic/rear/drivable (not published)\n"
    assert capsys.readouterr().err == said


def test_a_named_topic_that_does_not_come_is_an_error_that_names_it_alone() -> None:
    with pytest.raises(DataError, match=r"nobody publishes /absent$"):
        found(usual_topics(), "/panoptic/front/label", "/absent", wait_s=0.5)


def test_a_slip_in_a_topic_of_the_node_is_told_though_no_node_runs() -> None:
    with pytest.raises(DataError, match=r"nobody publishes /labl; the nearest .* is 'label'"):
        found({}, "labl", wait_s=0.01)
    with pytest.raises(DataError, match=r"/instances; the nearest topic .* is 'instance'"):
        found({}, "/panoptic/instances", wait_s=0.01)

    with pytest.raises(DataError, match=r"remaped/label; the nearest .* 'remapped/label'; is the"):
        found({}, "remaped/label", wait_s=0.01)


def test_a_slip_in_a_topic_of_the_graph_is_told() -> None:
    topics = {"/camera/image_raw": "sensor_msgs/msg/Image"}
    with pytest.raises(DataError, match=r"image_row; the nearest is '/camera/image_raw'; is the"):
        found(topics, "/camera/image_row", wait_s=0.5)


def test_messages_that_are_not_installed_here_are_named_as_the_cause(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = TOPICS["remapped/label_info"].type
    has = type(rclpy_types()).has
    monkeypatch.setattr(
        type(rclpy_types()), "has", lambda self, name: name != kind and has(self, name)
    )
    topics = {"/panoptic/remapped/label": "sensor_msgs/msg/Image"}
    assert found(topics, "remapped/label", "remapped/label_info") == list(topics)
    reason = f"{kind} is not known here; install vision_msgs"
    assert f"left out /panoptic/remapped/label_info ({reason})" in capsys.readouterr().err
    with pytest.raises(DataError, match=f"label_info cannot be recorded: {reason}"):
        found(topics, "remapped/label_info", wait_s=0.01)


def test_a_topic_of_the_node_needs_no_node_in_its_name() -> None:
    names = ["/diagnostics", "/panoptic/front/label", "/panoptic/rear/drivable"]
    assert found(usual_topics(), "front/label", "~/rear/drivable", "diagnostics") == names


def test_a_type_that_is_not_known_here_is_left_out_aloud(
    capsys: pytest.CaptureFixture[str],
) -> None:
    topics = {"/a": "sensor_msgs/msg/Image", "/b": "no_msgs/msg/Such"}
    assert found(topics, "/a", "/b") == ["/a"]
    assert "left out /b (no_msgs/msg/Such is not known here)" in capsys.readouterr().err
