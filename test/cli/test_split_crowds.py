# SPDX-License-Identifier: Apache-2.0
"""``panoptic split-crowds`` as a user types it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.cli.main import main
from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.data.coco.ids import read_ids, write_ids
from test.drawn.painted_engine import ROAD
from test.drawn.shaded_engine import ShadedEngine

CROWD, TRUCKS = 26000, 27000
SHADES = ((200, 0, 0), (150, 0, 0))
TOUCHING = (np.s_[40:60, 10:40], np.s_[40:60, 40:70])
LONE, SMALL, FLAT = np.s_[40:60, 80:110], np.s_[10:14, 10:14], np.s_[70:80, 10:60]


@pytest.fixture(autouse=True)
def shaded(monkeypatch: pytest.MonkeyPatch) -> None:
    from panoptic_ros.engine import open as engines

    monkeypatch.setattr(
        engines,
        "open_engine",
        lambda name, threads=0, runtime="auto", **_: ShadedEngine(),
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two cars that touch, a lone one, a speck and a row of trucks, in two images."""
    folder = tmp_path / "set"
    for name in ("images", "panoptic"):
        (folder / name).mkdir(parents=True)
    for number in (1, 2):
        draw_image(folder, number)
    (folder / "train.json").write_text(json.dumps(document()))
    (folder / "val.json").write_text("{}")
    return folder


def draw_image(folder: Path, number: int) -> None:
    image = np.zeros((96, 128, 3), np.uint8)
    image[:] = ROAD
    ids = np.full((96, 128), 7, np.uint32)
    for part, shade in zip(TOUCHING, SHADES, strict=True):
        image[part] = shade
    for part in (*TOUCHING, LONE, SMALL):
        ids[part] = CROWD
    ids[FLAT] = TRUCKS
    cv2.imwrite(str(folder / f"images/{number}.png"), image[..., ::-1])
    write_ids(folder / f"panoptic/{number}.png", ids)


def document() -> dict[str, Any]:
    entries = [
        {"id": 7, "category_id": 7, "area": 9000, "iscrowd": 0, "bbox": [0, 0, 128, 96]},
        {"id": CROWD, "category_id": 26, "area": 1816, "iscrowd": 1, "bbox": [10, 10, 100, 50]},
        {"id": TRUCKS, "category_id": 27, "area": 500, "iscrowd": 1, "bbox": [10, 70, 50, 10]},
    ]
    return {
        "info": {"year": 2026, "of": "a drawing"},
        "images": [
            {
                "id": n,
                "file_name": f"{n}.png",
                "width": 128,
                "height": 96,
                "source": "drawn" if n == 1 else "painted",
            }
            for n in (1, 2)
        ],
        "annotations": [
            {"image_id": n, "file_name": f"{n}.png", "segments_info": entries, "by": "hand"}
            for n in (1, 2)
        ],
        "categories": [
            {"id": 7, "name": "road", "isthing": 0},
            {"id": 26, "name": "car", "isthing": 1},
            {"id": 27, "name": "truck", "isthing": 1},
            {"id": 28, "name": "bus", "isthing": 1},
        ],
    }


def split(data: Path, *words: object) -> int:
    out = data.parent / "out"
    given = ["split-crowds", "--gt", data / "train.json", "--out", out, *words]
    return main(list(map(str, given)))


def annotation(data: Path, place: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data.parent / "out/train.json").read_text())
    entry: dict[str, Any] = found["annotations"][place]
    return entry


def category_map(folder: Path, entry: dict[str, Any]) -> list[int]:
    by_id = {one["id"]: one["category_id"] for one in entry["segments_info"]}
    ids = read_ids(folder / "panoptic" / entry["file_name"])
    return [by_id[number] for number in ids.ravel().tolist()]


def test_cars_that_touch_and_a_lone_one_become_objects_and_the_rest_stays(data: Path) -> None:
    assert split(data) == 0
    ids = read_ids(data.parent / "out/panoptic/1.png")
    cars = [np.unique(ids[part]).tolist() for part in (*TOUCHING, LONE)]
    assert sorted(cars) == [[CROWD + 1], [CROWD + 2], [CROWD + 3]]
    assert np.unique(ids[SMALL]).tolist() == [CROWD]
    assert np.unique(ids[FLAT]).tolist() == [TRUCKS]
    listed = {one["id"]: one["area"] for one in annotation(data)["segments_info"]}
    assert listed == {7: 9000, CROWD: 16, TRUCKS: 500, **dict.fromkeys(range(26001, 26004), 600)}


def test_every_pixel_keeps_its_category(data: Path) -> None:
    assert split(data) == 0
    before = category_map(data, document()["annotations"][0])
    assert category_map(data.parent / "out", annotation(data)) == before


def test_all_else_of_the_file_is_as_it_was(data: Path) -> None:
    assert split(data, "--most", 1) == 0
    found = json.loads((data.parent / "out/train.json").read_text())
    kept = found["annotations"][0].pop("segments_info")
    expected = document()
    expected["annotations"][0].pop("segments_info")
    assert found == expected
    assert kept[0] == document()["annotations"][0]["segments_info"][0]


