# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime behind the seam, on a model whose answer can be read off the image."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.core.classes.label_documents import shipped_label_set
from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.errors import EngineRunError, ModelError
from panoptic_ros.core.model import METADATA_KEY, is_offloaded, runtime_words
from panoptic_ros.engine.models import shipped_models
from panoptic_ros.engine.open import open_engine
from panoptic_ros.engine.ort import OrtEngine
from test.drawn.tiny_model import spec, write_tiny_model


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[OrtEngine]:
    with OrtEngine(write_tiny_model(tmp_path / "tiny.onnx"), threads=1) as opened:
        yield opened


def test_heads_are_what_the_graph_computes(engine: OrtEngine) -> None:
    image = np.arange(4 * 8 * 3, dtype=np.uint8).reshape(4, 8, 3)
    heads = engine.infer(image)
    assert isinstance(heads, CenterOffsetHeads)
    assert (heads.labels == image[..., 0]).all()
    assert (heads.confidence == image[..., 1]).all()
    assert (heads.centers == image[..., 2]).all()
    assert heads.offsets.shape == (2, 4, 8)


def test_the_spec_comes_from_the_file_alone(engine: OrtEngine) -> None:
    assert engine.spec == spec()


def test_the_description_names_model_size_and_runtime(engine: OrtEngine) -> None:
    assert engine.description.startswith("tiny 8x4 on ONNX Runtime ")
    assert runtime_words(engine).endswith(", CPU, as the model")
    assert not is_offloaded(engine)


def test_an_image_written_to_the_input_buffer_is_the_one_that_counts(engine: OrtEngine) -> None:
    engine.input[:] = 7
    heads = engine.infer(engine.input)
    assert isinstance(heads, CenterOffsetHeads)
    assert (heads.labels == 7).all()


def test_an_image_of_another_size_is_refused(engine: OrtEngine) -> None:
    with pytest.raises(EngineRunError, match=r"\(5, 8, 3\), needs uint8 \(4, 8, 3\)"):
        engine.infer(np.zeros((5, 8, 3), np.uint8))


def test_closing_twice_is_fine(tmp_path: Path) -> None:
    engine = OrtEngine(write_tiny_model(tmp_path / "tiny.onnx"))
    engine.close()
    engine.close()
    with pytest.raises(EngineRunError, match="the engine is closed"):
        engine.infer(engine.input)


def damaged(**changes: object) -> dict[str, str]:
    document = json.loads(spec().to_metadata()[METADATA_KEY])
    return {METADATA_KEY: json.dumps({**document, **changes})}


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, "has no 'panoptic_ros' metadata.*panoptic export"),
        ({METADATA_KEY: "{"}, "metadata is damaged"),
        (damaged(labels={"name": "x", "labels": []}), "metadata is damaged"),
        (damaged(decoder="boxes"), "needs the decoder 'boxes'.*update panoptic_ros"),
        (damaged(width=64), "its inputs are.*64.*export it again"),
    ],
    ids=["no metadata", "no JSON", "no labels", "other decoder", "other size"],
)
def test_a_model_that_does_not_describe_itself_is_refused_with_the_fix(
    tmp_path: Path, metadata: dict[str, str], words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        OrtEngine(write_tiny_model(tmp_path / "tiny.onnx", metadata))


def test_a_missing_output_is_named(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "tiny.onnx", without="offsets")
    with pytest.raises(ModelError, match="outputs offsets are missing"):
        OrtEngine(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "tiny.onnx")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ModelError, match=r"is damaged or cut off; copy it here again"):
        OrtEngine(path)


def test_a_name_that_is_no_model_lists_the_models_there_are() -> None:
    with pytest.raises(ModelError, match=r"no model 'nowhere.onnx'.*needs one of them"):
        open_engine("nowhere.onnx")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.touch()
    with pytest.raises(ModelError, match=r"are \.onnx and \.plan files; found \.bin"):
        open_engine(str(path))


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_each_shipped_model_opens_and_answers(name: str) -> None:
    engine = open_engine(name, threads=1)
    engine.input[:] = 128
    heads = engine.infer(engine.input)
    assert isinstance(heads, CenterOffsetHeads)
    assert int(heads.labels.max()) < len(engine.spec.labels) == 19
    assert engine.spec.license
    engine.close()


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_each_shipped_model_knows_all_that_its_label_set_says(name: str) -> None:
    with open_engine(name, threads=1) as engine:
        assert engine.spec.labels == shipped_label_set("cityscapes")


@pytest.mark.parametrize("name", ["panoptic_ros", "panoptic_ros.cli.main"])
def test_onnx_runtime_writes_nothing_to_the_users_cache(name: str, tmp_path: Path) -> None:
    """Seen with 1.31, which leaves an identifier of the machine there as it is imported."""
    words = [sys.executable, "-c", f"import {name}, onnxruntime"]
    left_out = ("XDG_CACHE_HOME", "ORT_DISABLE_TELEMETRY")
    inherited = {key: value for key, value in os.environ.items() if key not in left_out}
    paths = {"HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run(words, env=inherited | paths, check=True, timeout=120)
    assert [*tmp_path.rglob("*onnxruntime*")] == []
