# SPDX-License-Identifier: Apache-2.0
"""Plans on a real GPU: ``make test-gpu`` runs these, and only these execute TensorRT."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.model import ModelSpec
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.engine.building.compile import build_environment, make_plan
from panoptic_ros.engine.building.parity import compare, comparison, gate
from panoptic_ros.engine.building.recipe import Recipe
from panoptic_ros.engine.camera_frames import camera_frames
from panoptic_ros.engine.models import shipped_models
from panoptic_ros.engine.open import open_engine
from panoptic_ros.engine.ort import OrtEngine
from panoptic_ros.engine.storage.cache import read_plan
from panoptic_ros.engine.trt import TrtEngine
from test.gpu import checks, latency

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif("street_fast" not in shipped_models(), reason="no model is installed"),
]
MODEL = shipped_models().get("street_fast", Path("street_fast.onnx"))
TABLE = Path("out") / "gpu-latency.json"


def made(recipe: Recipe, path: Path) -> Path:
    """Build a plan and let the gate compare it, as ``panoptic build`` does."""
    make_plan(recipe, path, build_environment(recipe), compare=comparison(recipe.model, 0))
    return path


@pytest.fixture(scope="module", params=["fp32", "fp16"])
def plan(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = Recipe(MODEL, request.param)
    return made(recipe, tmp_path_factory.mktemp("plans") / f"{request.param}.plan")


@pytest.fixture(scope="module")
def plan_of_three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = Recipe(MODEL, "fp16", batch=3)
    return made(recipe, tmp_path_factory.mktemp("plans") / "three.plan")


def opened(plan: Path, graph: bool = True) -> TrtEngine:
    content, manifest = read_plan(plan)
    return TrtEngine(content, manifest, plan.name, graph=graph)


@pytest.fixture
def engine(plan: Path) -> Iterator[TrtEngine]:
    built = opened(plan)
    yield built
    built.close()


def test_a_plan_says_what_onnx_runtime_says(engine: TrtEngine, plan: Path) -> None:
    images = camera_frames(engine.spec, 8)
    with OrtEngine(MODEL) as reference:
        assert isinstance(reference, OrtEngine)
        figures = compare(reference.infer, engine.infer, engine.spec, images)
    gate(figures, plan.stem, plan.name)


def test_a_graph_changes_nothing(plan: Path) -> None:
    images = camera_frames(read_spec(plan), 4)
    checks.check_graph_changes_nothing(lambda graph: opened(plan, graph), images)


def read_spec(plan: Path) -> ModelSpec:
    with opened(plan) as engine:
        return engine.spec


def test_memory_stays_the_same_over_ten_thousand_frames(engine: TrtEngine) -> None:
    checks.check_memory_stays(engine)


def test_each_image_of_a_batch_gets_its_own_heads(plan_of_three: Path) -> None:
    with opened(plan_of_three) as engine:
        checks.check_batch(engine, camera_frames(engine.spec, 3))


def test_three_cameras_in_one_inference(plan_of_three: Path) -> None:
    with opened(plan_of_three) as engine:
        checks.check_cameras(engine, camera_frames(engine.spec, 3))


def test_two_engines_live_side_by_side(plan: Path) -> None:
    images = camera_frames(read_spec(plan), 2)
    checks.check_two_engines(lambda graph: opened(plan, graph), images)


def test_a_failed_kernel_is_told_with_cudas_name(plan: Path) -> None:
    """In a process of its own, whose context is lost afterwards."""
    done = subprocess.run(
        [sys.executable, "-m", "test.gpu.killed_context", str(plan)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "CUDA failed: " in done.stdout, done.stderr
    assert "CUDA_ERROR_" in done.stdout
    assert "restart the process" in done.stdout


def test_a_damaged_plan_never_reaches_tensorrt(plan: Path, tmp_path: Path) -> None:
    broken = tmp_path / plan.name
    broken.write_bytes(plan.read_bytes()[:-1])
    Path(f"{broken}.json").write_bytes(Path(f"{plan}.json").read_bytes())
    with pytest.raises(ModelError, match="is cut off"):
        open_engine(str(broken), fallback="none")


def test_a_model_becomes_a_plan_and_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lines: list[str] = []
    engine = open_engine(str(MODEL), rebuild=True, fallback="none", say=lines.append)
    assert isinstance(engine, TrtEngine)
    assert engine.memory_bytes > 0
    engine.close()
    assert "fits this machine" in lines[0]


def test_the_table_of_latencies_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every shipped model in FP32 and FP16, with and without graph, and four images at once."""
    frames = [frame for frame, _ in DrawnStreet(size=(1280, 720), fps=2.0, seconds=10.0)]
    rows, about = [], ""
    for name, model in shipped_models().items():
        for precision, batch, graph in (
            ("fp32", 1, True),
            ("fp16", 1, True),
            ("fp16", 1, False),
            ("fp16", 4, True),
        ):
            recipe = replace(Recipe(model, precision), batch=batch)
            plan = made(recipe, tmp_path / f"{name}-{precision}-{batch}.plan")
            content, manifest = read_plan(plan)
            with TrtEngine(content, manifest, plan.name, graph=graph) as engine:
                rows.append(latency.row(engine, manifest, frames, 500))
                driver = f"driver for CUDA {manifest.driver}"
                about = f"{engine._cuda.name}, {driver}, {engine._variant.title}, 1280x720"
    text = latency.write(rows, about, TABLE)
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n{TABLE}\n")
    assert TABLE.is_file()
