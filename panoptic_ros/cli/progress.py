# SPDX-License-Identifier: Apache-2.0
"""A progress bar on stderr where somebody looks, silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def progress(items: Iterable[Item], count: int | None, title: str) -> Iterator[Item]:
    """Pass items on and show how many there were.

    Args:
        items: What to pass on.
        count: How many there will be, None where not known.
        title: Left of the bar.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    try:
        from rich.console import Console
        from rich.progress import track
    except ImportError:
        yield from items
        return
    yield from track(items, title, total=count, console=Console(stderr=True))
