# SPDX-License-Identifier: Apache-2.0
"""A long bag labelled in parts gives what it gives in one piece, whoever labels them."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.core.camera.camera_config import CameraLists
from panoptic_ros.fleet.bag_report import BagReport
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.label_bag import Labeller, label_bag
from panoptic_ros.fleet.parts.cut import Cut
from panoptic_ros.fleet.task import Task, Unfinished
from test.drawn.drawn_fleet import POISON, street, write_drive, write_video_drive
from test.drawn.drawn_video import packets
from test.fleet.kill_run import command, fates, strays

pytest.importorskip("rosbags")

WHOLE = Job("drawn")
LONG = 150
FRAMES = 45
CUT = replace(WHOLE, cut=Cut(1.5, 1.4))
PARTS = 3
CORNER = "0,0 40,0 40,20 0,20"
TOPICS = ("/left/image_raw/compressed", "/right/image_raw/compressed")


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drive(tmp_path_factory.mktemp("bags") / "drive.mcap", street(FRAMES))


@pytest.fixture(scope="module")
def whole(drive: Path) -> BagReport:
    return label_bag(str(drive), str(drive.parent / "whole"), WHOLE)


def sums(report: BagReport) -> list[tuple[str, str]]:
    return [(output.name, output.sha256) for output in report.outputs]


def test_a_long_bag_in_parts_gives_the_bytes_of_one_piece(tmp_path: Path) -> None:
    drive = write_drive(tmp_path / "long.mcap", street(LONG))
    whole = label_bag(str(drive), str(tmp_path / "whole"), WHOLE)
    cut = label_bag(str(drive), str(tmp_path / "cut"), replace(WHOLE, cut=Cut(6.0, 2.0)))
    assert (cut.status, cut.frames) == ("ok", LONG)
    assert sums(cut) == sums(whole)
    assert cut.cameras == whole.cameras
    assert strays(tmp_path / "cut") == []


def test_parts_show_the_camera_as_one_piece_does(drive: Path, tmp_path: Path) -> None:
    view = CameraLists(
        rotation=(180,), region=("0,0,192,90",), output_size=("96x48",), ego_mask=(CORNER,)
    )
    config = replace(WHOLE.config, of_cameras=view)
    one = label_bag(str(drive), str(tmp_path / "whole"), replace(WHOLE, config=config))
    cut = label_bag(str(drive), str(tmp_path / "cut"), replace(CUT, config=config))
    assert (one.status, one.frames) == ("ok", FRAMES)
    assert sums(cut) == sums(one)


def test_label_files_are_joined(drive: Path, tmp_path: Path) -> None:
    one = label_bag(str(drive), str(tmp_path / "whole"), replace(WHOLE, format="coco"))
    cut = label_bag(str(drive), str(tmp_path / "cut"), replace(CUT, format="coco"))
    assert one.status == "ok"
    assert sums(cut) == sums(one)


def test_two_cameras_damage_and_the_input_itself_are_joined(tmp_path: Path) -> None:
    drive = write_drive(tmp_path / "two.mcap", street(FRAMES), TOPICS)
    content = drive.read_bytes()
    drive.write_bytes(content[: len(content) * 3 // 4])
    one = label_bag(str(drive), str(tmp_path / "whole"), replace(WHOLE, is_merged=True))
    cut = label_bag(str(drive), str(tmp_path / "cut"), replace(CUT, is_merged=True))
    assert (one.status, set(one.cameras)) == ("partial", set(TOPICS))
    assert (cut.status, cut.frames, cut.notes) == (one.status, one.frames, one.notes)
    assert sums(cut) == sums(one)


def test_parts_that_are_there_are_not_labelled_again(drive: Path, tmp_path: Path) -> None:
    uri, out = str(drive), str(tmp_path / "out")
    with Labeller(out, CUT) as labeller:
        assert labeller.do(Task(uri)) == Unfinished(tuple(range(PARTS)))
        assert labeller.do(Task(uri, 1)) == Unfinished()
        assert labeller.do(Task(uri)) == Unfinished((0, 2))
        file = next((tmp_path / "out" / ".panoptic" / "parts").rglob("0001-00.own"))
        before = file.stat().st_mtime_ns
        assert labeller.do(Task(uri, 1)) == Unfinished()
        assert file.stat().st_mtime_ns == before
        file.write_bytes(b"cut off")
        assert labeller.do(Task(uri)) == Unfinished((0, 1, 2))


def test_a_part_of_a_bag_that_is_done_is_not_labelled(drive: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    assert label_bag(str(drive), out, CUT).status == "ok"
    with Labeller(out, CUT) as labeller:
        done = labeller.do(Task(str(drive), 1))
    assert isinstance(done, BagReport)
    assert (done.status, strays(tmp_path / "out")) == ("skipped", [])


@pytest.mark.parametrize("other", [Cut(1.5, 1.3), Cut(1.6, 1.4), None])
def test_a_bag_that_is_cut_in_another_way_is_labelled_again(
    tmp_path: Path, other: Cut | None
) -> None:
    drive = write_drive(tmp_path / "short.mcap", street(3))
    assert label_bag(str(drive), str(tmp_path / "out"), CUT).status == "ok"
    again = label_bag(str(drive), str(tmp_path / "out"), replace(CUT, cut=other))
    assert again.status == "ok"


def test_a_part_over_its_limit_fails_the_bag_and_says_which(drive: Path, tmp_path: Path) -> None:
    report = label_bag(str(drive), str(tmp_path / "out"), replace(CUT, limit_s=1e-6))
    assert report.status == "failed"
    assert report.error.startswith("part 0: took longer than")
    assert strays(tmp_path / "out") == []


def test_a_store_holds_the_parts_for_all_workers(
    drive: Path, whole: BagReport, tmp_path: Path
) -> None:
    fsspec = pytest.importorskip("fsspec")
    out = f"memory://{tmp_path.name}"
    assert sums(label_bag(str(drive), out, CUT)) == sums(whole)
    left = fsspec.filesystem("memory").find(f"/{tmp_path.name}")
    assert sorted(path.rpartition("/")[2] for path in left) == [
        "drive.labels.mcap",
        "manifest.json",
    ]


def test_a_video_topic_is_cut_between_its_key_frames(tmp_path: Path) -> None:
    drive = write_video_drive(tmp_path / "video.mcap", packets("h264", FRAMES))
    one = label_bag(str(drive), str(tmp_path / "whole"), WHOLE)
    cut = label_bag(str(drive), str(tmp_path / "cut"), CUT)
    assert (cut.status, cut.frames) == (one.status, one.frames) == ("ok", FRAMES)
    assert sums(cut) == sums(one)


def test_workers_share_the_parts_of_a_bag_and_poison_in_one_is_given_up(tmp_path: Path) -> None:
    images = list(street(60))
    good = write_drive(tmp_path / "bags" / "good.mcap", images)
    images[-1] = np.full_like(images[-1], POISON)
    write_drive(tmp_path / "bags" / "poison.mcap", images)
    words = ["--cut-s", "4.5", "--overlap-s", "1.1"]
    call = subprocess.run(
        [*command(tmp_path / "bags", tmp_path / "out", 2), *words],
        check=False,
        capture_output=True,
        text=True,
    )
    assert call.returncode == 1
    assert "part 1: its worker was ended by SIGSEGV, 2 times; given up" in call.stderr
    alone = label_bag(str(good), str(tmp_path / "alone"), replace(WHOLE, cut=Cut(4.5, 1.1)))
    found = {bag.partition("-")[0]: fate for bag, fate in fates(tmp_path / "out").items()}
    assert found["good"] == ("ok", tuple(output.sha256 for output in alone.outputs))
    assert found["poison"] == ("failed", ())
