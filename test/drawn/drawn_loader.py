# SPDX-License-Identifier: Apache-2.0
"""A machine on which TensorRT, its plans and its builder are drawn; the engines are real ones."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from panoptic_ros.core.engine_config import EngineConfig
from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.synthetic.engine import DrawnEngine
from panoptic_ros.engine.building.plans import PlanRequest
from panoptic_ros.ros.engine_loader import EngineFactory

SIZE = (128, 64)


class NamedEngine(DrawnEngine):
    def __init__(self, name: str) -> None:
        super().__init__(SIZE)
        self.name = name
        self.closed = 0

    @property
    def description(self) -> str:
        return self.name

    @property
    def facts(self) -> dict[str, str]:
        return {"runtime": self.name, "batch": "1"}

    def close(self) -> None:
        self.closed += 1


class HeldBuild:
    """A build that goes on until the test lets it end."""

    def __init__(self, machine: DrawnMachine) -> None:
        self._machine = machine
        self._end = threading.Event()
        self.began = threading.Event()
        self.error = ""

    def wait(self, report: Any) -> None:
        report("tactics", 0.43)
        self.began.set()
        assert self._end.wait(30)
        if self.error:
            raise ModelError(self.error)
        self._machine.has_plan = True

    def finish(self, error: str = "") -> None:
        self.error = error
        self._end.set()

    def cancel(self) -> None:
        self.finish("it was cancelled")


@dataclass
class DrawnMachine:
    """What is here: a plan or none, and whether one may be built."""

    has_plan: bool = False
    has_gpu: bool = True
    opened: list[NamedEngine] = field(default_factory=list)
    builds: list[HeldBuild] = field(default_factory=list)
    asked: list[EngineConfig] = field(default_factory=list)

    @property
    def factory(self) -> EngineFactory:
        return EngineFactory(self.open, self.to_build, self.build)

    def open(
        self,
        config: EngineConfig,
        say: Callable[[str], object],
        *,
        say_other: Callable[[str], object],
    ) -> NamedEngine:
        self.asked.append(config)
        if not self.has_plan and config.fallback == "none":
            raise ModelError("TensorRT version is 8.6.1, here it is 10.3.0")
        kind = "TensorRT" if self.has_plan else "ONNX Runtime"
        say(f"{kind} is chosen")
        if config.runtime == "tensorrt" and not self.has_plan:
            say_other(f"{kind} is chosen")
        self.opened.append(NamedEngine(kind))
        return self.opened[-1]

    def to_build(self, config: EngineConfig) -> PlanRequest | None:
        if self.has_plan or not self.has_gpu:
            return None
        return PlanRequest.of(Path(config.name), config)

    def build(self, order: PlanRequest) -> HeldBuild:
        self.builds.append(HeldBuild(self))
        return self.builds[-1]
