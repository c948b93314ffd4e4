# SPDX-License-Identifier: Apache-2.0
"""Nested phases add up to a share that never falls."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from panoptic_ros.engine.building.progress import Phases, monitor


def test_the_share_counts_steps_and_the_phase_inside() -> None:
    seen: list[tuple[str, float]] = []
    phases = Phases(lambda phase, share: seen.append((phase, share)))
    phases.start("build", None, 2)
    phases.start("optimise", "build", 4)
    phases.step("optimise", 0)
    phases.step("optimise", 1)
    phases.finish("optimise")
    phases.step("build", 0)
    phases.finish("build")
    assert seen == [
        ("build", 0.0),
        ("optimise", 0.0),
        ("optimise", 0.125),
        ("optimise", 0.25),
        ("optimise", 0.25),
        ("build", 0.5),
        ("build", 1.0),
    ]


def test_an_interrupt_stops_the_build_at_the_next_step() -> None:
    def interrupted(phase: str, share: float) -> None:
        if share > 0:
            raise KeyboardInterrupt

    phases = Phases(interrupted)
    phases.start("build", None, 2)
    assert not phases.step("build", 0)
    assert phases.cancelled


def test_a_phase_nobody_began_is_no_accident() -> None:
    phases = Phases(lambda phase, share: None)
    assert phases.step("unknown", 3)
    phases.finish("unknown")


def test_a_version_without_monitor_gets_none() -> None:
    assert monitor(SimpleNamespace(), Phases(lambda phase, share: None)) is None


def test_the_monitor_speaks_tensorrts_words() -> None:
    trt = SimpleNamespace(IProgressMonitor=type("IProgressMonitor", (), {}))
    seen: list[float] = []
    watch = monitor(trt, Phases(lambda phase, share: seen.append(share)))
    watch.phase_start("build", None, 2)
    assert watch.step_complete("build", 0) is True
    watch.phase_finish("build")
    assert seen == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("steps", [0, 1])
def test_an_empty_phase_divides_by_nothing(steps: int) -> None:
    phases = Phases(lambda phase, share: None)
    phases.start("build", None, steps)
    assert phases.share == 0.0
