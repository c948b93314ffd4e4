# SPDX-License-Identifier: Apache-2.0
"""The node's command before ROS is up: help, refusals, and signals while modules are imported."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "panoptic_ros.ros.start"]


def ran(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=60)


def test_help_helps() -> None:
    done = ran("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--ros-args -r image:=" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--engine", "street_sharp"], "--ros-args -p engine:=VALUE"),
        (["--engine=street_sharp"], "--ros-args -p engine:=street_sharp"),
        (["image:=/camera"], "--ros-args -r image:=/camera\n"),
        (["engine:=street_sharp"], "--ros-args -p engine:=street_sharp\n"),
        (["engine=street_sharp"], "--ros-args -p engine:=street_sharp\n"),
        (["overlay.opacity:=0.5"], "--ros-args -p overlay.opacity:=0.5\n"),
        (["--params-file", "a.yaml"], "--ros-args --params-file FILE.yaml\n"),
        (["-p", "engine:=street_sharp"], "--ros-args -p NAME:=VALUE\n"),
        (["street_sharp"], "--ros-args -p NAME:=VALUE\n"),
        (["--ros-args", "-p", "a:=1", "--", "--engine"], "--ros-args -p engine:=VALUE"),
    ],
)
def test_what_is_not_for_ros_is_refused_with_what_to_write(words: list[str], said: str) -> None:
    done = ran(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.ros
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("engine:=street_sharp", "panoptic_node --ros-args -p engine:=street_sharp\n"),
        ("--engine", "panoptic_node --ros-args -p engine:=VALUE\n"),
    ],
)
def test_what_ros_does_not_know_is_refused_with_what_to_write(word: str, said: str) -> None:
    done = ran("--ros-args", word)
    assert done.returncode == 2
    assert done.stderr.splitlines(keepends=True)[-1].endswith(said)


def is_importing(process: subprocess.Popen[str], library: str) -> bool:
    return library in Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8")


@pytest.mark.ros
@pytest.mark.parametrize("library", ["numpy", "cv2", "rclpy"])
def test_a_signal_during_imports_ends_the_process_at_once(library: str) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--ros-args", "-p", "autostart:=false"],
        stderr=subprocess.PIPE,
        text=True,
    )
    end_s = time.monotonic() + 60
    while not is_importing(process, library):
        assert time.monotonic() < end_s
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, "")
