# SPDX-License-Identifier: Apache-2.0
"""What may stand in a recipe, and what a plan is for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.engine.building.recipe import Recipe, key_of, read_recipe, with_choices
from panoptic_ros.engine.device import Gpu
from panoptic_ros.engine.variant import TensorRtVariant
from test.drawn.tiny_model import spec, write_tiny_model

ORIN = Gpu("Orin", "8.7", "12.6", True)
JETPACK = TensorRtVariant("tensorrt", "10.3.0", SimpleNamespace())
RTX = TensorRtVariant("tensorrt_rtx", "1.7.1", SimpleNamespace())


def write(folder: Path, text: str) -> Path:
    path = folder / "street.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_recipe_is_read_with_paths_beside_it(tmp_path: Path) -> None:
    text = "model: tiny.onnx\nprecision: int8\nbatch: 3\ntargets: [8.6, '12.0']\n"
    text += "images: day\n"
    assert read_recipe(write(tmp_path, text)) == Recipe(
        tmp_path / "tiny.onnx",
        precision="int8",
        batch=3,
        targets=("8.6", "12.0"),
        images=str(tmp_path / "day"),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("precision: fp16", "needs at least 'model"),
        ("modell: a.onnx", r"street\.yaml: no entry modell; the nearest is 'model'"),
        ("- 1", "needs at least 'model"),
        ("a: [", "is not YAML"),
        ("model: a.onnx\nprecison: fp16", "no entry precison; the nearest is 'precision'"),
        ("model: a.onnx\nbatch: many", "batch is 'many', needs int"),
        ("model: a.onnx\nbatch: true", "batch is True, needs int"),
        ("model: a.onnx\nbatch: 0", "batch 0: needs 1 to 64"),
        ("model: a.onnx\nbatch: 0", r"\.yaml: batch 0"),
        ("model: a.onnx\ndla: -2", "dla -2: needs the number of a core, or -1"),
        ("model: a.onnx\nprecision: fp8", "precision 'fp8': needs one of fp32, fp16, int8"),
        ("model: a.onnx\nvariant: trt", "variant 'trt': needs one of"),
        ("model: a.onnx\nflavour: trt", "variant 'trt': needs one of"),
    ],
)
def test_a_mistake_in_a_recipe_is_named(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        read_recipe(write(tmp_path, text))


def test_a_recipe_takes_the_name_of_a_shipped_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = {"street_fast": Path("/package/street_fast.onnx")}
    monkeypatch.setattr("panoptic_ros.engine.building.recipe.shipped_models", lambda: shipped)
    path = write(tmp_path, "model: street_fast")
    assert read_recipe(path).model == shipped["street_fast"]
    (tmp_path / "street_fast").touch()
    assert read_recipe(path).model == tmp_path / "street_fast"


def test_the_command_line_wins_over_the_recipe() -> None:
    recipe = Recipe(Path("a.onnx"), precision="fp32", batch=2)
    assert with_choices(recipe, precision="fp16", batch=None).precision == "fp16"
    assert with_choices(recipe, precision="fp16", batch=None).batch == 2


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return Recipe(write_tiny_model(tmp_path / "tiny.onnx"))


def test_a_plan_of_a_robot_is_for_its_gpu(recipe: Recipe) -> None:
    key = key_of(recipe, spec(), JETPACK, ORIN)
    assert (key.gpu, key.compute_capability, key.version) == ("Orin", "8.7", "10.3.0")
    assert (key.shape, key.precision, key.dla) == ("4x8x3", "fp16", "none")
    assert len(key.onnx_sha256) == 64


def test_a_portable_plan_is_the_same_on_every_gpu(recipe: Recipe) -> None:
    assert key_of(recipe, spec(), RTX, ORIN) == key_of(recipe, spec(), RTX, None)
    aimed = with_choices(recipe, targets=("8.6",))
    assert key_of(aimed, spec(), RTX, None).gpu == "portable to 8.6"


def test_a_plan_of_a_graph_that_is_rewritten_otherwise_is_another(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = key_of(recipe, spec(), JETPACK, ORIN)
    monkeypatch.setattr("panoptic_ros.engine.building.recipe.REWRITING", now.rewriting + 1)
    later = key_of(recipe, spec(), JETPACK, ORIN)
    assert now.digest != later.digest
    assert now.differences(later)


def test_without_a_gpu_nothing_is_built_for_it(recipe: Recipe) -> None:
    with pytest.raises(ModelError, match=r"there is none.*build on the robot"):
        key_of(recipe, spec(), JETPACK, None)
