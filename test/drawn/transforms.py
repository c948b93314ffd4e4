# SPDX-License-Identifier: Apache-2.0
"""Transforms as TF sends them, of no message library."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

TO_OPTICAL = (0.5, -0.5, 0.5, 0.5)
"""Turns body axes (x ahead, y left, z up) into optical ones (x right, y down, z ahead)."""


def transforms(
    parent: str,
    child: str,
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0),
    turn: tuple[float, float, float, float] = TO_OPTICAL,
    stamp_ns: int = 0,
) -> Any:
    """A TFMessage with one transform: points of the child are turned, then shifted."""
    seconds, rest_ns = divmod(stamp_ns, 10**9)
    stamp = SimpleNamespace(sec=seconds, nanosec=rest_ns)
    x, y, z = shift
    qx, qy, qz, qw = turn
    moved = SimpleNamespace(
        translation=SimpleNamespace(x=x, y=y, z=z),
        rotation=SimpleNamespace(x=qx, y=qy, z=qz, w=qw),
    )
    header = SimpleNamespace(stamp=stamp, frame_id=parent)
    entry = SimpleNamespace(header=header, child_frame_id=child, transform=moved)
    return SimpleNamespace(transforms=[entry])
