# SPDX-License-Identifier: Apache-2.0
"""From a recipe to a plan in the cache, with the real TensorRT for RTX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.model import METADATA_KEY
from panoptic_ros.engine.building.compile import (
    BuildEnvironment,
    build_environment,
    key_and_place,
    make_plan,
    prepared,
)
from panoptic_ros.engine.building.recipe import Recipe
from panoptic_ros.engine.models import shipped_models
from panoptic_ros.engine.storage.cache import read_plan
from panoptic_ros.engine.storage.manifest import Manifest
from test.drawn.tiny_model import write_tiny_model

pytestmark = [
    pytest.mark.rtx,
    pytest.mark.skipif("street_fast" not in shipped_models(), reason="no model is installed"),
]


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(shipped_models()["street_fast"], variant="tensorrt_rtx")


@pytest.fixture
def here(recipe: Recipe) -> BuildEnvironment:
    return build_environment(recipe)


def test_a_recipe_becomes_a_plan_that_knows_where_it_comes_from(
    recipe: Recipe, here: BuildEnvironment, tmp_path: Path
) -> None:
    key, path = key_and_place(recipe, here, tmp_path)
    assert path.parent == tmp_path
    assert path.name == f"street_fast.{key.digest}.plan"
    made = make_plan(recipe, path, here)
    content, read = read_plan(path)
    assert read == made
    assert len(content) == made.plan_bytes
    assert (read.key, read.model) == (key, "street_fast.onnx")
    assert METADATA_KEY in read.metadata
    assert read.options["types"] == "ONNX"
    assert read.parity == {}


def test_a_plan_that_is_there_is_not_built_again(
    recipe: Recipe, here: BuildEnvironment, tmp_path: Path
) -> None:
    path = tmp_path / "street.plan"
    make_plan(recipe, path, here)
    before = path.stat()
    make_plan(recipe, path, here)
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    make_plan(replace(recipe, precision="fp32"), path, here)
    assert path.stat().st_size > 1.3 * before.st_size


def test_a_plan_that_differs_too_much_is_not_kept(
    recipe: Recipe, here: BuildEnvironment, tmp_path: Path
) -> None:
    def refuse(graph: bytes, plan: bytes, about: Manifest) -> Mapping[str, float]:
        raise ModelError("labels agree on 12 %")

    with pytest.raises(ModelError, match="agree on 12 %"):
        make_plan(recipe, tmp_path / "street.plan", here, compare=refuse)
    assert not list(tmp_path.glob("*.plan"))


def test_figures_of_the_comparison_are_kept(
    recipe: Recipe, here: BuildEnvironment, tmp_path: Path
) -> None:
    figures = {"label_agreement": 0.999}
    made = make_plan(recipe, tmp_path / "a.plan", here, compare=lambda graph, plan, about: figures)
    assert read_plan(tmp_path / "a.plan")[1].parity == figures == made.parity
    assert made.compared == "graph"


def test_three_images_at_once(recipe: Recipe, here: BuildEnvironment, tmp_path: Path) -> None:
    made = make_plan(replace(recipe, batch=3), tmp_path / "three.plan", here)
    assert {tensor.shape[0] for tensor in made.tensors} == {3}


def test_a_model_that_will_be_refused_never_reaches_tensorrt(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"tiny\.onnx: .*computes on uint8; cast to float"):
        prepared(Recipe(write_tiny_model(tmp_path / "tiny.onnx")))


def test_a_folder_in_which_nobody_may_write(
    recipe: Recipe, here: BuildEnvironment, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="cannot be written there"):
        make_plan(recipe, tmp_path / "file" / "street.plan", here)
