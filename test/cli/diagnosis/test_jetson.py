# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic doctor`` says of a Jetson's power mode and clocks, from drawn files."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoptic_ros.cli.diagnosis.check import NOTE, OK
from panoptic_ros.cli.diagnosis.checks import diagnose
from panoptic_ros.cli.diagnosis.jetson import Jetson, look_at_jetson
from test.drawn.drawn_machine import HERE, line, without

MODEL = "proc/device-tree/model"
STATUS = "var/lib/nvpmodel/status"
MODES = "etc/nvpmodel.conf"
GPU = "sys/class/devfreq/17000000.gpu"
ORIN = {
    MODEL: "NVIDIA Jetson AGX Orin\0",
    STATUS: "pmode:0002",
    MODES: "< POWER_MODEL ID=0 NAME=MAXN >\n< POWER_MODEL ID=2 NAME=MODE_30W >\n",
    f"{GPU}/min_freq": "306000000",
    f"{GPU}/max_freq": "1300500000",
}


def drawn(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_mode_and_clocks_are_read(tmp_path: Path) -> None:
    found = look_at_jetson(drawn(tmp_path, ORIN))
    assert found == Jetson("NVIDIA Jetson AGX Orin", "2 (MODE_30W)", 306, 1300)


@pytest.mark.parametrize("files", [{}, {MODEL: "Raspberry Pi 5\0"}], ids=["a PC", "another board"])
def test_other_machines_are_none(files: dict[str, str], tmp_path: Path) -> None:
    assert look_at_jetson(drawn(tmp_path, files)) is None


@pytest.mark.parametrize(
    ("lacks", "mode", "clocks"),
    [
        (MODES, "2", (306, 1300)),
        (STATUS, "", (306, 1300)),
        (f"{GPU}/max_freq", "2 (MODE_30W)", (0, 0)),
    ],
)
def test_what_cannot_be_read_is_left_out(
    lacks: str, mode: str, clocks: tuple[int, int], tmp_path: Path
) -> None:
    found = look_at_jetson(drawn(tmp_path, {k: v for k, v in ORIN.items() if k != lacks}))
    assert found is not None
    assert (found.mode, (found.least_mhz, found.most_mhz)) == (mode, clocks)


@pytest.mark.parametrize(
    ("clocks", "state", "words"),
    [((1300, 1300), OK, "held at 1300 MHz"), ((306, 1300), NOTE, "between 306 and 1300 MHz")],
    ids=["held", "free"],
)
def test_free_clocks_are_a_note(clocks: tuple[int, int], state: str, words: str) -> None:
    board = Jetson("NVIDIA Jetson", "0 (MAXN)", *clocks)
    told = line(diagnose(without(jetson=board)), "GPU clock")
    assert told.state == state
    assert words in told.found


def test_an_unreadable_mode_names_the_command() -> None:
    told = line(diagnose(without(jetson=Jetson("NVIDIA Jetson"))), "NVIDIA Jetson")
    assert told.state == NOTE
    assert told.remedy == "sudo nvpmodel -q"


def test_a_pc_hears_nothing_of_it() -> None:
    assert [told for told in diagnose(HERE) if told.what == "GPU clock"] == []
