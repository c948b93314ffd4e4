# SPDX-License-Identifier: Apache-2.0
"""Bags of results follow the table of topics, whatever stands in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.classes.remap import RemapConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.messages.map_image import pixels_of
from panoptic_ros.messages.topics import TOPICS
from test.drawn.drawn_result import LABELS, drawn_result
from test.drawn.worked_example import example_topic

pytest.importorskip("rosbags")


def written(path: Path, topic: str, **chosen: NodeConfig) -> dict[str, Any]:
    """Write a drawn result; give the messages by topic."""
    from rosbags.highlevel import AnyReader

    from panoptic_ros.recordings.result_bag import ResultBag
    from panoptic_ros.recordings.source import RecordedFrame

    result = drawn_result()
    bag = ResultBag(path, [topic], LABELS, **chosen)
    bag.write(result, RecordedFrame(result.frame, 0, "0"))
    bag.close()
    with AnyReader([path]) as reader:
        return {
            entry.topic: reader.deserialize(data, entry.msgtype)
            for entry, _, data in reader.messages()
        }


def test_a_row_that_is_added_is_written_to_a_bag_and_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, result = example_topic(), drawn_result()
    monkeypatch.setitem(TOPICS, row.name, row)
    found = written(tmp_path / "r.mcap", row.name)
    assert set(found) == {f"/panoptic/{row.name}", "/panoptic/label_info"}
    pixels = pixels_of(found[f"/panoptic/{row.name}"], row.encodings, row.name)
    assert np.array_equal(pixels == 255, result.confidence() < 128)


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (["label", "camera_info", "label_info"], ("label",)),
        (["remapped/label_info", "remapped/label"], ("remapped/label",)),
    ],
)
def test_what_comes_by_itself_may_be_named_too(names: list[str], left: tuple[str, ...]) -> None:
    from panoptic_ros.recordings.result_bag import wanted_topics

    assert wanted_topics(names) == left


def test_the_classes_of_a_remap_file_of_ones_own_are_written_and_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    config = NodeConfig(remap=RemapConfig(label=str(path)))
    section = f"{LABELS.name}: {{free: [{LABELS.labels[0].name}]}}"
    head = "name: mine\nclasses: {other: 3, free: 9}\ndefault: other\nlabel_sets:\n"
    path.write_text(f"{head}  {section}\n")
    found = written(tmp_path / "r.mcap", "remapped/label", config=config)
    image = found["/panoptic/remapped/label"]
    expected = np.where(drawn_result().semantic() == 0, 9, 3)
    assert (image.data.reshape(expected.shape) == expected).all()
    named = found["/panoptic/remapped/label_info"].class_map
    assert {(entry.class_id, entry.class_name) for entry in named} == {(3, "other"), (9, "free")}
    path.write_text(f"{head}  another: {{}}\n")
    words = r"mine\.yaml says nothing about label set .*; set remap\.label to a file that fits"
    with pytest.raises(ConfigError, match=words):
        written(tmp_path / "s.mcap", "remapped/label", config=config)
    first = LABELS.labels[0].name
    path.write_text(f"{head}  {LABELS.name}: {{free: [{first}x]}}\n")
    words = rf"lacks; the nearest is '{first}'; set remap\.label to a file that fits"
    with pytest.raises(ConfigError, match=words):
        written(tmp_path / "t.mcap", "remapped/label", config=config)
