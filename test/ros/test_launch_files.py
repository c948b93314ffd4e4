# SPDX-License-Identifier: Apache-2.0
"""The launch files, run by launch and launch_ros with a stand-in that notes how it was started."""

from __future__ import annotations

import json
import runpy
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from panoptic_ros.core.errors import ConfigError

pytestmark = pytest.mark.ros
launch = pytest.importorskip("launch")
pytest.importorskip("launch_ros")

FOLDER = Path(__file__).parents[2] / "launch"
EXPECTED = {
    "params_file",
    "name",
    "namespace",
    "engine",
    "remap",
    "use_sim_time",
    "autostart",
    "log_level",
    "respawn",
}
FILES = {
    "panoptic.launch.py": {"image"},
    "multi_camera.launch.py": {"cameras", "images"},
    "replay.launch.py": {"input", "image", "topic", "rate", "loop", "player", "rviz"},
}
STAND_IN = """#!{python}
import json, os, sys, time
import yaml
words, parameters = sys.argv[1:], {{}}
for option, path in zip(words, words[1:]):
    if option == "--params-file":
        with open(path, encoding="utf-8") as file:
            for block in yaml.unsafe_load(file).values():
                parameters.update(block["ros__parameters"])
with open({note!r}, "a", encoding="utf-8") as file:
    file.write(json.dumps([words, parameters]) + "\\n")
time.sleep(float(os.environ.get("STAND_IN_S", "0")))
sys.exit(int(os.environ.get("STAND_IN_STATUS", "0")))
"""


@dataclass(frozen=True)
class Launched:
    """How a launch ended, and how it started the node each time."""

    status: int
    nodes: list[tuple[list[str], dict[str, Any]]]
    error: str

    @property
    def parameters(self) -> dict[str, Any]:
        """What the node was given beyond its defaults."""
        return self.nodes[0][1]


