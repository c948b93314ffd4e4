# SPDX-License-Identifier: Apache-2.0
"""What the verbs say of inputs that hold no image, or not in the wanted part, and of Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from panoptic_ros.cli.main import main
from test.drawn.drawn_bags import McapForm, write_mcap
from test.drawn.drawn_inputs import write_bag1, write_bag2, write_folder, write_video

pytest.importorskip("rosbags")


def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "f", [f"{number}.png" for number in range(6)])


INPUTS: dict[str, Callable[[Path], Path]] = {
    "folder": folder,
    "video": lambda tmp_path: write_video(tmp_path / "a.mp4", count=6),
    "ROS 2 bag": lambda tmp_path: write_bag2(tmp_path / "bag"),
    "database": lambda tmp_path: write_bag2(tmp_path / "bag", storage="sqlite3"),
    "ROS 1 bag": lambda tmp_path: write_bag1(tmp_path / "a.bag"),
    "MCAP without index": lambda tmp_path: write_mcap(
        tmp_path / "a.mcap", McapForm(summary=False)
    ),
}


def run(verb: str, source: Path, out: Path, *words: str) -> int:
    ends = ["--json", str(out / "s.json")]
    if verb == "predict":
        ends = ["--out", str(out / "labels"), "--format", "cityscapes"]
    return main([verb, str(source), "--engine", "drawn", *ends, *words])


@pytest.mark.parametrize("verb", ["replay", "predict"])
@pytest.mark.parametrize("kind", INPUTS)
def test_a_start_beyond_the_end_is_one_line(
    tmp_path: Path, verb: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(verb, INPUTS[kind](tmp_path), tmp_path, "--start", "99") == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len([line for line in error if line.startswith("panoptic")]) == 1
    assert "--start is 99 s, the last image is at 0.5" in error[-1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("replay a.mp4 --start -1", "--start: '-1' is not a number of at least 0"),
        ("replay a.mp4 --duration 0", "--duration: '0' is not a number above 0"),
        ("predict a.mp4 --fps inf", "--fps: 'inf' is not a number above 0"),
        ("play a.mp4 --wait -1", "--wait: '-1' is not a number of at least 0"),
        ("record --wait nan", "--wait: 'nan' is not a number of at least 0"),
        ("demo --seconds 0", "--seconds: '0' is not a number above 0"),
        ("demo --start -1", "--start: '-1' is not a number of at least 0"),
        *(
            (f"{verb} --threads -1", "--threads: '-1' is not a whole number from 0 to 256")
            for verb in ("replay", "predict", "label", "eval", "diff", "bench", "split-crowds")
        ),
        ("build m.onnx --batch 0", "--batch: '0' is not a whole number from 1 to 64"),
        ("build m.onnx --batch x", "--batch: 'x' is not a whole number from 1 to 64"),
        ("build m.onnx --workspace -5", "--workspace: '-5' is not a whole number of at least 0"),
        ("build m.onnx --dla -2", "--dla: '-2' is not a whole number of at least -1"),
        ("build m.onnx --device -1", "--device: '-1' is not a whole number of at least 0"),
        ("build m.onnx --most 0", "--most: '0' is not a whole number of at least 1"),
        ("train --data . --steps 0", "--steps: '0' is not a whole number of at least 1"),
        ("train --data . --batch 1", "--batch: '1' is not a whole number of at least 2"),
        ("train --data . --minutes -1", "--minutes: '-1' is not a number above 0"),
        ("train --data . --minutes 0", "--minutes: '0' is not a number above 0"),
        ("train --data . --rate nan", "--rate: 'nan' is not a number above 0"),
        ("train --data . --rate 0", "--rate: '0' is not a number above 0"),
        ("train --data . --zoom 2", "--zoom: '2' is not a number from 0 to 1"),
        ("train --data . --validate-every -1", "--validate-every: '-1' is not a whole number"),
        ("train --data . --workers -1", "--workers: '-1' is not a whole number of at least 0"),
        ("train --data . --cache-gb -1", "--cache-gb: '-1' is not a number of at least 0"),
        ("export --hf a/b m.onnx --threshold 2", "--threshold: '2' is not a number from 0 to 1"),
        ("export --hf a/b m.onnx --mask-threshold nan", "--mask-threshold: 'nan' is not a number"),
        ("export --hf a/b m.onnx --queries 0", "--queries: '0' is not a whole number from 1 to"),
        ("export a.pt m.onnx --ground-cost 0", "--ground-cost: '0' is not a number above 0"),
        ("calibrate a --board 9x6 --square nan", "--square: 'nan' is not a number above 0"),
        ("label a.mcap --out o --num-gpus -1", "--num-gpus: '-1' is not a number of at least 0"),
        ("bench --threads 257", "--threads: '257' is not a whole number from 0 to 256"),
    ],
)
def test_a_number_that_makes_no_sense_is_told_by_its_option(
    words: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("kind", INPUTS)
def test_a_part_between_two_images_names_the_duration(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--start", "0.25", "--duration", "0.01")
    assert run("replay", INPUTS[kind](tmp_path), tmp_path, *words) == 2
    assert "needs a longer --duration" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["replay", "predict"])
def test_an_input_of_unreadable_images_is_a_users_mistake(
    tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "f"
    source.mkdir()
    for name in ("1.png", "2.jpg"):
        (source / name).write_bytes(b"no image")
    assert run(verb, source, tmp_path) == 2
    assert "no image can be read" in capsys.readouterr().err


def test_image_files_that_are_not_read_are_counted_in_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = folder(tmp_path)
    for name in ("a.avif", "b.GIF", "c.gif", "notes.txt", "labels.json"):
        (source / name).write_bytes(b"")
    assert run("replay", source, tmp_path) == 0
    assert "image files that are not read: 1 .avif, 2 .gif" in capsys.readouterr().err
    document = json.loads((tmp_path / "s.json").read_text())
    assert any("2 .gif" in note for note in document["notes"])


def test_a_folder_of_nothing_but_other_images_names_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "f"
    source.mkdir()
    (source / "a.heic").write_bytes(b"")
    assert run("replay", source, tmp_path) == 2
    assert "1 .heic are not read" in capsys.readouterr().err


STARTED = (
    "import sys\nfrom panoptic_ros.cli.main import main\nprint('in', flush=True)\nsys.exit(main())"
)


@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.05, 0.1, 0.2, 0.3])
def test_ctrl_c_at_the_start_gives_no_traceback(tmp_path: Path, after_s: float) -> None:
    words = ["replay", str(folder(tmp_path)), "--engine", "drawn", "--json", str(tmp_path / "s")]
    process = subprocess.Popen(
        [sys.executable, "-c", STARTED, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    time.sleep(0.02 + after_s)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert "Traceback" not in error
    assert process.returncode in (130, -signal.SIGINT, 0)
