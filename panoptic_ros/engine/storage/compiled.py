# SPDX-License-Identifier: Apache-2.0
"""What a runtime has compiled, kept with its check sum: runtimes load damaged weights unawares."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from panoptic_ros.engine.storage.cache import write_atomically

_SUM_BYTES = hashlib.sha256().digest_size


def read_compiled(place: Path) -> bytes | None:
    """Read what was kept; None where there is nothing, or where it is damaged.

    Args:
        place: The file.
    """
    try:
        content = place.read_bytes()
    except OSError:
        return None
    found, compiled = content[:_SUM_BYTES], content[_SUM_BYTES:]
    return compiled if hashlib.sha256(compiled).digest() == found else None


def write_compiled(place: Path, compiled: bytes) -> None:
    """Keep something; where that is not possible it is compiled again the next time.

    Args:
        place: The file; its folder is made.
        compiled: What the runtime exported.
    """
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, hashlib.sha256(compiled).digest() + compiled)
