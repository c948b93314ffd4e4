# SPDX-License-Identifier: Apache-2.0
"""Let a training on a CPU keep its memory from step to step.

A step allocates and frees some gigabytes of activations. glibc maps each block above 32 MB anew
and gives it back at once, so that the kernel clears every page again in every step.
"""

from __future__ import annotations

import ctypes
import os

# Numbers of mallopt's parameters, from glibc's malloc.h.
_TRIM_THRESHOLD = -1
_MAPPINGS_MAX = -4


def keep_activations() -> bool:
    """Keep freed activations for the next step, in huge pages where the kernel has them.

    Call it before the first tensor is made: PyTorch reads ``THP_MEM_ALLOC_ENABLE`` once. The
    process then holds its peak memory until it ends. What the environment says already stays.

    Returns:
        Whether the C library took it; others than glibc (macOS, musl) go on as they are.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(set_option(_MAPPINGS_MAX, 0)) and bool(set_option(_TRIM_THRESHOLD, -1))
