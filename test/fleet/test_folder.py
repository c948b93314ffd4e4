# SPDX-License-Identifier: Apache-2.0
"""The results in a folder, on a disk or in an object store."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoptic_ros.fleet.bag_report import FAILED, BagReport
from panoptic_ros.fleet.folder import FleetFolder


@pytest.mark.parametrize("kind", ["a disk", "a store"])
def test_every_report_is_listed_by_its_name(kind: str, tmp_path: Path) -> None:
    if kind == "a store":
        pytest.importorskip("fsspec")
    address = str(tmp_path) if kind == "a disk" else f"memory://{tmp_path.name}-reports"
    folder = FleetFolder(address)
    reports = [BagReport(f"file:///{name}.mcap", f"{name}-1", FAILED, "torn") for name in "ba"]
    for report in reports:
        folder.publish(report, {})
    assert list(FleetFolder(address).reports()) == reports[::-1]
