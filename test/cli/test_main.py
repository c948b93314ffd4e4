# SPDX-License-Identifier: Apache-2.0
"""The command by itself, before any verb."""

from __future__ import annotations

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
