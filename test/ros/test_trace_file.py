# SPDX-License-Identifier: Apache-2.0
"""The parameter ``trace``: a file with all that the worker did, or one clear error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.ros.sender import Sender
from panoptic_ros.ros.trace_file import TraceFile
from test.ros.test_worker import working

CURE = (
    "set the parameter to a file (.json) in a folder that this process may write to, as "
    "/tmp/trace.json, or to '' for none"
)


class Log:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def info(self, words: str) -> None:
        self.said.append(words)

    error = info


def written(trace: TraceFile) -> list[str]:
    log: Any = Log()
    trace.write(log)
    return list(log.said)


def test_every_frame_is_in_the_trace_with_its_publishing(tmp_path: Path) -> None:
    path = tmp_path / "traces" / "node.json"
    trace = TraceFile(str(path))
    with working(Sender, lambda *values: {"label": 1.5}, trace=trace) as (_, _, shoot):
        for number in range(1, 4):
            shoot(number / 4)
    assert written(trace) == [f"the stages of the newest frames are in {path}"]
    events = json.loads(path.read_text())["traceEvents"]
    rows = {one["tid"]: one["args"]["name"] for one in events if one["ph"] == "M"}
    blocks = [
        (rows[one["tid"]], one["args"]["stamp_ns"])
        for one in events
        if one["name"] in ("frame", "publish")
    ]
    stamps = [str(number * 250_000_000) for number in range(1, 4)]
    assert sorted(blocks) == sorted(
        (row, stamp) for row in ("camera", "camera: publishing") for stamp in stamps
    )
    assert {"read", "infer", "track", "label"} <= {one["name"] for one in events}


def test_a_node_that_saw_nothing_writes_nothing(tmp_path: Path) -> None:
    trace = TraceFile(str(tmp_path / "node.json"))
    assert written(trace) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("file/node.json", "Not a directory"),
        ("folder", "Is a directory"),
        ("/proc/none/node.json", "No such file or directory"),
    ],
    ids=["below a file", "folder", "no folder can be made"],
)
def test_a_place_that_cannot_be_written_is_refused_at_once_with_the_cure(
    tmp_path: Path, place: str, reason: str
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError) as caught:
        TraceFile(str(tmp_path / place))
    assert str(caught.value) == (
        f"trace: {tmp_path / place} cannot be written ({reason}); {CURE}, and configure again"
    )


def test_a_place_that_is_gone_in_the_end_is_said_with_the_cure(tmp_path: Path) -> None:
    folder = tmp_path / "traces"
    trace = TraceFile(str(folder / "node.json"))
    with working(Sender, lambda *values: {"label": 1.5}, trace=trace) as (_, _, shoot):
        shoot(0.5)
    folder.rmdir()
    folder.write_text("")
    (words,) = written(trace)
    assert words.endswith(f"(Not a directory); {CURE}; this run's trace is lost")
