# SPDX-License-Identifier: Apache-2.0
"""Whether a Jetson runs at its full speed: its power mode, and whether its clocks are held.

Source: the files that ``nvpmodel`` keeps (``/var/lib/nvpmodel/status``, ``/etc/nvpmodel.conf``),
and the kernel's ``devfreq``, whose least and largest clock ``jetson_clocks`` makes equal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_GPU_NAMES = ("gpu", "gpc", "ga10b", "gv11b", "gb10b")


@dataclass(frozen=True)
class Jetson:
    """What a Jetson says about its speed.

    Attributes:
        model: Name of the board.
        mode: Power mode, e.g. ``0 (MAXN)``; empty where it cannot be read.
        least_mhz: Clock below which the GPU does not fall, 0 where it cannot be read.
        most_mhz: Clock above which it does not rise.
    """

    model: str
    mode: str = ""
    least_mhz: int = 0
    most_mhz: int = 0

    @property
    def holds_clocks(self) -> bool:
        """Whether the GPU's clock is held at its top."""
        return 0 < self.least_mhz == self.most_mhz


def look_at_jetson(root: Path = Path("/")) -> Jetson | None:
    """Read what the board says; None where this is no Jetson.

    Args:
        root: Where ``proc``, ``sys``, ``etc`` and ``var`` lie.
    """
    model = _text(root / "proc/device-tree/model").strip("\0")
    if "jetson" not in model.lower():
        return None
    return Jetson(model, _power_mode(root), *_gpu_clocks(root))


def _power_mode(root: Path) -> str:
    found = re.search(r"pmode:0*(\d+)", _text(root / "var/lib/nvpmodel/status"))
    if found is None:
        return ""
    number = found.group(1)
    named = re.search(
        rf"POWER_MODEL\s+ID={number}\s+NAME=(\S+)", _text(root / "etc/nvpmodel.conf")
    )
    return f"{number} ({named.group(1)})" if named else number


def _gpu_clocks(root: Path) -> tuple[int, int]:
    """Read the limits of the GPU's clock in MHz, (0, 0) where they cannot be read."""
    for entry in sorted((root / "sys/class/devfreq").glob("*")):
        named = f"{entry.name} {_text(entry / 'device/of_node/name')}"
        least, most = _text(entry / "min_freq"), _text(entry / "max_freq")
        if any(name in named for name in _GPU_NAMES) and least.isdigit() and most.isdigit():
            return int(least) // 1_000_000, int(most) // 1_000_000
    return 0, 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
