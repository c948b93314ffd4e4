# SPDX-License-Identifier: Apache-2.0
"""The command by itself, before any verb."""

from __future__ import annotations

import argparse
import io
import os
import sys

import pytest

from panoptic_ros.cli.main import VERBS, main
from panoptic_ros.cli.printing.outputs import byte_words


def test_without_a_verb_the_verbs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    said = capsys.readouterr()
    assert all(f"\n    {verb}" in said.err for verb in VERBS)
    assert not said.out


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
