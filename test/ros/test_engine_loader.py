# SPDX-License-Identifier: Apache-2.0
"""Which engine runs when, while a plan is built beside it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from panoptic_ros.core.engine_config import EngineConfig
from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine.building.plans import PlanRequest, search_plan
from panoptic_ros.engine.open import open_configured, plan_to_build
from panoptic_ros.engine.ort import OrtEngine
from panoptic_ros.engine.trt import TrtEngine
from panoptic_ros.engine.variant import TensorRtVariant
from panoptic_ros.ros.engine_loader import EngineFactory, EngineLoader
from test.drawn.drawn_loader import DrawnMachine, NamedEngine
from test.engine.test_open import key_here, model, orin, write

__all__ = ["model", "orin"]

FALLBACK = EngineConfig("street.onnx")
STRICT = replace(FALLBACK, fallback="none")


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, line: str) -> None:
        self.lines.append(f"info: {line}")

    def warning(self, line: str) -> None:
        self.lines.append(f"warning: {line}")


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def machine() -> DrawnMachine:
    return DrawnMachine()


@pytest.fixture
def supply(machine: DrawnMachine, log: Log) -> Iterator[EngineLoader]:
    made = EngineLoader(machine.factory, log)
    yield made
    made.close()
    made.wait(30)
    assert all(engine.closed == 1 for engine in machine.opened), "every engine is closed once"


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_plan_that_fits_is_opened_and_nothing_is_built(
    supply: EngineLoader, machine: DrawnMachine
) -> None:
    machine.has_plan = True
    assert supply.open(FALLBACK).description == "TensorRT"
    assert machine.builds == []
    assert supply.swap() is None


def test_the_parameters_reach_the_engine(supply: EngineLoader, machine: DrawnMachine) -> None:
    config = replace(
        FALLBACK,
        threads=3,
        precision="int8",
        batch=2,
        device=1,
        warmup=7,
    )
    supply.open(config)
    assert machine.asked == [replace(config, rebuild=False)], "a plan is built beside the node"


def test_the_fallback_runs_at_once_and_the_plan_takes_over_when_it_is_built(
    supply: EngineLoader, machine: DrawnMachine, log: Log
) -> None:
    first = supply.open(FALLBACK)
    assert first.description == "ONNX Runtime"
    machine.builds[0].began.wait(30)
    assert supply.progress is not None
    assert (supply.progress.phase, supply.progress.share) == ("tactics", 0.43)
    assert supply.swap() is None
    machine.builds[0].finish()
    until(lambda: supply.progress is None)
    better = supply.swap()
    assert better is not None
    assert better is supply.engine
    assert better.description == "TensorRT"
    assert machine.opened[0].closed == 1
    assert supply.swap() is None
    assert log.lines == [
        "info: ONNX Runtime is chosen",
        "info: a plan of street.onnx is built beside it",
        "info: TensorRT is chosen",
        "info: engine swapped: TensorRT",
    ]


def test_the_plan_is_opened_under_the_name_that_was_asked_for(
    supply: EngineLoader, machine: DrawnMachine
) -> None:
    """A stale plan stands for its own precision and batch, which its model does not know."""
    supply.open(replace(FALLBACK, name="robot.plan"))
    machine.builds[0].finish()
    until(lambda: supply.progress is None)
    assert [asked.name for asked in machine.asked] == ["robot.plan", "robot.plan"]
    assert [asked.fallback for asked in machine.asked] == ["onnxruntime", "none"]


def test_a_plan_that_cannot_be_built_leaves_the_fallback_and_its_reason(
    supply: EngineLoader, machine: DrawnMachine, log: Log
) -> None:
    engine = supply.open(FALLBACK)
    machine.builds[0].finish("it differs from ONNX Runtime: label_agreement 0.5")
    until(lambda: supply.problem)
    assert supply.swap() is None
    assert supply.engine is engine
    assert "label_agreement 0.5" in supply.problem
    assert log.lines[-1].startswith("warning: there will be no plan: it differs")
    assert supply.failure is None


def test_without_fallback_the_plan_comes_first(
    supply: EngineLoader, machine: DrawnMachine
) -> None:
    with pytest.raises(ModelError, match=r"here it is 10\.3\.0\. That plan is being built"):
        supply.open(STRICT)
    assert supply.engine is None
    machine.builds[0].began.wait(30)
    with pytest.raises(ModelError, match=r"43%"):
        supply.open(STRICT)
    assert len(machine.builds) == 1, "asking again starts no second build"
    assert not supply.take_finished()
    machine.builds[0].finish()
    until(supply.take_finished)
    assert not supply.take_finished(), "it is said once"
    assert supply.open(STRICT).description == "TensorRT"


def test_a_plan_in_work_takes_over_from_a_fallback_that_is_allowed_later(
    supply: EngineLoader, machine: DrawnMachine
) -> None:
    with pytest.raises(ModelError, match="set engine_fallback to onnxruntime"):
        supply.open(STRICT)
    assert supply.open(replace(FALLBACK, warmup=7)).description == "ONNX Runtime"
    assert len(machine.builds) == 1, "the build in work goes on"
    machine.builds[0].finish()
    until(lambda: supply.progress is None)
    better = supply.swap()
    assert better is not None
    assert better.description == "TensorRT"
    assert machine.asked[-1].warmup == 7, "the parameters of the last wish count"
    assert not supply.take_finished(), "nothing waits for it"


@pytest.mark.parametrize(
    ("config", "has_gpu"),
    [(replace(STRICT, rebuild=False), True), (STRICT, False)],
    ids=["not allowed", "no GPU"],
)
def test_where_nothing_is_built_the_reason_is_raised_as_it_is(
    supply: EngineLoader, machine: DrawnMachine, config: EngineConfig, has_gpu: bool
) -> None:
    machine.has_gpu = has_gpu
    with pytest.raises(ModelError, match=r"here it is 10\.3\.0$"):
        supply.open(config)
    assert machine.builds == []


def test_another_model_ends_the_build_of_the_one_before(
    supply: EngineLoader, machine: DrawnMachine
) -> None:
    for name in ("street.onnx", "sharp.onnx"):
        with pytest.raises(ModelError):
            supply.open(replace(STRICT, name=name))
    assert machine.builds[0].error == "it was cancelled"
    assert machine.builds[1].error == ""
    assert supply.problem == "", "a build that was called off is no news"


def test_closing_ends_the_build(supply: EngineLoader, machine: DrawnMachine, log: Log) -> None:
    supply.open(FALLBACK)
    supply.close()
    assert machine.builds[0].error == "it was cancelled"
    assert supply.progress is None
    assert not any("warning" in line for line in log.lines)


def test_a_plan_that_comes_after_the_engine_was_closed_is_closed_too(
    supply: EngineLoader, machine: DrawnMachine
) -> None:
    supply.open(FALLBACK)
    supply.close_engine()
    machine.builds[0].finish()
    until(lambda: len(machine.opened) == 2 and machine.opened[1].closed)
    assert supply.engine is None
    assert supply.swap() is None


def test_a_bug_in_the_thread_is_handed_on(
    machine: DrawnMachine, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    supply = EngineLoader(machine.factory, log)
    supply.open(FALLBACK)
    monkeypatch.setattr(machine, "open", None)
    monkeypatch.setattr(supply, "_opened", lambda *_: 1 / 0)
    machine.builds[0].finish()
    until(lambda: supply.failure is not None)
    assert isinstance(supply.failure, ZeroDivisionError)
    supply.close()


class WritingBuild:
    """Writes into the cache what TensorRT would build."""

    def __init__(self, order: PlanRequest) -> None:
        self.order = order

    def wait(self, report: object) -> None:
        search = search_plan(self.order)
        write(search.place, search.key)

    def cancel(self) -> None:
        """Nothing is in work."""


@pytest.mark.parametrize(("runtime", "level"), [("auto", "info"), ("tensorrt", "warning")])
def test_another_runtime_than_the_named_one_is_a_warning(
    runtime: str, level: str, supply: EngineLoader, machine: DrawnMachine, log: Log
) -> None:
    machine.has_gpu = False
    supply.open(replace(FALLBACK, runtime=runtime))
    assert log.lines == [f"{level}: ONNX Runtime is chosen"]


def test_a_runtime_that_is_not_here_is_a_warning_with_the_reason(model: Path, log: Log) -> None:
    supply = EngineLoader(EngineFactory(open_configured, plan_to_build, WritingBuild), log)
    supply.open(EngineConfig(str(model), threads=1, runtime="tensorrt", rebuild=False))
    supply.close()
    (line,) = log.lines
    assert re.match(r"warning: .*not TensorRT", line)


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_a_plan_of_an_older_tensorrt_heals_while_its_model_runs(
    precision: str, model: Path, orin: TensorRtVariant, log: Log
) -> None:
    key = replace(key_here(model, orin), precision=precision)
    plan = write(model.with_name("robot.plan"), replace(key, version="8.6.1"))
    supply = EngineLoader(EngineFactory(open_configured, plan_to_build, WritingBuild), log)
    config = EngineConfig(str(plan), threads=1)
    assert isinstance(supply.open(config), OrtEngine)
    assert "8.6.1" in log.lines[0]
    until(lambda: supply.progress is None)
    better = supply.swap()
    assert isinstance(better, TrtEngine)
    assert better.facts["precision"] == precision
    supply.close()
    again = EngineLoader(EngineFactory(open_configured, plan_to_build, WritingBuild), log)
    assert isinstance(again.open(config), TrtEngine), "the next start finds it"
    assert again.progress is None
    again.close()


class SlowMachine(DrawnMachine):
    """Opens a plan only when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_opening = threading.Event()
        self.may_open = threading.Event()

    def open(self, config: EngineConfig, *told: Any, **others: Any) -> NamedEngine:
        if self.has_plan:
            self.is_opening.set()
            assert self.may_open.wait(30)
        return super().open(config, *told, **others)


