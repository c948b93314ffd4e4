# SPDX-License-Identifier: Apache-2.0
"""When each stage of each frame ran, as a file for Perfetto or chrome://tracing.

Source: Chrome's "Trace Event Format", complete events ("ph": "X") in microseconds.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_BLOCKS = 40_000
"""Blocks that are kept, the newest; about 30 MB as a file."""


@dataclass(frozen=True)
class _Block:
    """Stages that ran one after the other."""

    row: str
    name: str
    start_us: float
    stages_ms: Mapping[str, float]
    told: Mapping[str, Any]


class StageTrace:
    """Keeps the stages of the newest frames; any thread may add some.

    Args:
        most_blocks: Blocks that are kept, the newest.
    """

    def __init__(self, most_blocks: int = MOST_BLOCKS) -> None:
        self._blocks: deque[_Block] = deque(maxlen=most_blocks)

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def add(
        self,
        row: str,
        name: str,
        start_s: float,
        stages_ms: Mapping[str, float],
        told: Mapping[str, Any],
    ) -> None:
        """Note what ran.

        Args:
            row: Where it is drawn, such as the camera; what is in a row must not overlap in time.
            name: Of the block that holds the stages.
            start_s: When the first stage began.
            stages_ms: Milliseconds by stage, in their order.
            told: What else is shown of the block, with JSON types.
        """
        self._blocks.append(_Block(row, name, start_s * 1e6, dict(stages_ms), told))

    def text(self) -> str:
        """Write all as JSON."""
        blocks = list(self._blocks)
        rows = {row: number for number, row in enumerate(dict.fromkeys(b.row for b in blocks), 1)}
        events: list[dict[str, Any]] = [
            {"name": "thread_name", "ph": "M", "pid": 1, "tid": number, "args": {"name": row}}
            for row, number in rows.items()
        ]
        for block in blocks:
            events += _events(block, rows[block.row])
        return json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}) + "\n"


def _events(block: _Block, tid: int) -> list[dict[str, Any]]:
    common = {"ph": "X", "pid": 1, "tid": tid}
    now_us, all_us = block.start_us, 1000 * sum(block.stages_ms.values())
    events = [{**common, "name": block.name, "ts": now_us, "dur": all_us, "args": block.told}]
    for stage, taken_ms in block.stages_ms.items():
        events.append({**common, "name": stage, "ts": now_us, "dur": 1000 * taken_ms})
        now_us += 1000 * taken_ms
    return events
