# SPDX-License-Identifier: Apache-2.0
"""The time that each stage of a frame takes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class StageClock:
    """Milliseconds of each stage, in their order; starts when it is made.

    Attributes:
        stages_ms: By stage.
    """

    stages_ms: dict[str, float] = field(default_factory=dict)
    _last_s: float = field(default_factory=time.perf_counter)

    def mark(self, stage: str) -> float:
        """End a stage and begin the next; give back its milliseconds."""
        now_s = time.perf_counter()
        self.stages_ms[stage] = (now_s - self._last_s) * 1e3
        self._last_s = now_s
        return self.stages_ms[stage]

    def follow(self, other: StageClock) -> None:
        """Take over the times of the stages that were shared, and go on from here."""
        self.stages_ms.update(other.stages_ms)
        self._last_s = time.perf_counter()