@pytest.mark.parametrize("end", [EngineLoader.close, EngineLoader.close_engine])
def test_nobody_waits_for_a_plan_that_is_being_opened(
    end: Callable[[EngineLoader], None], log: Log
) -> None:
    machine = SlowMachine()
    supply = EngineLoader(machine.factory, log)
    supply.open(FALLBACK)
    machine.builds[0].finish()
    assert machine.is_opening.wait(30)
    end(supply)
    machine.may_open.set()
    supply.wait(30)
    assert supply.engine is None
    assert [engine.closed for engine in machine.opened] == [1, 1], "the late one closes itself"
    supply.close()


def test_a_plan_that_was_called_off_does_not_take_over(log: Log) -> None:
    machine = SlowMachine()
    supply = EngineLoader(machine.factory, log)
    supply.open(FALLBACK)
    machine.builds[0].finish()
    assert machine.is_opening.wait(30)
    supply.close()
    machine.has_plan = False
    running = supply.open(FALLBACK)
    machine.has_plan = True
    machine.may_open.set()
    until(lambda: len(machine.opened) == 3 and machine.opened[-1].closed)
    assert supply.swap() is None
    assert supply.engine is running
    supply.close()
    supply.wait(30)


def test_a_plan_of_another_model_does_not_take_over(
    supply: EngineLoader, machine: DrawnMachine
) -> None:
    supply.open(FALLBACK)
    supply.close_engine()
    running = supply.open(replace(FALLBACK, name="sharp.onnx", rebuild=False))
    assert machine.builds[0].error == "it was cancelled"
    supply.wait(30)
    assert supply.swap() is None
    assert supply.engine is running
