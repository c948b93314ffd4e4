# SPDX-License-Identifier: Apache-2.0
"""Progress is shown to people and to nobody else."""

from __future__ import annotations

import io
import sys

import pytest

from panoptic_ros.cli.printing.progress import ProgressBar, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put a terminal where stderr is; not in a fixture, as pytest exchanges stderr after those."""
    pytest.importorskip("rich")
    made = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", made)
    return made


def test_items_pass_through_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch)
    assert list(progress(range(3), 3, "replay")) == [0, 1, 2]


def test_a_terminal_sees_the_title_and_the_share(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = terminal(monkeypatch)
    with ProgressBar("eval", 4) as bar:
        bar.advance(2)
    assert "eval" in seen.getvalue()
    assert "50%" in seen.getvalue()


def test_a_phase_replaces_the_title(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = terminal(monkeypatch)
    with ProgressBar("building", 1.0) as bar:
        bar.show(0.25, "tactics")
    assert "tactics" in seen.getvalue()
    assert "25%" in seen.getvalue()


def test_a_pipe_sees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar("eval", 4) as bar:
        bar.advance(2)
        bar.show(3, "more")
    assert capsys.readouterr() == ("", "")


def test_without_rich_the_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = terminal(monkeypatch)
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    assert list(progress("ab", None, "replay")) == ["a", "b"]
    assert seen.getvalue() == ""
