# SPDX-License-Identifier: Apache-2.0
"""From what is here to what will run and what to do about the rest; no input, no output."""

from __future__ import annotations

from collections.abc import Iterator

from panoptic_ros.cli.diagnosis.check import FINDING, NOTE, OK, Check, pip_install
from panoptic_ros.cli.diagnosis.engine_checks import engine_checks, engine_words, jetson_checks
from panoptic_ros.cli.diagnosis.environment import Environment
from panoptic_ros.cli.diagnosis.modules import Module

_PYTHON = {
    "numpy": "arrays",
    "scipy": "assignment of tracks",
    "cv2": "images",
    "yaml": "label sets",
}
_MESSAGES = ("sensor_msgs", "diagnostic_msgs", "lifecycle_msgs")
_BAGS = {"rosbags": "bags", "av": "videos", "rich": "progress bars", "jinja2": "the report"}
_CRASHING_CV2 = "4.5.5"


def diagnose(here: Environment) -> list[Check]:
    """Judge every fact."""
    return [
        Check(OK, "panoptic_ros", here.version),
        Check(OK, "Python", here.python),
        Check(OK, "system", here.system),
        *(_python_line(name, use, here.modules[name]) for name, use in _PYTHON.items()),
        *jetson_checks(here),
        *_ros_lines(here),
        *engine_checks(here),
        *_bag_lines(here),
        *_transport_lines(here),
    ]


def verdicts(here: Environment) -> list[Check]:
    """Say what will therefore run, command by command."""
    core = [name for name in _PYTHON if not here.modules[name].is_usable]
    ros = [name for name in ("rclpy", *_MESSAGES) if not here.modules[name].is_usable]
    engine = [] if here.modules["onnxruntime"].is_usable else ["onnxruntime"]
    model = [] if here.models else ["a model"]
    bags = [name for name in _BAGS if not here.modules[name].is_usable]
    torch = [] if here.modules["torch"].is_usable else ["torch"]
    return [
        _verdict("panoptic_node", core + ros + engine + model, engine_words(here)),
        _verdict("panoptic replay, predict", core + engine + model + bags, engine_words(here)),
        _verdict("panoptic play", core + ros + bags),
        _verdict("panoptic demo", core + ros + engine + model + bags),
        _verdict("panoptic eval", core + engine),
        _verdict("panoptic train, export", core + torch),
    ]


def _verdict(command: str, missing: list[str], how: str = "") -> Check:
    if missing:
        return Check(FINDING, command, f"no: lacks {', '.join(missing)}")
    return Check(OK, command, f"yes, {how}" if how else "yes")


def _python_line(name: str, use: str, module: Module) -> Check:
    if name == "cv2" and module.version.startswith(_CRASHING_CV2):
        found = f"{module.version}, which crashes in connectedComponents"
        return Check(FINDING, name, found, 'pip install "opencv-python-headless>=4.6,<5"')
    if module.is_usable:
        return Check(OK, name, module.version)
    return Check(FINDING, name, module.error or f"missing; it is for {use}", pip_install(name))


def _ros_lines(here: Environment) -> Iterator[Check]:
    modules, ros = here.modules, here.ros
    rclpy = modules["rclpy"]
    if not rclpy.is_usable:
        yield Check(
            FINDING,
            "ROS 2",
            rclpy.error or "rclpy is missing",
            "on a robot: source /opt/ros/<distro>/setup.bash; elsewhere: make demo installs it "
            "as wheels, see docs/install.md",
        )
        return
    origin = "wheels" if ros.is_wheels else "distribution"
    yield Check(OK, "ROS 2", f"{ros.distro or 'unknown distribution'} ({origin})")
    yield Check(OK, "rclpy", rclpy.version)
    bad = ros.rmw.startswith("none")
    remedy = "unset RMW_IMPLEMENTATION, or install the middleware it names" if bad else ""
    yield Check(FINDING if bad else OK, "middleware", ros.rmw, remedy)
    for name in _MESSAGES:
        if not modules[name].is_usable:
            found = modules[name].error or "missing"
            yield Check(FINDING, name, found, _ros_package(here, name))
    yield _optional_ros_line(here, "vision_msgs", "~/detections and ~/label_info are left out")
    yield _optional_ros_line(here, "cv_bridge", "rare image encodings are refused")


def _optional_ros_line(here: Environment, name: str, without: str) -> Check:
    module = here.modules[name]
    if module.is_usable:
        return Check(OK, name, module.version)
    return Check(NOTE, name, f"{module.error or 'missing'}; {without}", _ros_package(here, name))


def _ros_package(here: Environment, name: str) -> str:
    if here.ros.is_wheels and name == "vision_msgs":
        return "make messages builds it into .venv; needs g++"
    if here.ros.is_wheels:
        return "comes with a ROS 2 distribution only, there is no wheel of it"
    return f"apt install ros-{here.ros.distro or '<distro>'}-{name.replace('_', '-')}"


def _bag_lines(here: Environment) -> Iterator[Check]:
    modules = here.modules
    here_now = [f"{name} {modules[name].version}" for name in _BAGS if modules[name].is_usable]
    if here_now:
        yield Check(OK, "bags, reports", ", ".join(here_now))
    for name, use in _BAGS.items():
        if not modules[name].is_usable:
            found = modules[name].error or f"missing; it is for {use}"
            yield Check(NOTE, name, found, pip_install(name))
    torch = modules["torch"]
    if torch.is_usable:
        yield Check(OK, "PyTorch", torch.version)
    else:
        found = torch.error or "missing; only panoptic train and export need it"
        yield Check(NOTE, "PyTorch", found, "make train-env")


def _transport_lines(here: Environment) -> Iterator[Check]:
    if "fastrtps" in here.ros.rmw:
        if here.ros.transports:
            yield Check(OK, "transports", f"chosen by {here.ros.transports}")
        else:
            yield Check(
                OK,
                "transports",
                "Fast DDS's own in this shell; demo, play and the launch files choose theirs",
            )
    if here.transport_error:
        yield Check(FINDING, "image transport", here.transport_error)
    if here.transport is not None:
        # What this package starts brings the cure along, so that only others lose images.
        is_cured = here.cured is not None and here.cured.is_good
        lossy = NOTE if is_cured else FINDING
        state = OK if here.transport.is_good else lossy
        yield Check(state, "image transport", here.transport.explain())
    if here.cured is not None:
        state = OK if here.cured.is_good else FINDING
        yield Check(state, "with our profile", here.cured.explain())
