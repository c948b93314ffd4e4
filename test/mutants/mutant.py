# SPDX-License-Identifier: Apache-2.0
"""One small mistake in one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """A change of one file.

    Attributes:
        file: Changed file, from the repository's root.
        place: Function or class around it; empty outside of all.
        before: What stands there, as a reader recognises it.
        after: What the mistake makes of it.
        source: The whole changed file.
        tests: Test files that should notice, the likeliest first.
        kind: ``sampled`` or ``made``.
    """

    file: str
    place: str
    before: str
    after: str
    source: str
    tests: tuple[str, ...]
    kind: str

    @property
    def key(self) -> str:
        """What stays the same while other lines of the file change."""
        return f"{self.kind} {self.file} {self.place} [{self.before}] -> [{self.after}]"

    @property
    def folder(self) -> str:
        """Folder of the file without the package's name, two levels at most."""
        return "/".join(Path(self.file).parent.parts[1:3])
