# SPDX-License-Identifier: Apache-2.0
"""Bags of results follow the table of topics, whatever stands in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.messages.map_image import pixels_of
from panoptic_ros.messages.topics import TOPICS
from test.drawn.drawn_result import LABELS, drawn_result
from test.drawn.worked_example import example_topic

pytest.importorskip("rosbags")


def test_a_row_that_is_added_is_written_to_a_bag_and_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rosbags.highlevel import AnyReader

    from panoptic_ros.recordings.result_bag import ResultBag
    from panoptic_ros.recordings.source import RecordedFrame

    row, result = example_topic(), drawn_result()
    monkeypatch.setitem(TOPICS, row.name, row)
    bag = ResultBag(tmp_path / "r.mcap", [row.name], LABELS)
    bag.write(result, RecordedFrame(result.frame, 0, "0"))
    bag.close()
    with AnyReader([tmp_path / "r.mcap"]) as reader:
        found = {
            entry.topic: reader.deserialize(data, entry.msgtype)
            for entry, _, data in reader.messages()
        }
    assert set(found) == {f"/panoptic/{row.name}", "/panoptic/label_info"}
    pixels = pixels_of(found[f"/panoptic/{row.name}"], row.encodings, row.name)
    assert np.array_equal(pixels == 255, result.confidence() < 128)
