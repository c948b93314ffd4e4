# SPDX-License-Identifier: Apache-2.0
"""What is gathered of this machine, and of drawn ones."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from panoptic_ros.cli.diagnosis import environment as host
from panoptic_ros.cli.diagnosis.environment import find_gpu
from panoptic_ros.engine.storage.cache import write_plan
from test.drawn.drawn_machine import without
from test.drawn.plans import manifest


def test_this_machine_is_asked_for_its_gpu_and_its_plans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("panoptic_ros.engine.device.LIBRARY", "libnowhere.so.1")
    folder = tmp_path / "panoptic_ros" / "engines"
    folder.mkdir(parents=True)
    write_plan(folder / "a.plan", b"plan", manifest())
    found = host.with_engines(without("tensorrt", "tensorrt_rtx"))
    assert (found.cuda, found.plan_folder) == ("", str(folder))
    assert found.cuda_error.startswith("there is no NVIDIA driver here")
    assert [plan.why_not for plan in found.plans] == [
        "needs tensorrt, which cannot be imported here"
    ]


def test_a_jetson_is_known_by_its_device_tree(tmp_path: Path) -> None:
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_bytes(b"NVIDIA Jetson AGX Orin\0")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nv_tegra_release").write_text("# R36 (release), REVISION: 4.3, GCID: 1")
    assert find_gpu(tmp_path) == "NVIDIA Jetson AGX Orin, Jetson Linux 36.4.3"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'NVIDIA T4, 550.1, 15360 MiB'", "NVIDIA T4, 550.1, 15360 MiB"),
        ("echo 'no driver' >&2; exit 9", ""),
    ],
    ids=["one GPU", "no driver"],
)
def test_gpus_are_asked_for(tmp_path: Path, script: str, expected: str) -> None:
    tool = tmp_path / "smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    assert find_gpu(tmp_path, str(tool)) == expected
