# SPDX-License-Identifier: Apache-2.0
"""``panoptic build``: exit status and the lines a user reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.engine.models import shipped_models
from test.drawn.tiny_model import write_tiny_model

needs_model = pytest.mark.skipif(
    "street_fast" not in shipped_models(), reason="no model is installed"
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "panoptic_ros" / "engines"


@pytest.mark.rtx
@needs_model
def test_a_model_becomes_a_plan_and_the_second_time_it_is_there(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["build", "street_fast", "--variant", "tensorrt_rtx"]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "building: there is no plan of street_fast in" in said.err
    assert "street_fast.onnx in fp16, batch 1, for portable with TensorRT for RTX" in said.out
    assert "object_agreement" in said.out
    assert len(list(cache.glob("*.plan"))) == len(list(cache.glob("*.plan.json"))) == 1
    assert main(words) == 0
    assert "there is a plan already" in capsys.readouterr().err
    assert main([*words, "--precision", "fp32"]) == 0
    assert "precision is fp16, here it is fp32" in capsys.readouterr().err


@pytest.mark.rtx
@needs_model
def test_the_recipe_says_what_to_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = shipped_models()["street_fast"]
    recipe = tmp_path / "three.yaml"
    recipe.write_text(f"model: {model}\nbatch: 3\nvariant: tensorrt_rtx\n", encoding="utf-8")
    assert main(["build", str(recipe), "--out", str(tmp_path / "three.plan")]) == 0
    assert "in fp16, batch 3" in capsys.readouterr().out
    assert (tmp_path / "three.plan").is_file()


@needs_model
def test_a_good_model_passes_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "street_fast", "--check"]) == 0
    assert "no findings" in capsys.readouterr().out


def test_the_check_lists_findings_with_their_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx")
    assert main(["build", str(model), "--check"]) == 1
    said = capsys.readouterr().out
    assert "refused: labels (Gather): computes on uint8\n  fix: cast to float before it" in said
    assert "tiny.onnx: 4 nodes, 3 findings" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "no model 'nowhere'"),
        (["model.pth"], "plans are built from an .onnx file"),
        (["tiny.onnx", "--batch", "0"], "batch 0: needs 1 to 64"),
        (["tiny.onnx", "--workspace", "-5"], "workspace -5 MiB: needs more than 0"),
        (["missing.yaml", "--check"], "missing.onnx: cannot be read (No such file or directory)"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.pth").touch()
    (tmp_path / "missing.yaml").write_text("model: missing.onnx\n", encoding="utf-8")
    write_tiny_model(tmp_path / "tiny.onnx")
    assert main(["build", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
