# SPDX-License-Identifier: Apache-2.0
"""What the CPU is and can, in Linux's words."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from panoptic_ros.engine.processor import has_bfloat16, processor_name


@pytest.mark.parametrize(
    ("flags", "has"),
    [
        ("fpu avx512f avx512_bf16 avx512_vnni", True),
        ("fpu amx_bf16 amx_tile", True),
        ("fpu avx avx2 avx512f avx512_vnni", False),
    ],
)
def test_what_the_cpu_can_is_read_off_its_flags(flags: str, has: bool, tmp_path: Path) -> None:
    place = tmp_path / "cpuinfo"
    place.write_text(f"processor\t: 0\nmodel name\t: A CPU\nflags\t\t: {flags}\n")
    assert has_bfloat16(place) is has


def test_where_nobody_says_there_is_none(tmp_path: Path) -> None:
    assert not has_bfloat16(tmp_path / "absent")
    (tmp_path / "empty").write_text("")
    assert not has_bfloat16(tmp_path / "empty")


def test_the_name_is_that_of_the_first_core(tmp_path: Path) -> None:
    place = tmp_path / "cpuinfo"
    place.write_text("processor\t: 0\nmodel name\t: A CPU: fast\nmodel name\t: Another\n")
    assert processor_name(place) == "A CPU: fast"
    assert processor_name(tmp_path / "absent") == platform.machine()
