# SPDX-License-Identifier: Apache-2.0
"""Keep freed memory in the process: maps of several MB come and go with every frame."""

from __future__ import annotations

import ctypes

# Parameters of glibc's mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_TRIM_BYTES = 256 << 20
_MMAP_BYTES = 32 << 20
"""The most that glibc takes; larger blocks still come from the system one by one."""


def keep_freed_memory() -> bool:
    """Tell glibc not to hand freed memory back to the system after every frame.

    By default each block above some 100 KB may be given back when it is freed, and the next frame
    pays a page fault for every 4 KB of it. Call it once, at the start of a process that runs
    frames.

    Returns:
        Whether it took effect; False where the C library is not glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    done = [
        mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES),
        mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES),
    ]
    return all(done)
