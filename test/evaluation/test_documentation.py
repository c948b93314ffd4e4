# SPDX-License-Identifier: Apache-2.0
"""The Python examples of the pages about evaluation run as they are printed."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.data import formats
from test.drawn.drawn_panoptic import CAR, ROAD, Pair, ids, segments, write_truth

DOCS = Path(__file__).parents[2] / "docs"


def python_blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def test_a_model_is_scored_from_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime", reason="the page opens a model; pip install onnxruntime")
    drawn = ids(*["1" * 64] * 24, *["12" * 32] * 8)
    listed = segments(drawn, {1: ROAD, 2: CAR})
    json_path, label_images = write_truth(tmp_path, [Pair(drawn, listed, drawn, listed)])
    json_path.rename(tmp_path / "val.json")
    label_images.rename(tmp_path / "val")
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "0.jpg"), np.full((32, 64, 3), 90, np.uint8))
    monkeypatch.chdir(tmp_path)
    (block,) = python_blocks("evaluation.md")
    exec(compile(block, "evaluation.md", "exec"), {})
    assert "'pq_things'" in capsys.readouterr().out


def test_the_format_of_the_page_is_added_and_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(formats, "FORMATS", dict(formats.FORMATS))
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {"__name__": "panoptic_ros.data.two_files"}
    for block in python_blocks("adding-a-format.md"):
        exec(compile(block, "adding-a-format.md", "exec"), scope)
    out = capsys.readouterr().out
    assert "'pq': 100.0" in out
    assert "two-files" in formats.FORMATS
