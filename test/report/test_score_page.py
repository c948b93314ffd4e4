# SPDX-License-Identifier: Apache-2.0
"""The page about an evaluation: what it shows, and that it needs nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.core.classes.categories import Category
from panoptic_ros.data.annotation import MapAnnotation
from panoptic_ros.data.known_classes import label_set
from panoptic_ros.data.label_files import LabelFile, Pair
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.evaluation.evaluate import Evaluation
from panoptic_ros.evaluation.prediction import Prediction
from panoptic_ros.report.charts import Ribbon, ribbons
from panoptic_ros.report.worst_images import MOST_SHOWN, WorstImages
from test.cli.test_eval_formats import drive_words, write_drive
from test.drawn.drawn_formats import WRITERS

CATEGORIES = (Category(0, "road", False), Category(1, "car", True))


@pytest.fixture
def drive_page(tmp_path: Path) -> tuple[str, dict[str, Any]]:
    """Page and scores of a drawn drive with every metric."""
    write_drive(tmp_path, frames=15)
    page, scores = tmp_path / "deep" / "page.html", tmp_path / "scores.json"
    metrics = "pq,miou,label_miou,biou,ece,drivable,stq,vpq,clear,hota,idf1"
    words = (*drive_words(tmp_path), "--metrics", metrics, "--html", page, "--json", scores)
    assert main(["eval", *map(str, words)]) == 0
    return page.read_text(encoding="utf-8"), json.loads(scores.read_text())


def test_the_page_stands_alone(drive_page: tuple[str, dict[str, Any]]) -> None:
    text, _ = drive_page
    assert not re.search(r"https?://|<script|<link|src=\"(?!data:)", text)


def test_the_page_has_every_part(drive_page: tuple[str, dict[str, Any]]) -> None:
    text, found = drive_page
    for part in (
        "Classes",
        "The worst images",
        "Over time",
        "Objects over time",
        "Track assignment and ID switches: 0007",
        "Drivable surface",
        "Confidence",
    ):
        assert f"<h2>{part}</h2>" in text
    assert f"{100 * found['panoptic']['all']['pq']:.1f}" in text
    assert text.count("data:image/jpeg;base64,") == 4 * MOST_SHOWN


def test_the_page_has_a_triangle_for_every_switch(
    drive_page: tuple[str, dict[str, Any]],
) -> None:
    text, found = drive_page
    switches = sum(part["id_switches"] for part in found["objects"].values())
    assert text.count('class="switch"') == switches


def test_a_page_without_images_or_sequences_leaves_those_parts_out(tmp_path: Path) -> None:
    written = WRITERS["coco"](tmp_path)
    page = tmp_path / "page.html"
    words = ("--format", "coco", "--gt", written.gt, "--pred", written.gt, "--html", page)
    assert main(["eval", *map(str, words)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "The worst images" in text
    assert "Over time" not in text
    assert "Drivable" not in text


def test_a_page_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = WRITERS["coco"](tmp_path)
    words = ("--format", "coco", "--gt", written.gt, "--pred", written.gt)
    assert main(["eval", *map(str, words), "--html", "/dev/null/page.html"]) == 2
    assert "/dev/null/page.html: cannot be written" in capsys.readouterr().err


def annotation(width_of_car: int, size: tuple[int, int] = (4, 20)) -> MapAnnotation:
    labels = np.zeros(size, np.uint8)
    labels[:, :width_of_car] = 1
    return MapAnnotation(LabelMap(labels, labels.astype(np.uint16)), CATEGORIES, is_truth=False)


def test_the_gallery_keeps_the_worst_in_order() -> None:
    worst_images = WorstImages(label_set(CATEGORIES))
    evaluation = Evaluation(CATEGORIES, ("pq",), is_video=False)
    for wrong in (3, 0, 4, 1, 2, 1, 0, 4, 3, 2):
        truth = LabelFile(f"off by {wrong}", Path("t.png"), lambda: annotation(10))
        prediction = Prediction(annotation(10 + wrong))
        worst_images.offer(evaluation.compare(Pair("", truth), prediction))
    assert [shown.name for shown in worst_images.worst()] == [
        f"off by {wrong}" for wrong in (4, 4, 3, 3, 2, 2)
    ]
    assert len(worst_images.qualities) == 10
    assert worst_images.qualities[1] == 1.0


@pytest.mark.parametrize("size", [(1, 1), (1000, 3), (3, 1000)], ids=["1x1", "3x1000", "1000x3"])
def test_the_gallery_shows_images_of_odd_shapes(size: tuple[int, int]) -> None:
    worst_images = WorstImages(label_set(CATEGORIES))
    evaluation = Evaluation(CATEGORIES, ("pq",), is_video=False)
    truth = LabelFile("odd", Path("t.png"), lambda: annotation(1, size))
    worst_images.offer(evaluation.compare(Pair("", truth), Prediction(annotation(2, size))))
    assert worst_images.worst()[0].truth.startswith("data:image/jpeg")


def test_ribbons_without_rows_or_length_are_nothing() -> None:
    row = Ribbon("car 1", [(0.0, 1.0, "red", "found")], [])
    assert ribbons([], 5.0, "frame") == ribbons([row], 0.0, "frame") == ""


def test_names_on_ribbons_are_escaped() -> None:
    drawn = ribbons([Ribbon("<b>", [(0.0, 1.0, "red", "a & b")], [(0.5, "<i>")])], 2.0, "frame")
    assert "<b>" not in drawn
    assert "a &amp; b" in drawn
    assert "&lt;i&gt;" in drawn
