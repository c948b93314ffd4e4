# SPDX-License-Identifier: Apache-2.0
"""OpenVINO is taken where it is faster and says the same; that is found once."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.decoding.semantic import SemanticHeads
from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.types import Heads
from panoptic_ros.engine.cpu_runtime import Measured, measure
from test.drawn.tiny_model import spec


class Clockwork:
    """An engine that takes a given time of a drawn CPU and sees one class everywhere."""

    now_s = 100.0
    waited_s = 0.0

    def __init__(self, seconds: float, label: int = 0) -> None:
        self.spec = spec(16, 8, "semantic")
        self.description = "clockwork"
        self.input = np.zeros((8, 16, 3), np.uint8)
        self._seconds, self._label = seconds, label

    def infer(self, image: NDArray[np.uint8]) -> Heads:
        Clockwork.now_s += self._seconds
        labels = np.full((8, 16), self._label, np.uint8)
        return SemanticHeads(labels, np.full((8, 16), 200, np.uint8))

    def close(self) -> None: ...

    def __enter__(self) -> Clockwork:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    clock = SimpleNamespace(
        process_time=lambda: Clockwork.now_s,
        perf_counter=lambda: Clockwork.now_s + Clockwork.waited_s,
    )
    monkeypatch.setattr("panoptic_ros.engine.cpu_runtime.time", clock)
    path = tmp_path / "m.onnx"
    path.write_bytes(b"weights")
    return path


def found(model: Path, reference: Any, candidate: Any, versions: str = "1 2") -> Measured:
    return measure(model, 2, lambda: reference, lambda: candidate, versions)


def test_the_faster_one_is_taken_and_the_ratio_said(model: Path) -> None:
    seen = found(model, Clockwork(0.02), Clockwork(0.004))
    assert seen.is_faster
    assert seen.gain == pytest.approx(5.0)
    assert seen.words == "ONNX Runtime takes 5.00 times OpenVINO's CPU time here"


def test_a_slower_one_is_not_taken(model: Path) -> None:
    seen = found(model, Clockwork(0.004), Clockwork(0.02))
    assert not seen.is_faster
    assert seen.words == "OpenVINO takes 5.00 times ONNX Runtime's CPU time here"


class Kept(Clockwork):
    """One that other programs keep from the CPU for a while, each time."""

    def infer(self, image: NDArray[np.uint8]) -> Heads:
        Clockwork.waited_s += 1.0
        return super().infer(image)


def test_what_else_runs_decides_nothing(model: Path) -> None:
    seen = found(model, Clockwork(0.02), Kept(0.01))
    assert seen.gain == pytest.approx(2.0)


def test_one_that_says_something_else_is_not_taken(model: Path) -> None:
    seen = found(model, Clockwork(0.02), Clockwork(0.001, label=1))
    assert not seen.is_faster
    assert "it says something else (label_agreement is 0.0000, needs 0.98" in seen.words


def test_one_that_cannot_be_opened_is_not_taken(model: Path) -> None:
    def fail() -> Any:
        raise ModelError("OpenVINO cannot run it (Guess)")

    seen = measure(model, 2, lambda: Clockwork(0.01), fail, "1 2")
    assert (seen.is_faster, seen.words) == (
        False,
        "OpenVINO is not taken: OpenVINO cannot run it (Guess)",
    )


def test_it_is_measured_once_for_a_model_and_its_versions(model: Path) -> None:
    def measured_again() -> Any:
        raise LookupError

    first = found(model, Clockwork(0.01), Clockwork(0.001))
    assert measure(model, 2, measured_again, measured_again, "1 2") == first
    with pytest.raises(LookupError):
        measure(model, 2, measured_again, measured_again, "1 3")
    with pytest.raises(LookupError):
        measure(model, 4, measured_again, measured_again, "1 2")
    model.write_bytes(b"others")
    with pytest.raises(LookupError):
        measure(model, 2, measured_again, measured_again, "1 2")


def test_it_is_measured_again_on_more_or_fewer_cores(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1})
    assert found(model, Clockwork(0.01), Clockwork(0.001)).is_faster
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2, 3})
    assert not found(model, Clockwork(0.001), Clockwork(0.01)).is_faster


def test_one_outcome_does_not_replace_that_for_other_threads(model: Path) -> None:
    def measured_again() -> Any:
        raise LookupError

    first = found(model, Clockwork(0.01), Clockwork(0.001))
    other = measure(model, 4, lambda: Clockwork(0.01), lambda: Clockwork(0.002), "1 2")
    assert measure(model, 2, measured_again, measured_again, "1 2") == first
    assert measure(model, 4, measured_again, measured_again, "1 2") == other


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"key": "a", "gain": "x", "why": ""}'])
def test_a_damaged_note_is_measured_again(content: bytes, model: Path) -> None:
    found(model, Clockwork(0.001), Clockwork(0.001))
    (note,) = (model.parent / "cache" / "panoptic_ros" / "engines" / "openvino").iterdir()
    note.write_bytes(content)
    assert found(model, Clockwork(0.01), Clockwork(0.001)).is_faster