class Launcher:
    """Runs launch files where ``panoptic_node`` is a stand-in."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.folder, self._caplog = folder, caplog
        self._note = folder / "note.jsonl"
        prefix = folder / "prefix"
        index = prefix / "share" / "ament_index" / "resource_index" / "packages"
        index.mkdir(parents=True)
        (index / "panoptic_ros").write_text("")
        node = prefix / "lib" / "panoptic_ros" / "panoptic_node"
        node.parent.mkdir(parents=True)
        node.write_text(STAND_IN.format(python=sys.executable, note=str(self._note)))
        node.chmod(node.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("AMENT_PREFIX_PATH", str(prefix))
        monkeypatch.setenv("ROS_LOG_DIR", str(folder / "log"))

    def run(self, name: str, /, *before: Any, **arguments: str) -> Launched:
        """Run a launch file until it ends, after other actions."""
        service = launch.LaunchService(noninteractive=True)
        service.context.launch_configurations.update(arguments)
        entities = [*before, description(name)]
        service.include_launch_description(launch.LaunchDescription(entities))
        status = service.run()
        lines = self._note.read_text().splitlines() if self._note.exists() else []
        nodes = [(words, parameters) for words, parameters in map(json.loads, lines)]
        return Launched(status, nodes, self._caplog.text)

    def write(self, text: str) -> str:
        """Write a parameter file."""
        path = self.folder / "params.yaml"
        path.write_text(text)
        return str(path)


@pytest.fixture
def launcher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Launcher:
    return Launcher(tmp_path, monkeypatch, caplog)


def description(name: str) -> Any:
    return runpy.run_path(str(FOLDER / name))["generate_launch_description"]()


def test_every_launch_file_is_tested() -> None:
    assert {path.name for path in FOLDER.glob("*.launch.py")} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_launch_file_takes_the_arguments_people_expect(name: str) -> None:
    arguments = description(name).get_launch_arguments()
    assert {entry.name for entry in arguments} == EXPECTED | FILES[name]
    assert all(entry.description for entry in arguments)


@pytest.mark.parametrize("name", ["panoptic.launch.py", "multi_camera.launch.py"])
def test_a_launch_ends_with_its_node(name: str, launcher: Launcher) -> None:
    launched = launcher.run(name, engine="drawn", namespace="car")
    assert (launched.status, len(launched.nodes)) == (0, 1)
    assert "__ns:=/car" in launched.nodes[0][0]
    assert launched.parameters["engine"] == "drawn"


def test_a_node_that_fails_gives_the_launch_a_status(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_STATUS", "3")
    launched = launcher.run("panoptic.launch.py")
    assert launched.status == 1
    assert "panoptic_node ended with status 3" in launched.error


def test_arguments_that_are_not_given_set_no_parameter(launcher: Launcher) -> None:
    assert launcher.run("panoptic.launch.py").parameters == {}


def test_a_parameter_file_is_not_overruled_by_defaults(launcher: Launcher) -> None:
    path = launcher.write(
        "/**:\n  ros__parameters:\n    autostart: false\n    use_sim_time: true\n"
    )
    launched = launcher.run("panoptic.launch.py", params_file=path)
    assert launched.parameters == {"autostart": False, "use_sim_time": True}


def test_an_argument_that_is_given_overrules_the_file(launcher: Launcher) -> None:
    path = launcher.write("/**:\n  ros__parameters:\n    autostart: false\n")
    launched = launcher.run("panoptic.launch.py", params_file=path, autostart="true")
    assert launched.parameters == {"autostart": True}


def test_a_parents_set_parameter_reaches_the_node(launcher: Launcher) -> None:
    from launch_ros.actions import SetParameter

    launched = launcher.run("panoptic.launch.py", SetParameter("use_sim_time", True))

    assert "use_sim_time" in json.dumps(launched.nodes[0])


def test_the_cameras_of_a_file_stay(launcher: Launcher) -> None:
    path = launcher.write("/**:\n  ros__parameters:\n    cameras: [left, right, rear]\n")
    launched = launcher.run("multi_camera.launch.py", params_file=path)
    assert list(launched.parameters["cameras"]) == ["left", "right", "rear"]


def test_without_a_file_there_are_two_cameras(launcher: Launcher) -> None:
    cameras = launcher.run("multi_camera.launch.py").parameters["cameras"]
    assert list(cameras) == ["front", "rear"]


@pytest.mark.parametrize("word", ["007", "1.5", "true", "on", "null", "[a]", "2026-11-27"])
def test_words_that_yaml_takes_for_something_else_stay_words(
    word: str, launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panoptic_ros.ros.launching.find_model", Path)
    launched = launcher.run("multi_camera.launch.py", engine=word, remap=word, cameras="front")
    wanted = {"engine": word, "remap.label": word, "cameras": ["front"]}
    assert launched.parameters == wanted


@pytest.mark.parametrize("cameras", [["on", "off"], ["on", "front"], ["1", "2"], ["null"]])
def test_cameras_with_names_that_yaml_takes_for_something_else_keep_them(
    cameras: list[str], launcher: Launcher
) -> None:
    given = ",".join(cameras)
    launched = launcher.run("multi_camera.launch.py", cameras=given, images=given)
    assert launched.parameters == {"cameras": cameras, "image_topics": cameras}


def test_a_name_and_a_level_reach_the_node(launcher: Launcher) -> None:
    (words, _), *_ = launcher.run("panoptic.launch.py", name="eyes", log_level="debug").nodes
    assert "__node:=eyes" in words
    assert words[words.index("--log-level") + 1] == "debug"


@pytest.mark.parametrize(
    ("name", "given", "found"),
    [
        ("panoptic.launch.py", {"params_file": "absent.yaml"}, "absent.yaml"),
        ("panoptic.launch.py", {"engine": "nosuch"}, "no model 'nosuch'"),
        ("panoptic.launch.py", {"autostart": "flase"}, "autostart:=flase is refused"),
        ("panoptic.launch.py", {"respawn": "always"}, "respawn:=always is refused"),
        ("panoptic.launch.py", {"log_level": "loud"}, "there are: debug, info"),
        ("replay.launch.py", {"input": "absent.mcap"}, "input:=absent.mcap: there is no such"),
        ("replay.launch.py", {"input": ".", "rate": "0"}, "rate:=0 is refused"),
        ("replay.launch.py", {"input": ".", "rate": "fast"}, "rate:=fast is refused"),
        ("replay.launch.py", {"input": ".", "player": "foo"}, "there are: panoptic, ros2"),
        ("replay.launch.py", {"input": ".", "rviz": "true"}, "rviz:=true needs RViz"),
    ],
)
def test_what_cannot_work_starts_nothing_and_ends_with_a_status(
    name: str, given: dict[str, str], found: str, launcher: Launcher
) -> None:
    launched = launcher.run(name, **given)
    assert (launched.status, launched.nodes) == (1, [])
    assert found in launched.error


def test_a_parameter_file_with_a_misspelt_name_is_refused(launcher: Launcher) -> None:
    path = launcher.write("/**:\n  ros__parameters:\n    engin: street_fast\n")
    launched = launcher.run("panoptic.launch.py", params_file=path)
    assert (launched.status, launched.nodes) == (1, [])
    assert "engine" in launched.error


def player_of(launcher: Launcher, **given: str) -> list[str]:
    """Command line of the player of ``replay.launch.py``."""
    from launch.actions import ExecuteProcess

    context = launch.LaunchContext()
    context.launch_configurations.update({"input": str(launcher.folder), **given})
    made: list[Any] = []
    for entity in description("replay.launch.py").entities:
        made.extend(entity.visit(context) or [])
    players = [one for one in made if type(one) is ExecuteProcess]
    return [part[0].perform(context) for part in players[0].cmd]


def test_the_player_publishes_in_the_nodes_namespace(launcher: Launcher) -> None:
    words = player_of(launcher, namespace="car", image="camera/image")
    assert words[words.index("--to") + 1] == "/car/camera/image"


@pytest.mark.parametrize("topic", ["/cam0/image", "/cam0/image/compressed"])
def test_the_player_of_ros2_renames_image_and_camera_info(
    topic: str, launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    words = player_of(launcher, player="ros2", topic=topic, image="/front/image")
    assert f"{topic}:=/front/image" in words
    assert "/cam0/camera_info:=/front/camera_info" in words


@pytest.mark.parametrize(
    ("topic", "image"),
    [("/cam0/image_rect", "/front/image_raw"), ("/cam0/image_raw", "/front/image_rect")],
)
def test_the_player_of_ros2_gives_rectified_images_no_name_of_others(
    topic: str, image: str, launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    with pytest.raises(ConfigError, match=f"image:={image} is refused for topic:={topic}"):
        player_of(launcher, player="ros2", topic=topic, image=image)
    words = player_of(launcher, player="ros2", topic=topic, image=f"{topic}_color")
    assert f"{topic}:={topic}_color" in words


def test_a_player_that_fails_gives_the_launch_a_status(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_S", "60")
    (launcher.folder / "drive").mkdir()
    launched = launcher.run("replay.launch.py", input=str(launcher.folder / "drive"))
    assert launched.status == 1
    assert "player ended with status 2" in launched.error
