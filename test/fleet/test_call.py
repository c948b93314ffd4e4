# SPDX-License-Identifier: Apache-2.0
"""Calls over many bags: all are accounted for, whatever dies on the way."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from panoptic_ros.cli.main import main
from test.drawn.drawn_fleet import FRONT, street, write_drive, write_empty, write_fleet
from test.fleet.kill_run import command, fates, label, label_and_kill, strays

pytest.importorskip("rosbags")

GOOD, CORRUPT, POISONOUS, EMPTY = 5, 1, 1, 1


@pytest.fixture(scope="module")
def bags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bags")
    write_fleet(folder, GOOD, CORRUPT, POISONOUS, EMPTY)
    return folder


@pytest.fixture(scope="module")
def quiet(bags: Path) -> Path:
    """What a call leaves that nobody disturbs."""
    out = bags.parent / f"{bags.name}-out"
    assert label(bags, out, 1) == 1
    return out


def test_every_bag_is_accounted_for(quiet: Path) -> None:
    statuses = [status for status, _ in fates(quiet).values()]
    assert statuses.count("ok") == GOOD
    assert statuses.count("failed") == CORRUPT + POISONOUS
    assert statuses.count("skipped") == EMPTY


def test_a_bag_that_ends_its_workers_is_given_up_and_listed(quiet: Path) -> None:
    listed = [json.loads(line) for line in (quiet / "failed.jsonl").read_text().splitlines()]
    poison = [entry["error"] for entry in listed if "poison" in entry["uri"]]
    assert poison == ["its worker was ended by SIGSEGV, 2 times; given up"]


def one_more_in(out: Path) -> Callable[[], bool]:
    """Say whether a bag has been done since."""
    before = len(fates(out))
    return lambda: len(fates(out)) > before


def test_a_call_that_is_killed_is_taken_up_by_the_next(
    bags: Path, quiet: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert label_and_kill(bags, out, 2, one_more_in(out), whole_group=False)
    assert label_and_kill(bags, out, 2, one_more_in(out), whole_group=True)
    label(bags, out, 2)
    assert fates(out) == fates(quiet)
    assert strays(out) == []


def test_two_calls_on_one_folder_share_the_bags(bags: Path, quiet: Path, tmp_path: Path) -> None:
    calls = [
        subprocess.Popen(command(bags, tmp_path / "out", 1), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [call.communicate()[0] for call in calls]
    assert fates(tmp_path / "out") == fates(quiet)
    assert all("8 bags" in line for line in said)


def test_ctrl_c_says_how_to_go_on(bags: Path, tmp_path: Path) -> None:
    call = subprocess.Popen(command(bags, tmp_path / "out", 1), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not fates(tmp_path / "out") and time.monotonic() < deadline:
        time.sleep(0.01)
    call.send_signal(signal.SIGINT)
    assert "the same command goes on" in call.communicate()[1]
    assert call.returncode == 130
    assert strays(tmp_path / "out") == []


def called(words: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What a call says on stdout, and on stderr."""
    assert main(["label", *words.format(folder).split(), "--engine", "drawn"]) == 0
    told, warned = capsys.readouterr()
    return told.replace(f"{folder}/", ""), warned.replace(f"{folder}/", "")


def test_a_dry_run_tells_and_does_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_drive(tmp_path / "bags" / "a.mcap", street(4))
    words = ["label", str(tmp_path / "bags"), "--out", str(tmp_path / "out"), "--dry-run"]
    assert main([*words, "--engine", "drawn"]) == 0
    told = capsys.readouterr().out
    assert "1 bag: 1 to label, 0 done before" in told
    assert "4 frames" in told
    assert fates(tmp_path / "out") == {}


def test_a_bag_without_images_is_skipped_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_empty(tmp_path / "empty.mcap")
    for _ in ("first", "again"):
        told, warned = called("{0}/empty.mcap --out {0}/out", tmp_path, capsys)
        assert "empty.mcap: skipped: holds no images; needs messages of sensor_msgs" in warned
        assert "it has no message" in warned
        assert "1 skipped;" in told


def test_what_was_labelled_before_is_counted_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_drive(tmp_path / "a.mcap", street(2))
    told, _ = called("{0}/a.mcap --out {0}/out", tmp_path, capsys)
    assert "0 skipped; 2 frames" in told
    told, warned = called("{0}/a.mcap --out {0}/out", tmp_path, capsys)
    assert "1 skipped (1 labelled before);" in told
    assert "wrote" not in told
    assert warned == ""


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("", ("a.labels.mcap",)),
        ("--pages", ("a.labels.mcap", "report.html")),
        ("--format coco", ("panoptic/*.png", "predictions.json")),
    ],
)
def test_the_last_line_lists_what_was_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, names: tuple[str, ...]
) -> None:
    write_drive(tmp_path / "a.mcap", street(2))
    told, _ = called(f"{{0}}/a.mcap --out {{0}}/out {words}", tmp_path, capsys)
    (folder,) = (tmp_path / "out").glob("a-*")
    below = [f"out/{folder.name}/{name}" for name in (*names, "manifest.json")]
    assert told.splitlines()[-1] == f"wrote {', '.join(below)}"
    assert all(list(tmp_path.glob(pattern)) for pattern in below)


def test_of_many_bags_the_files_of_the_first_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "abcde":
        write_drive(tmp_path / f"{name}.mcap", street(1))
    told, _ = called("{0} --out {0}/out", tmp_path, capsys)
    assert told.splitlines()[-1].count(".labels.mcap") == 3
    assert told.splitlines()[-1].endswith("manifest.json, those of 2 more bags")


def test_what_is_named_twice_is_taken_once_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_drive(tmp_path / "a.mcap", street(2))
    words = f"{{0}}/a.mcap {{0}}/a.mcap --topics {FRONT},{FRONT} --out {{0}}/out"
    told, warned = called(words, tmp_path, capsys)
    assert "1 bag: 1 ok, 0 partial, 0 failed, 0 skipped; 2 frames" in told
    assert "1 bag named more than once, taken once: a.mcap" in warned
    assert f"1 topic named more than once, taken once: {FRONT}" in warned


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "no bags"),
        (["x.mcap", "--jobs", "0"], "--jobs is 0"),
        (["x.mcap", "--scratch-gb", "inf"], "--scratch-gb is inf"),
        (["x.mcap", "--format", "nothing"], "no format 'nothing'"),
        (["x.mcap", "--outputs", "nothing"], "no topic"),
        (["--retry-failed"], "nothing to retry"),
        (["x.mcap", "--limit-s", "0"], "--limit-s"),
    ],
)
def test_a_mistake_is_said_before_anything_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert main(["label", *words, "--out", str(tmp_path), "--engine", "drawn"]) == 2
    assert told in capsys.readouterr().err
