# SPDX-License-Identifier: Apache-2.0
"""Cityscapes' own panoptic JSON: ids are texts, and files that it names do not exist."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.data.cityscapes import CATEGORIES
from panoptic_ros.data.coco.ids import write_ids

CITIES = ("aachen", "ulm")
JSON = Path("cs/gtFine/cityscapes_panoptic_val.json")


@pytest.fixture
def cities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write two images as cityscapesScripts' createPanopticImgs.py does."""
    monkeypatch.chdir(tmp_path)
    document: dict[str, Any] = {"images": [], "annotations": []}
    document["categories"] = [
        {"id": entry.id, "name": entry.name, "isthing": int(entry.is_thing)}
        for entry in CATEGORIES
    ]
    street = DrawnStreet(seconds=1, size=(512, 256))
    for number, city in enumerate(CITIES):
        frame, truth = street.draw(5 * number)
        base = f"{city}_000000_000019"
        image = Path(f"cs/leftImg8bit/val/{city}/{base}_leftImg8bit.png")
        image.parent.mkdir(parents=True)
        cv2.imwrite(str(image), np.ascontiguousarray(frame.image[..., ::-1]))
        png = JSON.parent / JSON.stem / f"{base}_gtFine_panoptic.png"
        png.parent.mkdir(parents=True, exist_ok=True)
        ids = (truth.labels.astype(np.uint32) + 1) * 1000 + truth.ids
        write_ids(png, ids)
        keys, areas = (part.tolist() for part in np.unique(ids, return_counts=True))
        infos = [
            {"id": key, "category_id": CATEGORIES[key // 1000 - 1].id, "area": area}
            for key, area in zip(keys, areas, strict=True)
        ]
        file_name = f"{base}_gtFine_leftImg8bit.png"
        size = {"width": 512, "height": 256}
        document["images"].append({"id": base, "file_name": file_name, **size})
        annotation = {"image_id": base, "file_name": png.name, "segments_info": infos}
        document["annotations"].append(annotation)
    JSON.write_text(json.dumps(document))
    return JSON


def scores(*words: object) -> dict[str, Any]:
    assert main(["eval", *map(str, words), "--json", "out.json"]) == 0
    found: dict[str, Any] = json.loads(Path("out.json").read_text())
    return found


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--format", "cityscapes"), id="beside gtFine"),
        pytest.param(("--format", "coco", "--images", "cs/leftImg8bit/val"), id="in a split"),
        pytest.param(("--format", "coco", "--images", "cs"), id="in the whole data set"),
    ],
)
def test_the_images_are_found_by_their_ids(cities: Path, words: tuple[str, ...]) -> None:
    found = scores(*words, "--gt", cities, "--engine", "drawn")
    assert found["images"] == 2
    assert found["panoptic"]["stuff"]["pq"] > 0.9


def test_predictions_keep_the_ids_and_are_scored(cities: Path) -> None:
    merged = Path("flat")
    merged.mkdir()
    for image in Path("cs/leftImg8bit").rglob("*.png"):
        (merged / image.name).write_bytes(image.read_bytes())
    words = ("--engine", "drawn", "--format", "coco", "--categories", str(cities), "--out", "p")
    assert main(["predict", str(merged), *words]) == 0
    document = json.loads(Path("p/predictions.json").read_text())
    assert [entry["image_id"] for entry in document["annotations"]] == [
        f"{city}_000000_000019" for city in CITIES
    ]
    classes = {
        segment["category_id"]
        for entry in document["annotations"]
        for segment in entry["segments_info"]
    }
    assert classes <= {entry.id for entry in CATEGORIES}
    files = scores("--format", "cityscapes", "--gt", cities, "--pred", "p")
    engine = scores("--format", "cityscapes", "--gt", cities, "--engine", "drawn")
    assert files["panoptic"] == engine["panoptic"]
    assert files["remarks"] == []


def test_predictions_with_ids_of_their_own_are_matched_by_name(cities: Path) -> None:
    folder = next(Path("cs/leftImg8bit/val").iterdir()).parent
    for city in CITIES:
        place = folder / city
        words = ("--engine", "drawn", "--format", "coco", "--out", f"p_{city}")
        assert main(["predict", str(place), *words]) == 0
    # One result file of both cities, with numbers for ids.
    merged: dict[str, Any] = {"images": [], "annotations": []}
    Path("p/panoptic").mkdir(parents=True)
    for number, city in enumerate(CITIES):
        document = json.loads(Path(f"p_{city}/predictions.json").read_text())
        merged["categories"] = document["categories"]
        merged["images"].append({**document["images"][0], "id": number})
        merged["annotations"].append({**document["annotations"][0], "image_id": number})
        png = document["annotations"][0]["file_name"]
        Path(f"p/panoptic/{png}").write_bytes(Path(f"p_{city}/panoptic/{png}").read_bytes())
    Path("p/predictions.json").write_text(json.dumps(merged))
    files = scores("--format", "cityscapes", "--gt", cities, "--pred", "p")
    engine = scores("--format", "cityscapes", "--gt", cities, "--engine", "drawn")
    assert files["panoptic"]["all"]["pq"] == pytest.approx(engine["panoptic"]["all"]["pq"])
    assert files["remarks"] == [
        "Image ids of the predictions fit no image: matched by file name.",
        "Class ids of the predictions mean other classes: matched by class name.",
    ]


def test_two_images_of_one_name_are_both_named(
    cities: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = next(Path("cs/leftImg8bit/val/ulm").iterdir())
    twin = Path("cs/leftImg8bit/train/ulm") / image.name
    twin.parent.mkdir(parents=True)
    twin.write_bytes(image.read_bytes())
    words = ("--format", "coco", "--gt", str(cities), "--images", "cs/leftImg8bit")
    assert main(["eval", *words, "--engine", "drawn"]) == 2
    error = capsys.readouterr().err
    assert str(image) in error
    assert str(twin) in error
    assert "may both be the image" in error
