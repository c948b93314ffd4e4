# SPDX-License-Identifier: Apache-2.0
"""What ``colcon build`` has installed works by itself; run by ``colcon test``."""

from __future__ import annotations

import filecmp
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

NAME = "panoptic_ros"
ROOT = Path(__file__).parents[1]
SHARED = [
    path.relative_to(ROOT).as_posix()
    for folder in ("config", "launch", "engines")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.is_file() and path.suffix != ".pyc"
]


@pytest.fixture(scope="module")
def prefix() -> Path:
    """Where the package is installed; colcon puts it before all others."""
    first = Path(os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)[0])
    if not (first / "lib" / NAME).is_dir():
        pytest.skip(f"{NAME} is not built here: colcon build, then colcon test")
    return first


def run(folder: Path, *words: str) -> str:
    """Run a command outside of the sources; gives what it prints."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_is_of_this_version(prefix: Path, tmp_path: Path) -> None:
    version = ElementTree.parse(ROOT / "package.xml").getroot().findtext("version")
    assert version in run(tmp_path, str(prefix / "lib" / NAME / "panoptic"), "--version")


def test_the_node_answers(prefix: Path, tmp_path: Path) -> None:
    assert "--ros-args" in run(tmp_path, str(prefix / "lib" / NAME / "panoptic_node"), "--help")


@pytest.mark.parametrize("name", SHARED)
def test_files_are_installed_as_they_are(prefix: Path, name: str) -> None:
    assert filecmp.cmp(prefix / "share" / NAME / name, ROOT / name, shallow=False)


def test_a_shipped_network_runs(prefix: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    code = (
        "import numpy as np, panoptic_ros as p\n"
        "with p.open_engine('street_fast') as engine:\n"
        "    frame = p.Frame(np.full((64, 128, 3), 90, np.uint8), 0)\n"
        "    print(p.Pipeline(engine).step(frame).camera_size)\n"
    )
    assert run(tmp_path, sys.executable, "-c", code) == "(64, 128)\n"