def test_what_does_not_change_is_linked(data: Path) -> None:
    assert split(data, "--most", 1) == 0
    out = data.parent / "out"
    links = {
        path.relative_to(out): os.readlink(path) for path in out.rglob("*") if path.is_symlink()
    }
    assert links == {
        Path("images"): str(data / "images"),
        Path("panoptic/2.png"): str(data / "panoptic/2.png"),
        Path("val.json"): str(data / "val.json"),
    }


def test_labels_for_validation_stand_beside_those_for_training_only(data: Path) -> None:
    (data / "train.json").rename(data / "summer.json")
    assert split(data, "--gt", data / "summer.json", "--most", 1) == 0
    assert sorted(path.name for path in (data.parent / "out").iterdir()) == [
        "images",
        "panoptic",
        "split_crowds.json",
        "summer.json",
    ]


def test_the_data_set_itself_is_never_written_to(data: Path) -> None:
    files = sorted(path for path in data.rglob("*") if path.is_file())
    before = [path.read_bytes() for path in files]
    # The second run writes where the first has left a link.
    assert split(data, "--most", 1) == split(data) == 0
    assert [path.read_bytes() for path in files] == before
    assert sorted(path for path in data.rglob("*") if path.is_file()) == files


def test_a_second_run_takes_the_first_ones_place(data: Path) -> None:
    assert split(data) == split(data, "--most", 1) == 0
    assert (data.parent / "out/panoptic/2.png").is_symlink()
    assert annotation(data, 1) == document()["annotations"][1]


def test_a_table_and_a_report_say_what_was_done(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert split(data) == 0
    told = capsys.readouterr()
    rows = [line.replace("│", " ").split() for line in told.out.splitlines()]
    assert ["car", "2", "4", "3,632", "32"] in rows
    assert ["truck", "0", "0", "1,000", "1,000"] in rows
    assert ["all", "2", "4", "4,632", "1,032"] in rows
    assert "2 images with crowds, 2 with new objects" in told.out
    assert "the model does not have truck (by shape alone)" in told.err
    report = json.loads((data.parent / "out/split_crowds.json").read_text())
    assert report["complete"] is True
    assert report["classes"]["car"]["from_network"] == 4
    assert report["command"].startswith("panoptic split-crowds --gt ")


def test_without_shapes_the_network_alone_finds_objects(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert split(data, "--shapes", "none", "--source", "painted") == 0
    assert not (read_ids(data.parent / "out/panoptic/2.png")[LONE] != CROWD).any()
    assert (data.parent / "out/panoptic/1.png").is_symlink()
    assert "truck (stays crowd)" in capsys.readouterr().err


def test_a_region_that_the_network_does_not_see_as_an_object_is_none(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from panoptic_ros.engine import open as engines

    class Blind(ShadedEngine):
        def infer(self, image: NDArray[np.uint8]) -> CenterOffsetHeads:
            heads = super().infer(image)
            return replace(heads, centers=np.zeros_like(heads.centers))

    monkeypatch.setattr(
        engines, "open_engine", lambda name, threads=0, runtime="auto", **_: Blind()
    )
    assert split(data, "--shapes", "none", "--least-score", 0.1) == 0
    assert annotation(data) == document()["annotations"][0]


def test_a_missing_image_stays_as_it_is_and_is_said(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "images/1.png").unlink()
    assert split(data) == 1
    assert annotation(data) == document()["annotations"][0]
    assert "1 image cannot be read, their crowds stay" in (told := capsys.readouterr().err)
    assert "1.png: no such file" in told


def test_an_image_of_another_size_is_not_used(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(data / "images/1.png"), np.zeros((48, 64, 3), np.uint8))
    assert split(data) == 1
    assert "is 64x48, its labels are 128x96" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--classes", "bus"), "has no crowd of bus; nothing to do"),
        (
            ("--classes", "road"),
            "--classes names 'road', which is not a thing class of the data set",
        ),
        (
            ("--source", "film"),
            "--source is 'film'; the sources of the images are: drawn, painted",
        ),
        (("--classes", "truck", "--shapes", "none"), "neither the model nor --shapes knows"),
        (("--most", 0), "--most is 0, needs 1 or more"),
        (("--least-score", 2), "--least-score is 2.0, needs 0 to 1"),
        (("--images", "nowhere"), "nowhere: there is no such folder; name it with --images"),
        (("--shapes", "farm"), "shape rules 'farm' are not in"),
    ],
)
def test_a_mistake_is_said_in_one_line(
    data: Path, capsys: pytest.CaptureFixture[str], words: tuple[object, ...], message: str
) -> None:
    assert split(data, *words) == 2
    assert message in (told := capsys.readouterr().err)
    assert told.count("\n") == 1
    assert not (data.parent / "out").exists()


def test_a_folder_with_other_files_is_not_written_to(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert split(data, "--out", data) == 2
    assert "is the data set itself" in capsys.readouterr().err
    other = data.parent / "other"
    other.mkdir()
    (other / "train.json").write_text("mine")
    assert split(data, "--out", other) == 2
    assert "holds other files" in capsys.readouterr().err
    assert [path.name for path in other.iterdir()] == ["train.json"]


def test_where_no_image_is_there_nothing_is_written_that_could_be_trained_on(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (data / "images").iterdir():
        path.unlink()
    assert split(data) == 2
    assert "not one of 2 images with crowds can be read" in capsys.readouterr().err
    assert not (data.parent / "out/train.json").exists()
