# SPDX-License-Identifier: Apache-2.0
"""Quality of service of recorded topics is read as rosbag2 of any release writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rosbags")

from rosbags.interfaces import QosDurability, QosHistory, QosReliability
from rosbags.rosbag2 import StoragePlugin, Writer

from panoptic_ros.recordings.bag_writer import BagWriter
from panoptic_ros.recordings.offered_qos import offered_qos, topic_qos
from panoptic_ros.recordings.open_bag import OpenBag
from panoptic_ros.recordings.source import ReadErrors
from test.drawn.drawn_bags import IMAGE_TYPE, cdr, store, time_of

KEPT = (
    QosHistory.KEEP_LAST,
    7,
    QosReliability.BEST_EFFORT,
    QosDurability.TRANSIENT_LOCAL,
)


def policies(profile: Any) -> tuple[Any, ...]:
    return profile.history, profile.depth, profile.reliability, profile.durability


def qos_in(path: Path) -> dict[str, list[Any]]:
    with OpenBag(path, ReadErrors()) as bag:
        return {topic.name: offered_qos(topic.qos) for topic in bag.topics()}


@pytest.mark.parametrize(
    "text",
    [
        "- {history: 1, depth: 7, reliability: 2, durability: 1}",
        "- {history: keep_last, depth: 7, reliability: best_effort, durability: transient_local}",
        "- history: 1\n  depth: 7\n  reliability: 2\n  durability: 1\n  deadline:\n"
        "    sec: 9223372036\n    nsec: 854775807\n  avoid_ros_namespace_conventions: false",
    ],
    ids=["numbers", "words", "Humble's block"],
)
def test_policies_are_read_by_number_and_by_word(text: str) -> None:
    assert [policies(one) for one in offered_qos(text)] == [KEPT]


def test_every_publisher_has_a_profile() -> None:
    text = "- {durability: 1, depth: 1}\n- {durability: 2, depth: 3}"
    assert [(one.durability, one.depth) for one in offered_qos(text)] == [
        (QosDurability.TRANSIENT_LOCAL, 1),
        (QosDurability.VOLATILE, 3),
    ]


@pytest.mark.parametrize("text", ["", "[", "just words", "{history: 1}", "- 7"])
def test_what_is_no_list_of_profiles_gives_none(text: str) -> None:
    assert offered_qos(text) == []


def test_what_is_not_said_is_left_to_the_middleware() -> None:
    (found,) = offered_qos("- {history: 99, reliability: loud, depth: -1}")
    assert policies(found) == (
        QosHistory.SYSTEM_DEFAULT,
        1,
        QosReliability.SYSTEM_DEFAULT,
        QosDurability.SYSTEM_DEFAULT,
    )


@pytest.mark.parametrize("plugin", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_both_storages_say_how_a_topic_was_published(tmp_path: Path, plugin: Any) -> None:
    with Writer(tmp_path / "bag", version=9, storage_plugin=plugin) as writer:
        for name, is_latched in (("/once", True), ("/often", False)):
            profile = [topic_qos(is_latched)]
            topic = writer.add_connection(
                name, IMAGE_TYPE, typestore=store(), offered_qos_profiles=profile
            )
            writer.write(topic, time_of(0), cdr(0))
    found = qos_in(tmp_path / "bag")
    assert {name: [one.durability for one in profiles] for name, profiles in found.items()} == {
        "/once": [QosDurability.TRANSIENT_LOCAL],
        "/often": [QosDurability.VOLATILE],
    }


def test_a_written_topic_is_offered_as_it_was_found(tmp_path: Path) -> None:
    given = offered_qos("- {history: 1, depth: 7, reliability: 2, durability: 1}")
    with BagWriter(tmp_path / "a.mcap") as writer:
        writer.write_raw("/given", IMAGE_TYPE, cdr(0), time_of(0), given)
        writer.write_raw("/usual", IMAGE_TYPE, cdr(0), time_of(0))
    found = qos_in(tmp_path / "a.mcap")
    assert [policies(one) for one in found["/given"]] == [KEPT]
    assert [one.durability for one in found["/usual"]] == [QosDurability.VOLATILE]
