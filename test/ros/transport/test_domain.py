# SPDX-License-Identifier: Apache-2.0
"""Domains of one's own: no two runs share one, and a dead run gives its own back."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.ros.transport import domain
from panoptic_ros.ros.transport.domain import own_domain

HOLDING = (
    "import time\n"
    "from panoptic_ros.ros.transport.domain import own_domain\n"
    "with own_domain() as number:\n"
    "    print(number, flush=True)\n"
    "    time.sleep(600)\n"
)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_runs_side_by_side_have_different_domains_that_ros_allows() -> None:
    with ExitStack() as stack:
        numbers = [stack.enter_context(own_domain()) for _ in range(20)]
    assert len(set(numbers)) == 20
    assert all(1 <= number <= 101 for number in numbers)


def test_a_domain_is_free_again_after_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "DOMAINS", range(7, 8))
    for _ in range(2):
        with own_domain() as number:
            assert number == 7


def test_a_killed_run_gives_its_domain_back(monkeypatch: pytest.MonkeyPatch) -> None:
    run = subprocess.Popen([sys.executable, "-c", HOLDING], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    held = int(run.stdout.readline())
    monkeypatch.setattr(domain, "DOMAINS", range(held, held + 1))
    with pytest.raises(ConfigError, match="are in use"), own_domain():
        pass
    run.send_signal(signal.SIGKILL)
    run.communicate()
    with own_domain() as number:
        assert number == held


def test_a_folder_that_cannot_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "file"))
    with pytest.raises(ConfigError, match=r"file/panoptic_ros-domains.*set ROS_DOMAIN_ID"):
        own_domain().__enter__()
