# SPDX-License-Identifier: Apache-2.0
"""How much memory this process holds."""

from __future__ import annotations

import os
from pathlib import Path

STATM = Path("/proc/self/statm")


def resident_mib(statm: Path = STATM) -> float:
    """Read the memory that this process holds now, in MiB.

    Args:
        statm: What Linux says of it, in pages.

    Returns:
        NaN where nobody says.
    """
    try:
        pages = int(statm.read_text(encoding="utf-8").split()[1])
    except (OSError, ValueError, IndexError):
        return float("nan")
    return pages * os.sysconf("SC_PAGESIZE") / 2**20
