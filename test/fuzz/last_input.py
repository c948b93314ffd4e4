# SPDX-License-Identifier: Apache-2.0
"""What is being read, kept by a file when the process dies of it."""

from __future__ import annotations

import mmap
from pathlib import Path

MOST_BYTES = 1 << 24


class LastInput:
    """Memory behind a file: a write costs nothing and outlives the process.

    Args:
        path: The file; its first eight bytes are the length of the input, little endian.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("w+b") as file:
            file.truncate(MOST_BYTES)
            self._memory = mmap.mmap(file.fileno(), MOST_BYTES)

    def remember(self, name: str, content: bytes) -> None:
        """Put the reader's name, a line, and its input in the place of the one before."""
        kept = (name.encode() + b"\n" + content)[: MOST_BYTES - 8]
        self._memory[: 8 + len(kept)] = len(kept).to_bytes(8, "little") + kept

    def forget(self) -> None:
        """Remove the file: the process lives."""
        self._memory.close()
        self._path.unlink()
