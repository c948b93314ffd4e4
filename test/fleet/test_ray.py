# SPDX-License-Identifier: Apache-2.0
"""The same bags on a real Ray cluster of this machine, with workers that die."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from panoptic_ros.fleet.bag_report import BagReport
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.run import call
from test.drawn.drawn_fleet import write_fleet
from test.fleet.kill_run import fates, label, strays

ray = pytest.importorskip("ray")
pytest.importorskip("rosbags")
pytestmark = pytest.mark.filterwarnings("ignore")

ROOT = Path(__file__).parents[2]
HOOK = "test.drawn.fleet_call.poison"


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    environment = {"env_vars": {"PYTHONPATH": str(ROOT)}, "worker_process_setup_hook": HOOK}
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env=environment)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def bags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bags")
    write_fleet(folder, good=6, corrupt=1, poisonous=1, empty=1)
    return folder


def labelled(bags: Path, out: Path, kill: bool = False) -> list[BagReport]:
    from panoptic_ros.fleet.ray_workers import RayWorkers

    uris = [str(path) for path in sorted(bags.glob("*.mcap"))]
    workers: Any = RayWorkers(str(out), Job("drawn"), "auto", 1, 2, 0.0)
    reports = []
    for report, progress in call(uris, workers, str(out), Job("drawn")):
        reports.append(report)
        if kill and progress.done == 2:
            os.kill(actor_pids()[0], signal.SIGKILL)
    return reports


def actor_pids() -> list[int]:
    """Processes of our own cluster that label bags; Ray writes what one does into its name."""
    ours = [child for child in psutil.Process().children(recursive=True) if child.is_running()]
    return [child.pid for child in ours if "ray::RayLabeller" in " ".join(child.cmdline())]


def test_ray_gives_what_one_process_gives(cluster: None, bags: Path, tmp_path: Path) -> None:
    assert label(bags, tmp_path / "serial", 1) == 1
    reports = labelled(bags, tmp_path / "ray")
    assert len(reports) == 9
    serial, by_ray = fates(tmp_path / "serial"), fates(tmp_path / "ray")
    assert by_ray == serial
    assert strays(tmp_path / "ray") == []


def test_a_worker_that_is_killed_costs_no_bag(cluster: None, bags: Path, tmp_path: Path) -> None:
    reports = labelled(bags, tmp_path / "ray", kill=True)
    statuses = sorted(report.status for report in reports)
    assert statuses == ["failed"] * 2 + ["ok"] * 6 + ["skipped"]
    assert strays(tmp_path / "ray") == []
