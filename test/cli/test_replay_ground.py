# SPDX-License-Identifier: Apache-2.0
"""``panoptic replay`` places the camera by the bag's own TF where no parameter does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panoptic_ros.cli.main import main
from test.drawn.vehicle_bag import CAMERA_HEIGHT_M, write_drive

pytest.importorskip("rosbags")
pytestmark = pytest.mark.usefixtures("painted")

GRID = "/panoptic/drivable_grid"


def grids(bag: Path, out: Path, *words: object) -> list[Any]:
    from rosbags.highlevel import AnyReader

    assert (
        main(["replay", str(bag), "--out", str(out), "--engine", "painted", *map(str, words)]) == 0
    )
    with AnyReader([out]) as reader:
        chosen = [entry for entry in reader.connections if entry.topic == GRID]
        # An empty choice would be all topics.
        found = reader.messages(connections=chosen) if chosen else ()
        return [reader.deserialize(data, entry.msgtype) for entry, _, data in found]


def test_static_transforms_place_the_camera_as_parameters_do(tmp_path: Path) -> None:
    placed = tmp_path / "p.yaml"
    height = f"ground: {{camera_height_m: {CAMERA_HEIGHT_M}}}"
    placed.write_text(f"/**:\n  ros__parameters: {{{height}}}\n")
    told = grids(write_drive(tmp_path / "a.mcap"), tmp_path / "ra.mcap", "--params", placed)
    heard = grids(write_drive(tmp_path / "b.mcap", has_base=True), tmp_path / "rb.mcap")
    assert len(heard) == len(told) > 0
    for mine, expected in zip(heard, told, strict=True):
        assert mine.header.frame_id == "base_link"
        np.testing.assert_array_equal(mine.data, expected.data)
        assert 100 in mine.data


def test_a_bag_without_the_base_frame_has_no_ground(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert grids(write_drive(tmp_path / "a.mcap"), tmp_path / "r.mcap") == []
    assert "ground" not in capsys.readouterr().err


def test_a_base_frame_that_leads_nowhere_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = tmp_path / "p.yaml"
    params.write_text("/**:\n  ros__parameters: {ground: {base_frame: lidar_mast}}\n")
    bag = write_drive(tmp_path / "a.mcap", mast="lidar_mast")
    assert grids(bag, tmp_path / "r.mcap", "--params", params) == []
    told = capsys.readouterr()
    assert "ground topics are off: nothing says where camera sits in lidar_mast" in (
        told.out + told.err
    )
