# SPDX-License-Identifier: Apache-2.0
"""``panoptic report``: page, table and list to look at, of a folder of labelled bags."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.label_bag import Labeller
from test.drawn.drawn_fleet import FRONT, street, write_drive, write_empty

pytest.importorskip("rosbags")
pytest.importorskip("jinja2")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two drives, one of them with a page, an empty bag and one that is cut off."""
    base = tmp_path_factory.mktemp("fleet")
    write_drive(base / "day.mcap", street(4))
    write_drive(base / "night.mcap", street(4, 1))
    write_empty(base / "empty.mcap")
    (base / "cut.mcap").write_bytes((base / "day.mcap").read_bytes()[:300])
    for names, job in (
        (("day", "empty", "cut"), Job("drawn")),
        (("night",), Job("drawn", has_page=True)),
    ):
        with Labeller(str(base / "out"), job) as labeller:
            for name in names:
                labeller.label(str(base / f"{name}.mcap"))
    return base / "out"


def report(*words: object) -> int:
    return main(["report", *map(str, words)])


def test_the_page_names_hours_failures_and_hard_frames(fleet: Path) -> None:
    assert report(fleet) == 0
    found = json.loads((fleet / "fleet.json").read_text())
    assert found["bags"] == {"failed": 1, "ok": 2, "skipped": 1}
    assert found["frames"] == 8
    assert found["class_hours"]["road"] == pytest.approx(0.6 / 3600, abs=1e-5)
    assert list(found["failures"].values()) == [1]
    page = (fleet / "fleet.html").read_text()
    assert "Failures by cause" in page
    assert "Frames to look at: uncertain" in page
    night = next(path.name for path in fleet.glob("night-*"))
    assert f'href="{night}/report.html"' in page
    assert (fleet / night / "report.html").is_file()


def test_a_folder_that_is_not_there_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(tmp_path / "lables") == 2
    assert "lables: cannot be read (No such file or directory)" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_report_elsewhere_leaves_the_folder_alone_and_lists_its_files(
    fleet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(fleet / ".panoptic")
    assert report(fleet, "--out", tmp_path / "summary") == 0
    assert not (fleet / ".panoptic").exists()
    names = capsys.readouterr().out.splitlines()[-1].removeprefix("wrote ").split(", ")
    assert sorted(names) == sorted(map(str, (tmp_path / "summary").iterdir()))


def test_the_table_has_a_row_for_every_bag(fleet: Path, tmp_path: Path) -> None:
    assert report(fleet, "--out", tmp_path) == 0
    with (tmp_path / "bags.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert sorted(row["status"] for row in rows) == ["failed", "ok", "ok", "skipped"]
    assert {float(row["hours road"] or 0) > 0 for row in rows if row["frames"] == "4"} == {True}


def test_the_table_is_written_as_parquet_where_that_can_be(fleet: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert report(fleet, "--out", tmp_path) == 0
    table = parquet.read_table(tmp_path / "bags.parquet")
    assert table.num_rows == 4
    assert sum(table.column("frames").to_pylist()) == 8


def test_the_frames_to_look_at_come_with_their_images(fleet: Path, tmp_path: Path) -> None:
    assert report(fleet, "--out", tmp_path, "--images") == 0
    tasks = json.loads((tmp_path / "triage.json").read_text())
    assert {task["data"]["topic"] for task in tasks} == {FRONT}
    for task in tasks:
        assert cv2.imread(str(tmp_path / task["data"]["image"])).shape == (96, 192, 3)


def test_two_models_are_compared_bag_by_bag(fleet: Path, tmp_path: Path) -> None:
    config = Job("drawn").config
    strict = replace(config, decode=replace(config.decode, min_stuff_area=0.3))
    with Labeller(str(tmp_path / "other"), Job("drawn", config=strict)) as labeller:
        for name in ("day", "night"):
            assert labeller.label(str(fleet.parent / f"{name}.mcap")).status == "ok"
    words = ("--out", tmp_path, "--against", tmp_path / "other")
    assert report(fleet, *words) == 0
    tasks = json.loads((tmp_path / "triage.json").read_text())
    differ = [task["meta"] for task in tasks if task["meta"]["reason"] == "disagreement"]
    assert len(differ) == 8
    assert differ[0]["value"] == max(entry["value"] for entry in differ)


def test_a_folder_without_results_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(tmp_path) == 2
    assert "manifest.json" in capsys.readouterr().err
