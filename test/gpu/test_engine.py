# SPDX-License-Identifier: Apache-2.0
"""Plans on a real GPU: ``make test-gpu`` runs these, and only these execute TensorRT."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.types import CenterOffsetHeads, Heads
from panoptic_ros.engine.cache import read_plan
from panoptic_ros.engine.compile import make_plan, workplace
from panoptic_ros.engine.flavour import installed_flavours
from panoptic_ros.engine.open import open_engine, shipped_models
from panoptic_ros.engine.ort import OrtEngine
from panoptic_ros.engine.parity import compare, drawn_pictures, gate
from panoptic_ros.engine.recipe import Recipe
from panoptic_ros.engine.trt import TrtEngine

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not installed_flavours(), reason="TensorRT is not installed"),
    pytest.mark.skipif("street_fast" not in shipped_models(), reason="no model is installed"),
]
MODEL = shipped_models().get("street_fast", Path("street_fast.onnx"))


@pytest.fixture(scope="module", params=["fp32", "fp16"])
def plan(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plans") / f"{request.param}.plan"
    recipe = Recipe(MODEL, request.param)
    make_plan(recipe, path, workplace(recipe))
    return path


def opened(plan: Path, graph: bool = True) -> TrtEngine:
    content, manifest = read_plan(plan)
    return TrtEngine(content, manifest, plan.name, graph=graph)


@pytest.fixture
def engine(plan: Path) -> Iterator[TrtEngine]:
    built = opened(plan)
    yield built
    built.close()


def copied(heads: Heads) -> list[np.ndarray]:
    assert isinstance(heads, CenterOffsetHeads)
    parts = (heads.labels, heads.confidence, heads.centers, heads.offsets)
    return [np.array(part) for part in parts]


def test_a_plan_says_what_onnx_runtime_says(engine: TrtEngine, plan: Path) -> None:
    pictures = drawn_pictures(engine.spec, 8)
    with OrtEngine(MODEL) as reference:
        assert isinstance(reference, OrtEngine)
        figures = compare(reference.infer, engine.infer, engine.spec, pictures)
    gate(figures, plan.stem, plan.name)


def test_a_graph_changes_nothing(plan: Path) -> None:
    recorded, plain = opened(plan, graph=True), opened(plan, graph=False)
    try:
        assert "CUDA graph" in recorded.description
        assert "CUDA graph" not in plain.description
        for picture in drawn_pictures(plain.spec, 4):
            for one, other in zip(
                copied(recorded.infer(picture)), copied(plain.infer(picture)), strict=True
            ):
                np.testing.assert_array_equal(one, other)
    finally:
        recorded.close()
        plain.close()


def test_memory_stays_the_same_over_ten_thousand_frames(engine: TrtEngine) -> None:
    engine.infer(engine.input)
    with engine._cuda.current():
        before = engine._cuda.used_bytes()
    for number in range(10_000):
        engine.input[0, 0, 0] = number % 256
        engine.infer(engine.input)
    with engine._cuda.current():
        assert engine._cuda.used_bytes() <= before


def test_each_picture_of_a_batch_gets_its_own_heads(tmp_path: Path) -> None:
    recipe = Recipe(MODEL, "fp16", batch=3)
    make_plan(recipe, tmp_path / "three.plan", workplace(recipe))
    engine = opened(tmp_path / "three.plan")
    try:
        pictures = drawn_pictures(engine.spec, 3)
        engine.inputs[:] = pictures
        together = [copied(heads) for heads in engine.infer_batch(3)]
        engine.inputs[:] = pictures[::-1]
        turned = [copied(heads) for heads in engine.infer_batch(3)]
        for one, other in zip(together, turned[::-1], strict=True):
            assert (one[0] == other[0]).mean() > 0.999
    finally:
        engine.close()


def test_two_engines_live_side_by_side(plan: Path) -> None:
    first, second = opened(plan), opened(plan)
    picture = drawn_pictures(first.spec, 1)[0]
    wanted = copied(first.infer(picture))
    second.infer(255 - picture)
    second.close()
    for one, other in zip(copied(first.infer(picture)), wanted, strict=True):
        np.testing.assert_array_equal(one, other)
    first.close()


def test_a_damaged_plan_never_reaches_tensorrt(plan: Path, tmp_path: Path) -> None:
    broken = tmp_path / plan.name
    broken.write_bytes(plan.read_bytes()[:-1])
    Path(f"{broken}.json").write_bytes(Path(f"{plan}.json").read_bytes())
    with pytest.raises(ModelError, match="is cut off"):
        open_engine(str(broken), fallback="none")


def test_a_model_becomes_a_plan_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lines: list[str] = []
    engine = open_engine(str(MODEL), rebuild=True, fallback="none", say=lines.append)
    assert isinstance(engine, TrtEngine)
    assert engine.memory_bytes > 0
    engine.close()
    assert "fits this machine" in lines[0]
