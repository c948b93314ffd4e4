# SPDX-License-Identifier: Apache-2.0
"""``panoptic diff``: what it says of two bags and of two models, and when it fails."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.recordings.bag_writer import BagWriter
from panoptic_ros.recordings.open_bag import OpenBag
from panoptic_ros.recordings.source import ReadErrors
from test.drawn.painted_engine import street

pytest.importorskip("rosbags")
pytestmark = pytest.mark.usefixtures("painted")


def replayed(folder: Path, name: str, *cars: int) -> Path:
    """Results of a short drive with one car per frame at these columns."""
    drive = folder / name
    drive.mkdir()
    for number, column in enumerate(cars):
        cv2.imwrite(str(drive / f"{number}.png"), street(column)[..., ::-1])
    out = folder / f"{name}.mcap"
    assert main(["replay", str(drive), "--out", str(out), "--engine", "painted"]) == 0
    return out


def diff(*words: object) -> int:
    return main(["diff", *map(str, words)])


def test_a_result_does_not_differ_from_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = replayed(tmp_path, "one", 10, 13, 16)
    assert diff(one, one, "--fail-over", "pq=0,pixels=0,id_changes=0,drivable_near=0") == 0
    assert "3 frames; 0 only in A, 0 only in B" in capsys.readouterr().out


def test_a_difference_over_its_limit_is_status_1_and_on_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("jinja2")
    a, b = replayed(tmp_path, "a", 10, 13, 16), replayed(tmp_path, "b", 10, 13, 40)
    page, figures = tmp_path / "d.html", tmp_path / "d.json"
    words = (a, b, "--fail-over", "pixels=1,lost=90", "--html", page, "--json", figures)
    assert diff(*words) == 1
    said = capsys.readouterr()
    assert "panoptic diff: pixels is" in said.err
    assert said.out.endswith(f"wrote {figures}, {page}\n")
    told = json.loads(figures.read_text())
    assert (told["frames"], len(told["exceeded"])) == (3, 1)
    assert told["measures"]["lost"] == pytest.approx(33.3333)
    text = page.read_text()
    assert "The frames that differ most" in text
    assert "http" not in text.replace("http://www.w3.org", "")


def test_images_of_odd_shapes_are_on_the_page(tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    folder = tmp_path / "odd"
    folder.mkdir()
    for name, shape in enumerate(((1, 1), (1000, 3), (3, 1000))):
        cv2.imwrite(str(folder / f"{name}.png"), np.full((*shape, 3), 90, np.uint8))
    bag = tmp_path / "odd.mcap"
    assert main(["replay", str(folder), "--out", str(bag), "--engine", "painted"]) == 0
    assert diff(bag, bag, "--html", tmp_path / "d.html") == 0
    assert "data:image/jpeg" in (tmp_path / "d.html").read_text()


def test_classes_of_a_bag_that_does_not_tell_them_can_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told, bare = replayed(tmp_path, "one", 10, 13), tmp_path / "bare.mcap"
    with OpenBag(told, ReadErrors()) as bag, BagWriter(bare) as writer:
        names = {topic.name for topic in bag.topics()} - {"/panoptic/label_info"}
        for record in bag.records(names):
            writer.write_raw(record.topic, record.type, record.data, record.time_ns)
    assert diff(bare, bare) == 2
    assert "name their label set with --labels" in capsys.readouterr().err
    assert diff(bare, told, "--labels", "cityscapes") == 2
    assert diff(bare, bare, "--labels", "cityscapes") == 0


def test_a_folder_without_a_bag_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert diff(tmp_path, tmp_path) == 2
    assert "is no bag: no .mcap or .db3 file is there" in capsys.readouterr().err


def test_two_parameter_files_are_compared_on_one_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replayed(tmp_path, "one", 10, 13, 16)
    for name, threshold in (("a", 0.1), ("b", 0.99)):
        decode = f"{{center_threshold: {threshold}, region_confidence: 1.0}}"
        text = f"/**:\n  ros__parameters:\n    decode: {decode}\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    words = (tmp_path / "a.yaml", tmp_path / "b.yaml", "--input", tmp_path / "one")
    assert diff(*words, "--engine", "painted", "--fail-over", "lost=50") == 1
    assert "lost is 100" in capsys.readouterr().err


def test_a_node_of_several_in_a_file_can_be_chosen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replayed(tmp_path, "one", 10, 13, 16)
    blocks = [
        f"/{name}/panoptic:\n  ros__parameters:\n    decode: {{object_threshold: {least}}}\n"
        for name, least in (("front", 0.0), ("rear", 1.0))
    ]
    (tmp_path / "two.yaml").write_text("".join(blocks))
    (tmp_path / "one.yaml").write_text("/**:\n  ros__parameters: {}\n")
    words = (tmp_path / "one.yaml", tmp_path / "two.yaml", "--input", tmp_path / "one")
    ends = ("--engine", "painted", "--fail-over", "lost=0")
    assert diff(*words, *ends) == 2
    assert "choose one with --params-node" in capsys.readouterr().err
    assert diff(*words, *ends, "--params-node", "/front/panoptic") == 0
    assert diff(*words, *ends, "--params-node", "/rear/panoptic") == 1


def test_the_help_says_what_is_taken_of_a_parameter_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        diff("--help")
    said = " ".join(capsys.readouterr().out.split())
    assert "taken of such a file: engine, decode, tracking, drivable" in said


@pytest.mark.parametrize(
    ("limit", "told"), [("speed=1", "no such measure"), ("pq=much", "NAME=NUMBER")]
)
def test_a_limit_that_is_none_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], limit: str, told: str
) -> None:
    assert diff("a.mcap", "b.mcap", "--fail-over", limit) == 2
    assert told in capsys.readouterr().err


def test_models_without_images_are_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert diff("street_fast", "street_sharp") == 2
    assert "--input" in capsys.readouterr().err


def test_bags_of_different_drives_are_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = replayed(tmp_path, "a", 10), replayed(tmp_path, "b", 10)
    from test.drawn.drawn_inputs import write_bag2

    shifted = tmp_path / "c.mcap"
    bag = write_bag2(tmp_path / "raw", count=2)
    assert main(["replay", str(bag), "--out", str(shifted), "--engine", "painted"]) == 0
    assert diff(a, shifted) == 2
    assert "no stamp in common" in capsys.readouterr().err
    assert diff(a, b) == 0
