# SPDX-License-Identifier: Apache-2.0
"""``panoptic doctor``: its exit status, its words, and what it sees of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from panoptic_ros.cli import doctor
from panoptic_ros.cli.diagnosis import environment as host
from panoptic_ros.cli.diagnosis.environment import Environment
from panoptic_ros.cli.main import main
from panoptic_ros.engine.storage.cache import write_plan
from test.drawn.drawn_machine import HERE, without
from test.drawn.plans import key, manifest


@pytest.mark.parametrize(("here", "status"), [(HERE, 0), (without("rclpy"), 1)])
def test_the_exit_status_tells_of_findings(
    here: Environment,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(host, "gather", lambda: here)
    assert main(["doctor", "--no-exchange"]) == status
    assert "1.2.3" in capsys.readouterr().out


def test_without_rich_it_prints_plain_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(host, "gather", lambda: without("rich"))
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert main(["doctor", "--no-transport-check"]) == 0
    assert "  note    rich: missing; it is for progress bars -> pip install rich" in (
        capsys.readouterr().out.splitlines()
    )


def doctor_of_a_bare_python(cache: Path) -> subprocess.CompletedProcess[str]:
    """Run the verb where nothing but the standard library can be imported."""
    root = Path(__file__).parents[2]
    code = f"import sys; sys.path.insert(0, {str(root)!r})\n"
    code += "from panoptic_ros.cli.main import main; sys.exit(main(['doctor']))"
    command = [sys.executable, "-I", "-S", "-c", code]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)


def test_a_bare_python_is_told_what_it_lacks(tmp_path: Path) -> None:
    done = doctor_of_a_bare_python(tmp_path)
    assert done.returncode == 1, done.stderr
    assert "finding numpy: missing" in done.stdout
    assert "finding ROS 2: rclpy is missing" in done.stdout
    assert "panoptic_node: no: lacks numpy, scipy, cv2, yaml, rclpy" in done.stdout


@pytest.mark.parametrize(
    ("variant", "lacks"), [("openvino", "needs numpy"), ("tensorrt", "needs tensorrt")]
)
def test_a_bare_python_is_told_what_a_plan_in_the_cache_needs(
    variant: str, lacks: str, tmp_path: Path
) -> None:
    folder = tmp_path / "panoptic_ros" / "engines"
    folder.mkdir(parents=True)
    options = {"device": "CPU"} if variant == "openvino" else {}
    about = manifest(key=key(variant=variant, precision="int8"), options=options)
    write_plan(folder / "street.plan", b"plan", about)
    done = doctor_of_a_bare_python(tmp_path)
    assert done.returncode == 1, done.stderr
    (told,) = [line for line in done.stdout.splitlines() if "street.plan" in line]
    assert f"{lacks}, which cannot be imported here" in told


@pytest.mark.ros
def test_images_really_cross_between_two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    for name in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):
        monkeypatch.delenv(name, raising=False)
    here = doctor.with_transport_check(HERE, images=10)
    assert here.transport_error == ""
    tried = here.cured or here.transport
    assert tried is not None
    assert tried.is_good, tried.explain()
