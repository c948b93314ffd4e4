# SPDX-License-Identifier: Apache-2.0
"""A progress bar on stderr where somebody looks, a line a minute elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")


EVERY_S = 60.0
"""Time between two lines in a log."""


class ProgressBar:
    """A bar that is gone when the work is done; a context manager.

    Without a terminal, or without rich, there is a line a minute instead, so that a log of hours
    tells of them and one of seconds stays empty.

    Args:
        title: Left of the bar.
        total: What makes it full, None where not known.
    """

    def __init__(self, title: str, total: float | None) -> None:
        self._title, self._total, self._done = title, total, 0.0
        self._due_s = time.monotonic() + EVERY_S
        self._bar = _rich_bar()
        if self._bar is not None:
            self._task = self._bar.add_task(title, total=total)

    def __enter__(self) -> ProgressBar:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, amount: float = 1) -> None:
        """So much more is done."""
        self.show(self._done + amount, self._title)

    def show(self, done: float, title: str) -> None:
        """So much is done of the total, and this is what is done now."""
        self._done, self._title = done, title
        if self._bar is not None:
            self._bar.update(self._task, completed=done, description=title)
        elif time.monotonic() >= self._due_s:
            self._due_s = time.monotonic() + EVERY_S
            print(self._line(), file=sys.stderr, flush=True)

    def _line(self) -> str:
        if self._total is None:
            return f"{self._title}: {self._done:.0f}"
        share = f"{self._done / self._total:.0%}" if self._total else "100%"
        count = f", {self._done:.0f} of {self._total:.0f}" if self._total > 1 else ""
        return f"{self._title}: {share}{count}"


def progress(items: Iterable[Item], count: int | None, title: str) -> Iterator[Item]:
    """Pass items on and show how many there were.

    Args:
        items: What to pass on.
        count: How many there will be, None where not known.
        title: Left of the bar.
    """
    with ProgressBar(title, count) as bar:
        for item in items:
            yield item
            bar.advance()


def _rich_bar() -> Any:
    if not sys.stderr.isatty():
        return None
    try:
        from rich.console import Console
        from rich.progress import MofNCompleteColumn, Progress
    except ImportError:
        return None
    # How many are done tells of progress where nobody knows how many there will be.
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
