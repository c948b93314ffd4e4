# SPDX-License-Identifier: Apache-2.0
"""``panoptic export --hf``: a folder in, a model file out, and what the user is told."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.cli.main import main

pytestmark = [pytest.mark.hub, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
for _module in ("torch", "transformers"):
    if importlib.util.find_spec(_module) is None:
        pytest.skip(f"{_module} is not installed: make train-env", allow_module_level=True)

from panoptic_ros.engine.ort import OrtEngine  # noqa: E402
from panoptic_ros.model.hub import license_warning  # noqa: E402
from test.drawn.small_checkpoints import SIDE, write_checkpoint  # noqa: E402


def test_a_checkpoint_becomes_a_model_that_describes_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_checkpoint("eomt", tmp_path / "eomt", "cc-by-nc-4.0")
    target = tmp_path / "models" / "small.onnx"
    assert main(["export", "--hf", str(folder), str(target), "--threshold", "0.4"]) == 0
    said = capsys.readouterr()
    assert "not for commercial use" in said.err
    assert f"{SIDE}x{SIDE}" in said.out
    with OrtEngine(target) as engine:
        spec = engine.spec
        heads = engine.infer(np.zeros((SIDE, SIDE, 3), np.uint8))
    assert (spec.name, spec.decoder, spec.license) == ("small", "query", "cc-by-nc-4.0")
    assert "threshold 0.4" in spec.provenance
    assert heads.confidence.shape == (SIDE // 2, SIDE // 2)


def test_a_label_set_of_the_users_own_counts_and_must_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_checkpoint("eomt", tmp_path / "eomt")
    labels = tmp_path / "mine.yaml"
    labels.write_text(
        "name: mine\nlabels:\n  - {index: 0, name: lane, is_thing: false, color: [1, 2, 3]}\n"
    )
    target = tmp_path / "small.onnx"
    assert main(["export", "--hf", str(folder), str(target), "--labels", str(labels)]) == 2
    words = "label set mine has 1 classes, the checkpoint 5; missing: sidewalk, car, person, sky"
    assert words in capsys.readouterr().err
    assert not target.exists()


@pytest.mark.parametrize(
    "arguments",
    [["m.onnx"], ["best.pt", "m.onnx", "--hf", "some/id"]],
    ids=["none", "both"],
)
def test_there_must_be_one_checkpoint(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *arguments]) == 2
    assert "export --hf ID MODEL.onnx" in capsys.readouterr().err


def test_a_number_of_queries_out_of_range_is_refused_before_anything_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--hf", str(tmp_path / "nowhere"), str(tmp_path / "m.onnx"), "--queries", "900"]
    with pytest.raises(SystemExit) as ended:
        main(["export", *words])
    assert ended.value.code == 2
    assert "'900' is not a whole number from 1 to 255" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("license_text", "words"),
    [
        ("mit", ""),
        ("Apache-2.0", ""),
        ("cc-by-nc-4.0", "not for commercial use"),
        ("cc-by-nc-sa-3.0", "not for commercial use"),
        ("other", "says 'other'"),
        ("", "names none"),
    ],
)
def test_what_a_licence_forbids_is_said(license_text: str, words: str) -> None:
    warning = license_warning(license_text)
    assert words in warning
    assert bool(warning) == bool(words)
