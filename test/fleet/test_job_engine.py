# SPDX-License-Identifier: Apache-2.0
"""One engine for many bags, opened anew where it failed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.errors import DataError, EngineRunError
from panoptic_ros.engine.storage.cache import write_plan
from panoptic_ros.engine.storage.manifest import sha256_of
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.job_engine import JobEngine
from test.drawn.plans import key, manifest
from test.drawn.tiny_model import write_tiny_model


@pytest.mark.parametrize(
    ("error", "is_kept"),
    [(DataError("a bag is damaged"), True), (EngineRunError("out of memory"), False)],
    ids=["another mistake", "the engine"],
)
def test_an_engine_that_failed_is_opened_anew_for_the_next_bag(
    error: Exception, is_kept: bool
) -> None:
    engine = JobEngine(Job("drawn"))
    before = engine.pipeline()
    engine.forget(error)
    assert (engine.pipeline() is before) is is_kept
    engine.close()


def test_what_runs_in_place_of_a_plan_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr("panoptic_ros.engine.device.LIBRARY", "libnowhere.so.1")
    model = write_tiny_model(tmp_path / "tiny.onnx")
    known = key(onnx_sha256=sha256_of(model))
    plan = model.with_suffix(".plan")
    write_plan(plan, b"plan", manifest(key=known, model=model.name))
    for name, is_noted in ((plan, True), (model, False)):
        with JobEngine(Job(str(name), sha256_of(name))) as engine:
            engine.pipeline()
            assert any("no NVIDIA driver" in note for note in engine.notes) is is_noted


@pytest.mark.parametrize(
    ("outputs", "has_road", "is_noted"),
    [
        (("label", "drivable"), False, True),
        (("label",), False, False),
        (("label", "drivable"), True, False),
    ],
    ids=["no road", "no surface wanted", "a road"],
)
def test_a_surface_that_must_stay_empty_is_noted(
    outputs: tuple[str, ...], has_road: bool, is_noted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_road:
        monkeypatch.setattr(LabelSet, "drivable", property(lambda _: np.zeros(256, np.bool_)))
    with JobEngine(Job("drawn", outputs=outputs)) as engine:
        engine.pipeline()
        assert any("surface stays empty" in note for note in engine.notes) is is_noted
