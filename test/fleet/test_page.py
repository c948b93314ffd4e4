# SPDX-License-Identifier: Apache-2.0
"""Every command that docs/fleet.md shows is run, on small bags and on this machine."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.label_bag import label_bag
from test.drawn.drawn_fleet import street, write_drive
from test.drawn.object_store import object_store

pytest.importorskip("rosbags")
pytestmark = pytest.mark.filterwarnings("ignore")

PAGE = (Path(__file__).parents[2] / "docs" / "fleet.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^panoptic .*", PAGE, re.MULTILINE)

SMALL = {
    "/data/2026-11": "data/2026-11",
    "--jobs 4": "--jobs 2",
    "--cut-s 600 --overlap-s 5": "--cut-s 4.8 --overlap-s 1.2",
    "--ray auto --workers 2:40 --num-gpus 0.25": "--ray local --workers 1:2",
    "<bag>": "*",
}
"""What stands for the words of the page that need a cluster, a GPU or hours of driving."""

NEEDS = {"s3://": ("s3fs", "moto"), "--ray": ("ray",)}
"""What the words of a command need that is not installed everywhere."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the page's commands name."""
    folder = tmp_path_factory.mktemp("page")
    names = ("drive", "data/2026-11/a", "night/b", "c")
    drives = {name: write_drive(folder / f"{name}.mcap", street(3)) for name in names}
    write_drive(folder / "night-shift.mcap", street(50))
    (folder / "more.txt").write_text("c.mcap\n")
    job = Job("drawn", has_page=True)
    for name in ("labels", "labels-of-another-model"):
        label_bag(str(drives["drive"]), str(folder / name), job)
    made = next((folder / "labels").glob("*/*.mcap"))
    for name in ("old", "new"):
        (folder / f"{name}.labels.mcap").write_bytes(made.read_bytes())
        text = "/**: {ros__parameters: {decode.center_threshold: 0.2}}\n"
        (folder / f"{name}.yaml").write_text(text)
    label_bag(str(drives["drive"]), str(folder / "prelabels"), replace(job, format="cvat"))
    (folder / "corrected").mkdir()
    found = next((folder / "prelabels").rglob("annotations.xml"))
    (folder / "corrected" / "annotations.xml").write_bytes(found.read_bytes())
    return folder


@pytest.fixture(scope="module")
def store(place: Path) -> Iterator[Any]:
    with object_store() as files:
        files.put_file(str(place / "drive.mcap"), "drives/2026-11/drive.mcap")
        yield files


def small(command: str, place: Path) -> list[str]:
    """Words of a command at small size, with the engine that needs no time."""
    for told, instead in SMALL.items():
        command = command.replace(told, instead)
    words = shlex.split(command)[1:]
    if words[0] == "label":
        words += ["--engine", "drawn", "--threads", "1"]
    return [
        next(str(path.relative_to(place)) for path in place.glob(word))
        if word.startswith("prelabels/*")
        else word
        for word in words
    ]


def test_the_page_has_commands_of_all_verbs_of_a_fleet() -> None:
    assert {command.split()[1] for command in COMMANDS} == {"label", "diff", "report", "eval"}


@pytest.mark.parametrize("told", SMALL)
def test_what_is_made_small_stands_on_the_page(told: str) -> None:
    assert any(told in command for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs(
    command: str,
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    for word, modules in NEEDS.items():
        for module in modules if word in command else ():
            pytest.importorskip(module)
    if "s3://" in command:
        request.getfixturevalue("store")
    own = tmp_path / "own"
    shutil.copytree(place, own)
    monkeypatch.chdir(own)
    assert main(small(command, own)) == 0
