# SPDX-License-Identifier: Apache-2.0
"""The command by itself, before any verb."""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

import pytest

from panoptic_ros.cli.main import VERBS, main
from panoptic_ros.cli.printing.outputs import byte_words


def test_without_a_verb_the_verbs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    said = capsys.readouterr()
    assert all(f"\n    {verb}" in said.err for verb in VERBS)
    assert not said.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["replay", "a.mp4", "--duratoin", "3"], "--duratoin 3; the nearest is '--duration'"),
        (["info", "a.onnx", "b.onnx"], "unrecognized arguments: b.onnx"),
    ],
    ids=["option", "file"],
)
def test_what_a_verb_does_not_take_is_named_beside_what_it_takes(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert f"usage: panoptic {words[0]} " in said
    assert told in said


def test_the_nearest_to_a_misspelt_verb_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replai", "a.mp4"])
    assert ended.value.code == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == "panoptic: error: there is no verb 'replai'; the nearest is 'replay'"


def test_options_before_the_verb_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--json", "info", "street_fast"])
    assert "unrecognized arguments: --json; the verb comes first" in capsys.readouterr().err


def test_options_may_stand_between_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(args: argparse.Namespace) -> int:
        assert (args.checkpoint, args.size) == (Path("best.pt"), (256, 128))
        assert (args.verb, args.model) == ("export", Path("mine.onnx"))
        return 7

    monkeypatch.setattr("panoptic_ros.cli.export.run", told)
    assert main(["export", "best.pt", "--size", "256x128", "mine.onnx"]) == 7


def test_a_small_file_has_a_size_other_than_nothing() -> None:
    assert [byte_words(23_746), byte_words(12_345_678)] == ["23.7 kB", "12.3 MB"]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_name_that_stdout_cannot_encode_is_escaped(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(
        "panoptic_ros.cli.info.run", lambda args: 0 * sys.stdout.write(f"{args.model}\n")
    )
    assert main(["info", os.fsdecode(b"caf\xe9")]) == 0
    out.flush()
    out.buffer.seek(0)
    assert out.buffer.read() == b"caf\\udce9\n"


def test_output_to_a_full_disk_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(args: argparse.Namespace) -> int:
        return 0 * sys.stdout.write("much")

    monkeypatch.setattr("panoptic_ros.cli.info.run", told)
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as ended:
            main(["info", "street_fast"])
        sys.stdout.close()
        monkeypatch.undo()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, full.fileno())
        os.close(null)
    assert ended.value.code == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("panoptic info: ")
    assert said.endswith("cannot be written (No space left on device)")
