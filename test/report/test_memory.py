# SPDX-License-Identifier: Apache-2.0
"""The memory of this process, where the system says it."""

from __future__ import annotations

import math
import os
from pathlib import Path

from panoptic_ros.report.memory import resident_mib


def test_pages_become_mib(tmp_path: Path) -> None:
    place = tmp_path / "statm"
    place.write_text("9000 1024 30 1 0 500 0\n")
    assert resident_mib(place) == 1024 * os.sysconf("SC_PAGESIZE") / 2**20


def test_where_nobody_says_it_is_no_number(tmp_path: Path) -> None:
    assert math.isnan(resident_mib(tmp_path / "absent"))
    (tmp_path / "empty").write_text("")
    assert math.isnan(resident_mib(tmp_path / "empty"))
