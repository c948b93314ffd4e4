# SPDX-License-Identifier: Apache-2.0
"""Progress is shown to people at once, and to logs by the minute."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

from panoptic_ros.cli.printing import progress as module
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


class Clock:
    """A clock of which a test turns the hands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now_s))


def test_a_log_of_seconds_stays_empty(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar("eval", 4) as bar:
        bar.advance(2)
        bar.show(3, "more")
    assert capsys.readouterr() == ("", "")


def test_a_log_of_hours_has_a_line_a_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock(monkeypatch)
    with ProgressBar("train", 1.0) as bar:
        for number in range(1, 181):
            clock.now_s += 1.0
            bar.show(number / 400, f"step {number}")
    assert capsys.readouterr() == ("", "step 60: 15%\nstep 120: 30%\nstep 180: 45%\n")


@pytest.mark.parametrize(
    ("total", "line"),
    [(8, "label: 25%, 2 of 8\n"), (None, "label: 2\n"), (0, "label: 100%\n")],
)
def test_a_line_counts_what_is_done(
    total: int | None,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock(monkeypatch)
    with ProgressBar("label", total) as bar:
        bar.advance()
        clock.now_s += 60.0
        bar.advance()
    assert capsys.readouterr().err == line


def test_without_rich_the_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = terminal(monkeypatch)
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    assert list(progress("ab", None, "replay")) == ["a", "b"]
    assert seen.getvalue() == ""
