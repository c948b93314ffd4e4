# SPDX-License-Identifier: Apache-2.0
"""``panoptic eval`` over every format, with files and with an engine and its tracker."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.data import formats
from panoptic_ros.data.kitti_step import write_kitti_step
from test.drawn.drawn_formats import WRITERS, Written

VIDEO = ("kitti-step", "kitti-mots", "kitti-mots text")
STILL = tuple(name for name in WRITERS if name not in VIDEO)


def scores(folder: Path, *words: object) -> dict[str, Any]:
    out = folder / "scores.json"
    assert main(["eval", *map(str, words), "--json", str(out)]) == 0
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def truth(written: Written) -> tuple[object, ...]:
    return ("--format", written.format, "--gt", written.gt)


@pytest.mark.parametrize("kind", WRITERS)
def test_truth_as_prediction_is_perfect(tmp_path: Path, kind: str) -> None:
    written = WRITERS[kind](tmp_path)
    metrics = "pq,miou,label_miou,biou"
    if kind in VIDEO:
        metrics += ",stq,vpq,clear,hota,idf1"
    found = scores(tmp_path, *truth(written), "--pred", written.gt, "--metrics", metrics)
    assert found["images"] == 2
    assert found["panoptic"]["all"]["pq"] == 1.0
    assert found["semantic"]["miou"] == found["label_map"]["miou"] == 1.0
    assert found["boundary"]["biou"] == 1.0
    if kind in VIDEO:
        assert found["tracking"]["stq"] == found["video"]["vpq"] == 1.0
        assert found["objects"]["car"] == {
            "smotsa": 1.0,
            "motsa": 1.0,
            "motsp": 1.0,
            "id_switches": 0,
            "hota": 1.0,
            "deta": 1.0,
            "assa": 1.0,
            "idf1": 1.0,
        }


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("coco", {"panoptic", "semantic", "classes"}),
        ("vistas 2.0", {"panoptic", "semantic", "classes"}),
        ("kitti-step", {"panoptic", "semantic", "classes", "tracking", "video", "objects"}),
        ("kitti-mots text", {"objects"}),
    ],
)
def test_a_format_has_metrics_of_its_own(tmp_path: Path, kind: str, keys: set[str]) -> None:
    written = WRITERS[kind](tmp_path)
    found = scores(tmp_path, *truth(written), "--pred", written.gt)
    assert set(found) - {"subject", "truth", "images", "remarks"} == keys


@pytest.mark.parametrize("kind", ["cityscapes", "coco", "kitti-step"])
def test_the_surface_of_label_files_is_scored(tmp_path: Path, kind: str) -> None:
    written = WRITERS[kind](tmp_path)
    words = (*truth(written), "--pred", written.gt, "--metrics", "drivable")
    drivable = scores(tmp_path, *words)["drivable"]
    assert drivable["iou"] == drivable["max_f"] == 1.0
    assert drivable["obstacles"] == 4
    assert (drivable["flicker"] == 0.0) == (kind == "kitti-step")


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["eval", *map(str, words)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize("kind", STILL)
def test_still_images_have_no_score_over_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    written = WRITERS[kind](tmp_path)
    words = (*truth(written), "--pred", written.gt, "--metrics", "pq,stq,hota")
    assert "stq, hota: need sequences whose objects keep their ids" in refused(capsys, *words)


@pytest.mark.parametrize(
    ("kind", "metrics", "message"),
    [
        pytest.param("coco", "ece", "ece needs the confidence of every pixel", id="ece"),
        pytest.param("kitti-mots", "drivable", "needs a class that is known as", id="drivable"),
        pytest.param("coco", "pq,dice", "no metric 'dice'; there are: pq, miou", id="unknown"),
        pytest.param("coco", ",", "no metric ','; there are: pq, miou", id="none"),
    ],
)
def test_a_metric_that_cannot_be_had_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, metrics: str, message: str
) -> None:
    written = WRITERS[kind](tmp_path)
    words = (*truth(written), "--pred", written.gt, "--metrics", metrics)
    assert message in refused(capsys, *words)


def test_classes_are_renamed_by_a_file(tmp_path: Path) -> None:
    written = WRITERS["vistas 2.0"](tmp_path)
    rules = tmp_path / "map.yaml"
    rules.write_text("truth: {Road: ground, Sky: ground, Car: vehicle}\n")
    found = scores(tmp_path, *truth(written), "--pred", written.gt, "--map", rules)
    assert [entry["name"] for entry in found["classes"]] == ["ground", "vehicle", "Unlabeled"]
    assert found["panoptic"]["all"] == {"pq": 1.0, "sq": 1.0, "rq": 1.0, "classes": 2}


def write_drive(folder: Path, frames: int = 12) -> None:
    """Write a drawn drive in KITTI-STEP's layout."""
    street = DrawnStreet(size=(512, 256), fps=10, seconds=frames / 10, seed=3)
    for place in ("maps/0007", "images/0007"):
        (folder / place).mkdir(parents=True)
    for number, (frame, drawn) in enumerate(street):
        name = f"{number:06}.png"
        write_kitti_step(folder / "maps/0007" / name, drawn.labels, drawn.ids)
        cv2.imwrite(
            str(folder / "images/0007" / name), np.ascontiguousarray(frame.image[..., ::-1])
        )


