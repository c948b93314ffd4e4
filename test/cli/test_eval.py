# SPDX-License-Identifier: Apache-2.0
"""``panoptic eval`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from panoptic_ros.cli.main import main
from test.metrics.drawn_panoptic import (
    CAR,
    ROAD,
    Pair,
    ids,
    segments,
    write_predictions,
    write_truth,
)

TRUTH = ids("1112", "1112")
MOVED = ids("1122", "1112")


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """A command line that scores one drawn image."""
    classes = {1: ROAD, 2: CAR}
    pair = Pair(TRUTH, segments(TRUTH, classes), MOVED, segments(MOVED, classes))
    truth, predicted = write_truth(tmp_path, [pair]), write_predictions(tmp_path, [pair])
    return [
        *("eval", "--format", "coco", "--gt-json", str(truth[0]), "--gt-dir", str(truth[1])),
        *("--pred-json", str(predicted[0]), "--pred-dir", str(predicted[1])),
    ]


def scores(words: list[str], tmp_path: Path) -> dict[str, Any]:
    assert main([*words, "--json", str(tmp_path / "out.json")]) == 0
    found: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    return found


def test_writes_the_scores_as_json(words: list[str], tmp_path: Path) -> None:
    found = scores(words, tmp_path)
    assert found["images"] == 1
    assert found["panoptic"]["things"]["pq"] == pytest.approx(2 / 3)
    assert found["panoptic"]["stuff"]["pq"] == pytest.approx(5 / 6)
    assert found["semantic"]["miou"] == pytest.approx((2 / 3 + 5 / 6) / 2)


def test_every_class_has_its_line_in_the_json(words: list[str], tmp_path: Path) -> None:
    by_name = {entry["name"]: entry for entry in scores(words, tmp_path)["classes"]}
    assert set(by_name) == {"road", "sky", "person", "car"}
    assert by_name["car"]["matched"] == 1
    assert by_name["sky"]["pq"] is None


def test_prints_a_table_of_all_classes(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    rows = [line.replace("│", " ").split() for line in capsys.readouterr().out.splitlines()]
    assert ["all", "(2", "classes)", "75.0", "75.0", "100.0", "75.0"] in rows
    assert ["road", "83.3", "83.3", "100.0", "83.3", "1", "0", "0"] in rows
    assert ["sky", "-", "-", "-", "-", "0", "0", "0"] in rows


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(["--engine", "x"], "found --engine, --pred-dir, --pred-json", id="both"),
        pytest.param(["--gt-json", "absent.json"], "absent.json: cannot be read", id="no truth"),
        pytest.param(["--pred-json", "absent.json"], "absent.json: cannot be read", id="no files"),
        pytest.param(["--pred-dir", "absent"], "absent/0.png: missing", id="no pictures"),
        pytest.param(["--json", "/absent/out.json"], "cannot be written", id="no place to write"),
    ],
)
def test_a_mistake_is_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str], change: list[str], message: str
) -> None:
    assert main([*words, *change]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_images_without_an_engine_are_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    truth_only = words[: words.index("--pred-json")]
    assert main([*truth_only, "--images", "."]) == 2
    assert "found --images; needs either" in capsys.readouterr().err


def test_a_missing_model_is_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    truth_only = words[: words.index("--pred-json")]
    assert main([*truth_only, "--images", ".", "--engine", "absent.onnx"]) == 2
    assert "no model 'absent.onnx'" in capsys.readouterr().err
