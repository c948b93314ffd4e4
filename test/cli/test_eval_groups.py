# SPDX-License-Identifier: Apache-2.0
"""Scores of the images that have a source, or makers of their labels, in common."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.evaluation import processes
from test.drawn.drawn_formats import WRITERS
from test.drawn.drawn_panoptic import (
    CAR,
    ROAD,
    Pair,
    ids,
    segments,
    write_predictions,
    write_truth,
)

TRUTH, HALF = ids("1112", "1112"), ids("1112", "11..")
CLASSES = {1: ROAD, 2: CAR}
FIELDS = (
    {"source": "CamVid", "labels": "official"},
    {"source": "Udacity", "labels": "pseudo"},
    {"source": "CamVid"},
)


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """A command line over three images, of which the second is predicted worse."""
    images = [
        Pair(TRUTH, segments(TRUTH, CLASSES), found, segments(found, CLASSES))
        for found in (TRUTH, HALF, TRUTH)
    ]
    truth, predicted = write_truth(tmp_path, images), write_predictions(tmp_path, images)
    document = json.loads(truth[0].read_text())
    for image, fields in zip(document["images"], FIELDS, strict=True):
        image |= fields
    truth[0].write_text(json.dumps(document))
    return [
        *("eval", "--format", "coco", "--gt", str(truth[0]), "--gt-dir", str(truth[1])),
        *("--pred", str(predicted[0]), "--pred-dir", str(predicted[1])),
    ]


def scores(words: list[str], folder: Path) -> dict[str, Any]:
    assert main([*words, "--json", str(folder / "out.json")]) == 0
    found: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return found


def test_every_value_of_a_field_has_its_scores(words: list[str], tmp_path: Path) -> None:
    groups = scores([*words, "--by", "source"], tmp_path)["groups"]
    assert groups["field"] == "source"
    assert {value: part["images"] for value, part in groups["values"].items()} == {
        "CamVid": 2,
        "Udacity": 1,
    }
    assert groups["values"]["CamVid"]["panoptic"]["all"]["pq"] == 1.0
    assert groups["values"]["Udacity"]["panoptic"]["all"]["pq"] < 1.0


def test_images_without_the_field_are_a_group(words: list[str], tmp_path: Path) -> None:
    values = scores([*words, "--by", "labels"], tmp_path)["groups"]["values"]
    assert {value: part["images"] for value, part in values.items()} == {
        "(none)": 1,
        "official": 1,
        "pseudo": 1,
    }


def test_the_whole_is_what_it_is_without_groups(words: list[str], tmp_path: Path) -> None:
    grouped = scores([*words, "--by", "source"], tmp_path)
    del grouped["groups"]
    assert grouped == scores(words, tmp_path)


def test_a_group_scores_what_was_chosen(words: list[str], tmp_path: Path) -> None:
    chosen = [*words, "--by", "source", "--metrics", "miou,drivable"]
    part = scores(chosen, tmp_path)["groups"]["values"]["CamVid"]
    assert set(part) == {"images", "semantic", "classes", "drivable"}
    assert part["drivable"]["label_map"]["road_recall"] == 1.0


def test_processes_score_groups_alike(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [*words, "--by", "source", "--metrics", "pq,miou,label_miou,biou,drivable"]
    threads = scores(chosen, tmp_path)
    monkeypatch.setattr(processes, "FEWEST_IMAGES", 1)
    monkeypatch.setattr(processes, "CHUNK", 1)
    assert scores(chosen, tmp_path) == threads


def test_groups_have_a_table(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--by", "source"]) == 0
    rows = [line.replace("│", " ").split() for line in capsys.readouterr().out.splitlines()]
    assert ["CamVid", "2", *["100.0"] * 4] in rows


def test_a_field_that_no_image_has_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = WRITERS["cityscapes"](tmp_path)
    place = ("--gt", str(written.gt), "--pred", str(written.gt))
    assert main(["eval", "--format", "cityscapes", *place, "--by", "source"]) == 2
    assert "--by source: no image of the data set has a field 'source'" in capsys.readouterr().err


def test_the_surface_of_label_files_is_said_to_be_without_the_filter(
    words: list[str], tmp_path: Path
) -> None:
    chosen = scores([*words, "--metrics", "drivable"], tmp_path)
    assert any("its filter over time is not run" in remark for remark in chosen["remarks"])
    assert scores(words, tmp_path)["remarks"] == []


def test_pixels_that_must_not_be_driven_on_are_counted_by_kind(
    words: list[str], tmp_path: Path
) -> None:
    drivable = scores([*words, "--metrics", "drivable"], tmp_path)["drivable"]
    kinds = {"pavement", "terrain", "objects", "not_road", "road_recall"}
    assert drivable["surface"].keys() == kinds
    assert drivable["label_map"] == {
        "pavement": None,
        "terrain": None,
        "objects": 0.0,
        "not_road": 0.0,
        "road_recall": pytest.approx(17 / 18),
    }
