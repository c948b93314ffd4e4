# SPDX-License-Identifier: Apache-2.0
"""What can be tested of the container recipes without building them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

DOCKER = Path(__file__).parents[1] / "docker"
RECIPES = sorted(DOCKER.glob("*Dockerfile"))
OK, WARN, ERROR = b"\0", b"\1", b"\2"


@pytest.fixture(scope="module")
def healthcheck() -> ModuleType:
    spec = importlib.util.spec_from_file_location("healthcheck", DOCKER / "healthcheck.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def statuses(*levels: tuple[str, Any]) -> list[Any]:
    return [SimpleNamespace(name=name, level=level, message="") for name, level in levels]


@pytest.mark.parametrize(
    ("given", "level"),
    [
        ([("panoptic: camera", OK), ("panoptic: engine", WARN)], 1),
        ([("panoptic: camera", ERROR), ("panoptic: engine", OK)], 2),
        ([("driver: motor", ERROR), ("panoptic: camera", OK)], 0),
        ([("driver: motor", ERROR)], -1),
    ],
    ids=["a warning", "an error", "an error of another node", "another node alone"],
)
def test_the_worst_status_of_the_node_counts(
    healthcheck: ModuleType, given: list[tuple[str, Any]], level: int
) -> None:
    assert healthcheck.worst(statuses(*given), "panoptic")[0] == level


@pytest.mark.parametrize(
    ("node", "name", "level"),
    [
        ("panoptic", "panoptic2: camera", -1),
        ("panoptic", "my_panoptic: camera", -1),
        ("panoptic", "other: panoptic", -1),
        ("panoptic", "robot1/panoptic: camera", 0),
        ("robot1/panoptic", "robot1/panoptic: camera", 0),
        ("/robot1/panoptic", "robot1/panoptic: camera", 0),
        ("robot1/panoptic", "my_robot1/panoptic: camera", -1),
        ("robot1/panoptic", "panoptic: camera", -1),
        ("/panoptic", "robot1/panoptic: camera", -1),
    ],
)
def test_a_node_is_known_by_its_whole_name(
    healthcheck: ModuleType, node: str, name: str, level: int
) -> None:
    assert healthcheck.worst(statuses((name, OK)), node)[0] == level


@pytest.mark.parametrize(
    ("level", "ends"), [(0, 0), (1, 0), (2, 1), (-1, 1)], ids=["ok", "warning", "error", "silence"]
)
def test_errors_and_silence_are_unhealthy(
    healthcheck: ModuleType, monkeypatch: pytest.MonkeyPatch, level: int, ends: int
) -> None:
    monkeypatch.setattr(healthcheck, "ask", lambda node, seconds: (level, ""))
    monkeypatch.setattr("sys.argv", ["healthcheck.py"])
    assert healthcheck.main() == ends


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_no_container_runs_as_root(path: Path) -> None:
    users = re.findall(r"^USER (\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert users[-1] == "10001"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_what_is_copied_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    copied = re.findall(r"docker/[\w.]+", "".join(re.findall(r"^COPY docker.*$", text, re.M)))
    assert [name for name in copied if not (DOCKER.parent / name).is_file()] == []


def test_compose_builds_recipes_that_are_there() -> None:
    services = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))["services"]
    named = {service["build"]["dockerfile"] for service in services.values()}
    assert {name for name in named if not (DOCKER.parent / name).is_file()} == set()


def test_the_recipes_install_the_messages_that_the_package_names() -> None:
    manifest = (DOCKER.parent / "package.xml").read_text(encoding="utf-8")
    named = set(re.findall(r"<exec_depend>(\w+_msgs|launch_ros)</exec_depend>", manifest))
    # ros-core has these: common_interfaces and what rclpy itself uses.
    with_ros_core = {
        f"{name}_msgs" for name in ("geometry", "lifecycle", "rosgraph", "sensor", "std")
    }
    for path in (DOCKER / "Dockerfile", DOCKER / "jetson.Dockerfile"):
        installed = re.findall(r"ros-\$\{ROS_DISTRO\}-([a-z0-9-]+)", path.read_text("utf-8"))
        assert named - with_ros_core <= {name.replace("-", "_") for name in installed}
