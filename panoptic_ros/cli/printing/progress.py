# SPDX-License-Identifier: Apache-2.0
"""A progress bar on stderr where somebody looks, silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")


class ProgressBar:
    """A bar that is gone when the work is done; a context manager.

    Without a terminal, or without rich, nothing is shown.

    Args:
        title: Left of the bar.
        total: What makes it full, None where not known.
    """

    def __init__(self, title: str, total: float | None) -> None:
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
        if self._bar is not None:
            self._bar.advance(self._task, amount)

    def show(self, done: float, title: str) -> None:
        """So much is done of the total, and this is what is done now."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, description=title)


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
