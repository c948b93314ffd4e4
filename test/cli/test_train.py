# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic train`` and ``panoptic export`` show and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.cli.main import main

pytestmark = pytest.mark.torch


def test_the_curves_are_an_image_of_the_history(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("matplotlib")
    from panoptic_ros.cli.train import draw_curves

    lines = [
        {"step": 1, "losses": {"semantic": 1.0}, "scores": {}},
        {"step": 2, "losses": {"semantic": 0.5}, "scores": {"pq": 2.0}},
        {"step": 3, "losses": {"semantic": 0.4}, "scores": {}},
    ]
    (tmp_path / "history.jsonl").write_text("\n".join(map(json.dumps, lines)))
    draw_curves(tmp_path)
    image = cv2.imread(str(tmp_path / "curves.png"))
    assert image is not None
    assert np.unique(image.reshape(-1, 3), axis=0).shape[0] > 10


def test_a_missing_data_set_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    status = main(["train", "--data", str(tmp_path), "--out", str(tmp_path / "run")])
    assert status == 2
    assert "train.json: cannot be read" in capsys.readouterr().err


def test_a_missing_checkpoint_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    status = main(["export", str(tmp_path / "no.pt"), str(tmp_path / "model.onnx")])
    assert status == 2
    assert "cannot be read as a checkpoint" in capsys.readouterr().err


def test_a_model_name_without_onnx_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "last.pt", "model.plan"]) == 2
    assert "must end in .onnx" in capsys.readouterr().err
