# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic label`` says of its bags: why one has no labels, their number, their files."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from panoptic_ros.cli.printing.outputs import print_written
from panoptic_ros.core.errors import counted

if TYPE_CHECKING:
    from panoptic_ros.fleet.bag_report import BagReport
    from panoptic_ros.fleet.run import CallProgress

MOST_BAGS = 3
"""The files of so many bags are named."""


class LabelledBags:
    """Tells what became of the bags of one call; used by one thread.

    Args:
        out: Folder of the results, or its address.
    """

    def __init__(self, out: str) -> None:
        self._out = out.rstrip("/") or "/"
        self._done_before = 0
        self._labelled = 0
        self._files: list[str] = []
        self._runtimes: set[str] = set()

    def add(self, report: BagReport) -> None:
        """Take a bag; says on stderr why one is not labelled, or not in full."""
        from panoptic_ros.fleet.bag_report import DONE, OK

        if report.error == DONE:
            self._done_before += 1
            return
        if report.status != OK:
            why = report.error.removeprefix(f"{report.uri}: ") or "; ".join(report.notes[:1])
            print(f"panoptic label: {report.uri}: {report.status}: {why}", file=sys.stderr)
        if report.outputs:
            self._labelled += 1
            self._runtimes.add(report.runtime)
            if self._labelled <= MOST_BAGS:
                self._files.extend(self._files_of(report))

    def print(self, progress: CallProgress) -> None:
        """Print how many bags there were, what ran, and the files that were written."""
        bags = progress.bags
        counts = [f"{bags[name]} {name}" for name in ("ok", "partial", "failed", "skipped")]
        if self._done_before:
            counts[-1] += f" ({self._done_before} labelled before)"
        on = f" on {'; '.join(sorted(self._runtimes))}" if self._runtimes else ""
        print(
            f"{counted(progress.total, 'bag')}: {', '.join(counts)}; "
            f"{counted(progress.frames, 'frame')}, {progress.frames_per_s:.1f} frames/s"
            f"{on}"
        )
        if bags["failed"]:
            print(f"panoptic label: what failed is in {self._out}/failed.jsonl", file=sys.stderr)
        more = self._labelled - MOST_BAGS
        print_written([*self._files, *([f"those of {counted(more, 'more bag')}"] * (more > 0))])

    def _files_of(self, report: BagReport) -> Iterator[str]:
        from panoptic_ros.fleet.folder import MANIFEST

        for name in (*_patterns(file.name for file in report.outputs), MANIFEST):
            yield f"{self._out}/{report.id}/{name}"


def _patterns(names: Iterable[str]) -> Iterator[str]:
    """Name the files; those of one kind in a folder below by a pattern."""
    paths = map(PurePosixPath, names)
    yield from dict.fromkeys(
        str(path) if len(path.parts) == 1 else f"{path.parent}/*{path.suffix}" for path in paths
    )