def drive_words(folder: Path) -> tuple[object, ...]:
    places = ("--gt", folder / "maps", "--images", folder / "images")
    return ("--format", "kitti-step", *places, "--engine", "drawn")


def test_an_engine_and_its_tracker_are_scored_over_sequences(tmp_path: Path) -> None:
    write_drive(tmp_path)
    metrics = "pq,miou,label_miou,biou,ece,drivable,stq,vpq,clear,hota,idf1"
    found = scores(tmp_path, *drive_words(tmp_path), "--metrics", metrics)
    assert found["images"] == found["tracking"]["sequences"]["0007"]["frames"] == 12
    assert found["panoptic"]["stuff"]["pq"] > 0.95
    # Far objects of a few pixels each are more than the reader tells apart.
    assert found["tracking"]["aq"] > 0.5
    assert found["objects"]["car"]["assa"] > 0.8
    assert found["drivable"]["iou"] > 0.95
    assert found["calibration"]["error"] < 0.05


def test_persons_of_a_model_are_the_pedestrians_of_kitti_mots(tmp_path: Path) -> None:
    street = DrawnStreet(size=(512, 256), fps=10, seconds=0.4, seed=3)
    for place in ("instances/0007", "images/0007"):
        (tmp_path / place).mkdir(parents=True)
    for number, (frame, drawn) in enumerate(street):
        classes = np.zeros(256, np.uint16)
        classes[13], classes[11] = 1000, 2000
        values = classes[drawn.labels] + np.where(classes[drawn.labels] > 0, drawn.ids, 0)
        cv2.imwrite(str(tmp_path / f"instances/0007/{number:06}.png"), values.astype(np.uint16))
        image = np.ascontiguousarray(frame.image[..., ::-1])
        cv2.imwrite(str(tmp_path / f"images/0007/{number:06}.png"), image)
    words = ("--gt", tmp_path / "instances", "--images", tmp_path / "images")
    metrics = ("--metrics", "miou,clear")
    found = scores(tmp_path, "--format", "kitti-mots", *words, "--engine", "drawn", *metrics)
    assert set(found["objects"]) == {"car", "pedestrian"}
    assert found["objects"]["pedestrian"]["motsp"] > 0.7
    assert all(entry["iou"] > 0.7 for entry in found["classes"])


def test_an_engine_needs_the_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = WRITERS["kitti-step"](tmp_path)
    error = refused(capsys, *truth(written), "--engine", "drawn")
    assert "000000.png: cannot find the image for this label; pass --images DIR" in error


def test_single_images_of_an_engine_are_said_to_be_without_the_filter(tmp_path: Path) -> None:
    written = WRITERS["cityscapes"](tmp_path)
    for image in (tmp_path / "leftImg8bit").rglob("*.png"):
        cv2.imwrite(str(image), np.full((4, 8, 3), 100, np.uint8))
    words = (*truth(written), "--engine", "drawn", "--metrics", "drivable")
    assert "without the filter over time" in scores(tmp_path, *words)["remarks"][0]


def test_the_filter_runs_over_sequences_of_an_engine(tmp_path: Path) -> None:
    write_drive(tmp_path, frames=4)
    found = scores(tmp_path, *drive_words(tmp_path), "--metrics", "drivable")
    assert found["remarks"] == []


def test_another_format_is_one_line_of_the_dict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = formats.FORMATS["cityscapes"]
    monkeypatch.setitem(formats.FORMATS, "mine", replace(known, metrics=("miou",)))
    written = WRITERS["cityscapes"](tmp_path)
    found = scores(tmp_path, "--format", "mine", "--gt", written.gt, "--pred", written.gt)
    assert "panoptic" not in found
    assert found["semantic"]["miou"] == 1.0
