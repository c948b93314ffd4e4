# SPDX-License-Identifier: Apache-2.0
"""``--runtime``: figures and label files that do not depend on what the machine is good at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.core.errors import ModelError
from test.drawn.drawn_training import write_training_set


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
