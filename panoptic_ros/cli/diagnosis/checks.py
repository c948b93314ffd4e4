# SPDX-License-Identifier: Apache-2.0
"""From what is here to what will run and what to do about the rest; no input, no output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from panoptic_ros.cli.diagnosis.environment import Environment, Module

OK, NOTE, FINDING = "ok", "note", "finding"
"""How things stand: fine, could be better, stops something."""

_PYTHON = {
    "numpy": "arrays",
    "scipy": "assignment of tracks",
    "cv2": "images",
    "yaml": "label sets",
}
_MESSAGES = ("sensor_msgs", "diagnostic_msgs", "lifecycle_msgs")
_TENSORRT = ("tensorrt", "tensorrt_rtx")
_BAGS = {"rosbags": "bags", "av": "videos", "rich": "progress bars", "jinja2": "the report"}
_CRASHING_CV2 = "4.5.5"
_PIP_NAMES = {"cv2": '"opencv-python-headless<5"', "yaml": "pyyaml"}


@dataclass(frozen=True)
class Check:
    """One line of the diagnosis.

    Attributes:
        state: ``OK``, ``NOTE`` or ``FINDING``.
        what: What was looked at.
        found: What is here.
        remedy: How to get what is missing; empty where nothing is.
    """

    state: str
    what: str
    found: str
    remedy: str = ""


def diagnose(here: Environment) -> list[Check]:
    """Judge every fact."""
    return [
        Check(OK, "panoptic_ros", here.version),
        Check(OK, "Python", here.python),
        Check(OK, "system", here.system),
        *(_python_line(name, use, here.modules[name]) for name, use in _PYTHON.items()),
        *_jetson_lines(here),
        *_ros_lines(here),
        *_engine_lines(here),
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


def engine_words(here: Environment) -> str:
    """Name the engine that a model runs on."""
    runtime = f"ONNX Runtime on the {'GPU (CUDA)' if 'CUDA' in here.providers else 'CPU'}"
    if _lacks_for_plans(here):
        return runtime
    plans = [plan for plan in here.plans if plan.needs_gpu]
    fitting = sum(not plan.why_not for plan in plans)
    return f"TensorRT where a plan fits ({fitting} of {len(plans)} here), else {runtime}"


def _lacks_for_plans(here: Environment) -> list[str]:
    """Name what is missing to run plans."""
    lacks = [] if here.cuda else ["a GPU"]
    if not any(here.modules[name].is_usable for name in _TENSORRT):
        lacks.append("TensorRT")
    return lacks + ([] if here.modules["pycuda"].is_usable else ["pycuda"])


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
    return Check(FINDING, name, module.error or f"missing; it is for {use}", _pip(name))


def _pip(name: str) -> str:
    return f"pip install {_PIP_NAMES.get(name, name)}"


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


def _engine_lines(here: Environment) -> Iterator[Check]:
    runtime = here.modules["onnxruntime"]
    if runtime.is_usable:
        yield Check(OK, "ONNX Runtime", f"{runtime.version}: {', '.join(here.providers)}")
    else:
        found = runtime.error or "missing; it runs the network"
        yield Check(FINDING, "ONNX Runtime", found, _pip("onnxruntime"))
    yield _openvino_line(here)
    if here.models:
        yield Check(OK, "models", ", ".join(here.models))
    else:
        yield Check(
            FINDING,
            "models",
            "none came with the package",
            "give an .onnx file as engine (panoptic export writes one), or 'drawn' for a stand-in",
        )
    yield from _gpu_lines(here)
    yield from _tensorrt_lines(here)
    yield from _plan_lines(here)


def _openvino_line(here: Environment) -> Check:
    module = here.modules["openvino"]
    if module.is_usable:
        return Check(OK, "OpenVINO", f"{module.version}: {', '.join(here.devices) or 'no device'}")
    if module.error:
        return Check(NOTE, "OpenVINO", module.error, "pip install --upgrade openvino")
    if here.has_bfloat16:
        found = (
            "missing; this CPU multiplies in bfloat16, where it may be faster than ONNX Runtime"
        )
        return Check(NOTE, "OpenVINO", found, _pip("openvino"))
    return Check(OK, "OpenVINO", "none; it is for CPUs with bfloat16, Intel's GPUs and NPUs")


def _jetson_lines(here: Environment) -> Iterator[Check]:
    board = here.jetson
    if board is None:
        return
    if board.mode:
        yield Check(
            OK,
            board.model,
            f"power mode {board.mode}; sudo nvpmodel -m NUMBER changes it, /etc/nvpmodel.conf "
            "lists the modes",
        )
    else:
        yield Check(NOTE, board.model, "its power mode cannot be read", "sudo nvpmodel -q")
    if board.holds_clocks:
        yield Check(OK, "GPU clock", f"held at {board.most_mhz} MHz")
    elif board.most_mhz:
        found = f"moves between {board.least_mhz} and {board.most_mhz} MHz, so times vary"
        yield Check(NOTE, "GPU clock", found, "sudo jetson_clocks; docs/operations.md keeps it")


def _gpu_lines(here: Environment) -> Iterator[Check]:
    idle = "CUDA" not in here.providers and _lacks_for_plans(here)
    if here.gpu and idle:
        lacks = ", ".join(idle)
        remedy = "see docs/engines.md for TensorRT; or on a PC: pip install onnxruntime-gpu"
        yield Check(NOTE, "GPU", f"{here.gpu}; idle: lacks {lacks}", remedy)
    else:
        yield Check(OK, "GPU", here.gpu or "none from NVIDIA; the network runs on the CPU")
    if here.cuda:
        yield Check(OK, "NVIDIA driver", here.cuda)
    elif here.gpu:
        yield Check(NOTE, "NVIDIA driver", here.cuda_error)


def _tensorrt_lines(here: Environment) -> Iterator[Check]:
    found = [name for name in _TENSORRT if here.modules[name].version]
    for name in found:
        module = here.modules[name]
        yield Check(NOTE if module.error else OK, name, module.error or module.version)
    if not found:
        yield Check(
            NOTE if here.cuda else OK,
            "TensorRT",
            "none; models run on ONNX Runtime",
            "Jetson: apt install python3-libnvinfer; PC: pip install tensorrt_rtx"
            if here.cuda
            else "",
        )
    pycuda = here.modules["pycuda"]
    if pycuda.version:
        yield Check(NOTE if pycuda.error else OK, "pycuda", pycuda.error or pycuda.version)
    elif found and here.cuda:
        yield Check(
            NOTE,
            "pycuda",
            "missing; plans need it to run",
            "pip install pycuda (it compiles: set CUDA_ROOT to the CUDA toolkit)",
        )


def _plan_lines(here: Environment) -> Iterator[Check]:
    for plan in here.plans:
        if plan.why_not:
            found = f"{plan.facts}: {plan.why_not}" if plan.facts else plan.why_not
            # Without what runs a plan, building it anew is no help.
            is_idle = plan.needs_gpu and bool(_lacks_for_plans(here))
            yield Check(NOTE, plan.name, found, "" if is_idle else plan.command)
        else:
            yield Check(OK, plan.name, f"{plan.facts}: fits")
    has_some = any(plan.needs_gpu for plan in here.plans)
    if not has_some and not _lacks_for_plans(here):
        model = here.models[0] if here.models else "MODEL.onnx"
        yield Check(
            NOTE,
            "plans",
            f"none in {here.plan_folder}; models run on ONNX Runtime until then",
            f"panoptic build {model}",
        )


def _bag_lines(here: Environment) -> Iterator[Check]:
    modules = here.modules
    here_now = [f"{name} {modules[name].version}" for name in _BAGS if modules[name].is_usable]
    if here_now:
        yield Check(OK, "bags, reports", ", ".join(here_now))
    for name, use in _BAGS.items():
        if not modules[name].is_usable:
            found = modules[name].error or f"missing; it is for {use}"
            yield Check(NOTE, name, found, _pip(name))
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
