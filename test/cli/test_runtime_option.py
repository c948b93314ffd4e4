# SPDX-License-Identifier: Apache-2.0
"""``--runtime``: figures and label files that do not depend on what the machine is good at."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine.models import shipped_models
from panoptic_ros.engine.storage.manifest import manifest_path, sha256_of
from test.drawn.drawn_training import write_training_set
from test.drawn.plans import key, manifest


@pytest.mark.parametrize("runtime", ["auto", "onnxruntime", "openvino"])
@pytest.mark.parametrize("verb", ["eval", "predict", "replay", "split-crowds"])
def test_the_runtime_that_is_named_opens_the_engine(
    verb: str, runtime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = write_training_set(tmp_path / "data"), tmp_path / "out"
    crowds = json.loads((data / "train.json").read_text())
    for segment in (one for truth in crowds["annotations"] for one in truth["segments_info"]):
        segment["iscrowd"] = 1
    (data / "train.json").write_text(json.dumps(crowds))
    words: dict[str, list[object]] = {
        "eval": ["--format", "coco", "--gt", data / "val.json", "--images", data / "images"],
        "predict": [data / "images", "--format", "coco", "--out", out],
        "replay": [data / "images", "--out", out],
        "split-crowds": ["--gt", data / "train.json", "--out", out],
    }
    asked = []

    def refuse(*_: object, **options: Any) -> None:
        asked.append(options["runtime"])
        raise ModelError("seen")

    monkeypatch.setattr("panoptic_ros.engine.open.open_engine", refuse)
    given = [verb, *words[verb], "--engine", "street_fast", "--runtime", runtime]
    assert main([str(word) for word in given]) == 2
    assert asked == [runtime]


def test_the_runtime_of_predictions_cannot_be_chosen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_training_set(tmp_path / "data")
    words = ["eval", "--format", "coco", "--gt", data / "val.json", "--pred", data / "val.json"]
    assert main([str(word) for word in [*words, "--runtime", "onnxruntime"]]) == 2
    assert "--runtime" in capsys.readouterr().err


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan that is cut off, beside its model."""
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if "street_fast" not in shipped_models():
        pytest.skip("no model is installed")
    model = tmp_path / "street.onnx"
    shutil.copy(shipped_models()["street_fast"], model)
    whole = b"plan" * 100
    sha256 = hashlib.sha256(whole).hexdigest()
    path = model.with_suffix(".plan")
    path.write_bytes(whole[:100])
    known = manifest(
        key=key(onnx_sha256=sha256_of(model)),
        model=model.name,
        plan_sha256=sha256,
        plan_bytes=len(whole),
    )
    manifest_path(path).write_text(known.to_json())
    return path


def grade_words(verb: str, data: Path) -> list[str]:
    words: dict[str, list[object]] = {
        "eval": ["--format", "coco", "--gt", data / "val.json", "--images", data / "images"],
        "bench": ["--frames", 1, "--warmup", 0, "--size", "64x32"],
    }
    return [verb, *map(str, words[verb])]


@pytest.mark.parametrize("verb", ["eval", "bench"])
def test_a_plan_that_does_not_run_is_not_graded(
    verb: str, plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_training_set(tmp_path / "data")
    assert main([*grade_words(verb, data), "--engine", str(plan)]) == 2
    assert plan.name in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["eval", "bench"])
def test_a_runtime_that_is_not_here_is_not_graded(
    verb: str, plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_training_set(tmp_path / "data")
    words = ["--engine", str(plan.with_suffix(".onnx")), "--runtime", "tensorrt"]
    assert main([*grade_words(verb, data), *words]) == 2
    assert "street.onnx does not run in tensorrt: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "is_said"),
    [
        (["--engine", "street.plan"], True),
        (["--engine", "street.onnx", "--runtime", "tensorrt"], True),
        (["--engine", "street.onnx", "--runtime", "onnxruntime"], False),
        (["--engine", "street.onnx"], False),
    ],
    ids=["plan", "TensorRT", "ONNX Runtime", "auto"],
)
def test_what_runs_in_the_place_of_what_was_named_is_said(
    words: list[str],
    is_said: bool,
    plan: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = write_training_set(tmp_path / "data")
    monkeypatch.chdir(plan.parent)
    out = ["--format", "coco", "--out", str(tmp_path / "out")]
    assert main(["predict", str(data / "images"), *out, *words]) == 0
    assert (
        "panoptic predict: street_fast 512x256 on " in (told := capsys.readouterr().err)
    ) == is_said
    assert ("not TensorRT: " in told) == is_said
