# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.ros
launch = pytest.importorskip("launch")
pytest.importorskip("launch_ros")

FOLDER = Path(__file__).parents[2] / "launch"
EXPECTED = {
    "params_file",
    "namespace",
    "engine",
    "remap",
    "use_sim_time",
    "autostart",
    "log_level",
}
FILES = {
    "panoptic.launch.py": {"image"},
    "multi_camera.launch.py": {"cameras", "images"},
    "replay.launch.py": {"input", "image", "topic", "rate", "loop", "player", "rviz"},
}


def description(name: str) -> Any:
    return runpy.run_path(str(FOLDER / name))["generate_launch_description"]()


def test_every_launch_file_is_tested() -> None:
    assert {path.name for path in FOLDER.glob("*.launch.py")} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_launch_file_takes_the_arguments_people_expect(name: str) -> None:
    arguments = description(name).get_launch_arguments()
    assert {entry.name for entry in arguments} == EXPECTED | FILES[name]
    assert all(entry.description for entry in arguments)


@pytest.mark.parametrize("name", FILES)
def test_a_launch_file_makes_its_processes(name: str) -> None:
    context = launch.LaunchContext()
    given = {"input": "drive.mcap", "namespace": "car", "engine": "drawn", "cameras": "front,rear"}
    context.launch_configurations.update(given)
    made: list[Any] = []
    for entity in description(name).entities:
        made.extend(entity.visit(context) or [])
    nodes = [entity for entity in made if getattr(entity, "node_executable", "")]
    assert [entity.node_executable for entity in nodes] == ["panoptic_node"]
    assert nodes[0].node_package == "panoptic_ros"
