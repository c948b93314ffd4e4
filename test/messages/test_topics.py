# SPDX-License-Identifier: Apache-2.0
"""The table of output topics, and every other place that must name the same topics."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from panoptic_ros.cli import replay
from panoptic_ros.cli.demonstration import recording
from panoptic_ros.core.classes.remap import OPTIONAL_REMAPS, REMAPPED_TOPICS, RemapConfig
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.parameters import parameters
from panoptic_ros.messages.map_image import LAYOUTS
from panoptic_ros.messages.topic import ImageTopic, RemappedLabelTopic, RemappedTopic
from panoptic_ros.messages.topics import TOPICS, is_latched, rows_of
from panoptic_ros.messages.topics_page import to_markdown
from panoptic_ros.report import timing
from test.drawn.worked_example import example_topic

ROOT = Path(__file__).parents[2]
OF_ROS = {"transition_event"}
"""What rclpy publishes below the node's name by itself."""


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def in_docs() -> set[str]:
    """Topics of the table in docs/topics.md; whole lines, so that the table is the newest."""
    text = text_of("docs/topics.md")
    lines = [line for line in to_markdown().splitlines() if line in text.splitlines()]
    return {found.group(1) for line in lines if (found := re.match(r"\| `~/([\w/]+)`", line))}


def in_readme() -> set[str]:
    section = text_of("README.md").split("## What comes out")[1].split("\n## ")[0]
    return set(re.findall(r"`~/([\w/]+)`", section))


def in_policy() -> set[str]:
    root = ElementTree.fromstring(text_of("config/sros2/panoptic.policy.xml"))
    blocks = [block for block in root.iter("topics") if block.get("publish") == "ALLOW"]
    names = [str(entry.text) for block in blocks for entry in block]
    ours = {name.removeprefix("/panoptic/") for name in names if name.startswith("/panoptic/")}
    return ours - OF_ROS


PLACES: dict[str, Callable[[], set[str]]] = {
    "docs/topics.md": in_docs,
    "README.md": in_readme,
    "the SROS2 policy": in_policy,
}


@pytest.mark.parametrize("place", PLACES)
def test_every_place_names_the_topics_of_the_table(place: str) -> None:
    assert PLACES[place]() == set(TOPICS)


@pytest.mark.parametrize("place", PLACES)
def test_a_row_that_a_place_lacks_is_noticed(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = example_topic()
    monkeypatch.setitem(TOPICS, row.name, row)
    assert set(TOPICS) - PLACES[place]() == {row.name}


CHOICES = {
    "panoptic replay": replay.TOPICS,
    "panoptic bench": timing.TOPICS,
    "the demo": recording.RECORDED,
    "the demo, in metres": recording.IN_METRES,
    "film and report": recording.MAPS,
}


@pytest.mark.parametrize("who", CHOICES)
def test_who_chooses_some_topics_chooses_those_that_there_are(who: str) -> None:
    assert set(CHOICES[who]) <= set(TOPICS)


def test_every_remapped_topic_has_its_parameter() -> None:
    assert {*rows_of(RemappedTopic), *OPTIONAL_REMAPS} == set(REMAPPED_TOPICS)
    assert set(REMAPPED_TOPICS.values()) == {entry.name for entry in parameters(RemapConfig())}
    assert {name.removesuffix("_info") for name in rows_of(RemappedLabelTopic)} <= set(
        REMAPPED_TOPICS
    )


def test_images_of_every_topic_can_be_read_back() -> None:
    images = [*rows_of(ImageTopic).values(), TOPICS["panoptic"]]
    assert {encoding for row in images for encoding in row.encodings} <= set(LAYOUTS)


def test_the_parameter_offers_the_encodings_of_the_panoptic_image() -> None:
    declared = {entry.name: entry for entry in parameters(NodeConfig())}["panoptic_encoding"]
    assert (declared.default, declared.choices) == (
        TOPICS["panoptic"].encoding,
        TOPICS["panoptic"].encodings,
    )


@pytest.mark.parametrize(
    ("topic", "latched"),
    [
        ("/panoptic/label_info", True),
        ("/panoptic/front/remapped/label_info", True),
        ("/panoptic/label", False),
        ("/mylabel_info", False),
        ("/tf_static", False),
    ],
)
def test_what_classes_mean_is_latched(topic: str, latched: bool) -> None:
    assert is_latched(topic) == latched
