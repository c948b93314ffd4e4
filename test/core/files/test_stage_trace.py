# SPDX-License-Identifier: Apache-2.0
"""A trace draws what ran where it ran, and keeps the newest."""

from __future__ import annotations

import json
from typing import Any

from panoptic_ros.core.files.stage_trace import StageTrace


def events(trace: StageTrace) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(trace.text())["traceEvents"]
    return found


def test_stages_lie_one_after_the_other_inside_of_their_block() -> None:
    trace = StageTrace()
    trace.add("front", "frame", 2.0, {"infer": 3.0, "track": 1.5}, {"objects": 2})
    row, block, infer, track = events(trace)
    assert (row["ph"], row["args"], row["tid"]) == ("M", {"name": "front"}, 1)
    assert (block["ts"], block["dur"], block["args"]) == (2e6, 4500.0, {"objects": 2})
    assert [(one["name"], one["ts"], one["dur"]) for one in (infer, track)] == [
        ("infer", 2e6, 3000.0),
        ("track", 2e6 + 3000.0, 1500.0),
    ]


def test_each_camera_has_a_row() -> None:
    trace = StageTrace()
    for row in ("left", "right", "left"):
        trace.add(row, "frame", 0.0, {}, {})
    assert [one["tid"] for one in events(trace) if one["ph"] == "X"] == [1, 2, 1]


def test_the_newest_blocks_are_kept() -> None:
    trace = StageTrace(most_blocks=2)
    assert not trace
    for number in range(5):
        trace.add("front", f"frame {number}", 0.0, {}, {})
    assert [one["name"] for one in events(trace) if one["ph"] == "X"] == ["frame 3", "frame 4"]
