# SPDX-License-Identifier: Apache-2.0
"""What Linux says of the CPU: its name and what it can multiply in."""

from __future__ import annotations

import platform
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")
_BFLOAT16 = {"avx512_bf16", "amx_bf16"}
"""Names that Linux gives to products in bfloat16."""


def processor_name(cpu_info: Path = CPU_INFO) -> str:
    """Name of the first core, its architecture where nobody says.

    Args:
        cpu_info: What Linux says of the CPU.
    """
    return _fact("model name", cpu_info) or platform.machine()


def has_bfloat16(cpu_info: Path = CPU_INFO) -> bool:
    """Whether this CPU multiplies in bfloat16; no where nobody says.

    Args:
        cpu_info: What Linux says of the CPU.
    """
    return bool(_BFLOAT16 & set(_fact("flags", cpu_info).split()))


def _fact(name: str, cpu_info: Path) -> str:
    """Read a fact of the first core; empty where nobody says."""
    try:
        text = cpu_info.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = [line.partition(":")[2] for line in text.splitlines() if line.startswith(name)]
    return found[0].strip() if found else ""
