# SPDX-License-Identifier: Apache-2.0
"""Memory of maps of several MB, which come and go with every frame: kept, and given away whole.

The command line imports this before it knows whether there is NumPy.
"""

from __future__ import annotations

import array
import ctypes
import os
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import DTypeLike, NDArray

# Parameters of glibc's mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -3, -4
_TRIM_BYTES = 256 << 20
_MMAP_BYTES = 32 << 20
"""The most that glibc takes; larger blocks still come from the system one by one."""
_POOLED_BYTES, _POOL_BYTES = 256 << 10, 128 << 20
"""Least size of a block that is kept to be given again, and the most that a thread keeps."""


def keep_freed_memory() -> bool:
    """Tell glibc not to hand freed memory back to the system after every frame.

    By default each block above some 100 KB may be given back when it is freed, and the next frame
    pays a page fault for every 4 KB of it. Call it once, at the start of a process that runs
    frames.

    Returns:
        Whether it took effect; False where the C library is not glibc.
    """
    return _set_options((_M_MMAP_THRESHOLD, _MMAP_BYTES), (_M_TRIM_THRESHOLD, _TRIM_BYTES))


def keep_activations() -> bool:
    """Keep a training's freed activations for its next step, in huge pages where there are some.

    They are some gigabytes in blocks above 32 MB, whose pages the kernel would clear again in
    every step. Call it before the first tensor is made: PyTorch reads ``THP_MEM_ALLOC_ENABLE``
    once. The process then holds its peak memory until it ends.

    Returns:
        Whether it took effect; False where the C library is not glibc.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    return _set_options((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, -1))


def _set_options(*options: tuple[int, int]) -> bool:
    """Tell glibc's malloc; say whether it took all."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    taken = [mallopt(name, value) for name, value in options]
    return all(taken)


class _Pool(threading.local):
    """Blocks of bytes that one thread gave out, the oldest first; those that are free come again.

    A block is free when only the pool holds it: no array, no memoryview and no message.
    """

    def __init__(self) -> None:
        self._blocks = [array.array("B")]
        self._free_count = sys.getrefcount(self._blocks[0])

    def take(self, count: int) -> array.array[int]:
        """Give a block of ``count`` bytes, whose content is of no meaning."""
        blocks = self._blocks
        for place in range(len(blocks)):
            if len(blocks[place]) == count and sys.getrefcount(blocks[place]) == self._free_count:
                return blocks[place]
        block = array.array("B", bytes(1)) * count
        if count >= _POOLED_BYTES:
            blocks.append(block)
            while sum(map(len, blocks)) > _POOL_BYTES:
                del blocks[0]
        return block


_pool = _Pool()


def transferable(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.generic]:
    """Make an array whose memory a ROS message can take over; see ``owner_of``.

    Args:
        shape: Any.
        dtype: Any of fixed size.

    Returns:
        The array, contiguous. Its values are of no meaning: where it is large, its memory may be
        that of an earlier one of this thread, of which neither it nor a message is held any more.
    """
    import numpy as np

    count = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(_pool.take(count), dtype).reshape(shape)


def owner_of(values: NDArray[np.generic]) -> array.array[int] | None:
    """Find the bytes that an array is a view of.

    Returns:
        What ``transferable`` made, where the array shows all of it in its order; else None.

    >>> import numpy as np
    >>> owner_of(transferable((2, 2), np.uint16))
    array('B', [0, 0, 0, 0, 0, 0, 0, 0])
    >>> owner_of(transferable((2, 2), np.uint16)[1:]) is None
    True
    """
    import numpy as np

    owner: object = values
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    is_all = isinstance(owner, array.array) and owner.typecode == "B"
    if not is_all or len(owner) != values.nbytes or not values.flags.c_contiguous:  # type: ignore[arg-type]
        return None
    return owner  # type: ignore[return-value]
