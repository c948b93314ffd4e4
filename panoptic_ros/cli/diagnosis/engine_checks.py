# SPDX-License-Identifier: Apache-2.0
"""What a network runs on here, and how well: power and clocks, runtimes, models, GPU, plans."""

from __future__ import annotations

from collections.abc import Iterator

from panoptic_ros.cli.diagnosis.check import FINDING, NOTE, OK, Check, pip_install
from panoptic_ros.cli.diagnosis.environment import Environment

_TENSORRT = ("tensorrt", "tensorrt_rtx")


def jetson_checks(here: Environment) -> Iterator[Check]:
    """Judge a Jetson's power mode and clocks."""
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


def engine_checks(here: Environment) -> Iterator[Check]:
    """Judge the runtimes, the models and what plans need."""
    runtime = here.modules["onnxruntime"]
    if runtime.is_usable:
        yield Check(OK, "ONNX Runtime", f"{runtime.version}: {', '.join(here.providers)}")
    else:
        found = runtime.error or "missing; it runs the network"
        yield Check(FINDING, "ONNX Runtime", found, pip_install("onnxruntime"))
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
        return Check(NOTE, "OpenVINO", found, pip_install("openvino"))
    return Check(OK, "OpenVINO", "none; it is for CPUs with bfloat16, Intel's GPUs and NPUs")


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
            "none; other runtimes run the models",
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


def engine_words(here: Environment) -> str:
    """Name the engine that a model runs on."""
    runtime = _runtime_words(here)
    if _lacks_for_plans(here):
        return runtime
    plans = [plan for plan in here.plans if plan.needs_gpu]
    fitting = sum(not plan.why_not for plan in plans)
    return f"TensorRT where a plan fits ({fitting} of {len(plans)} here), else {runtime}"


def _runtime_words(here: Environment) -> str:
    """Name what runs a model where no plan does; see ``engine.cpu_runtime``."""
    if "CUDA" in here.providers:
        return "ONNX Runtime on the GPU (CUDA)"
    if here.has_bfloat16 and here.modules["openvino"].is_usable and not here.gpu:
        return "the faster one of OpenVINO and ONNX Runtime on the CPU"
    return "ONNX Runtime on the CPU"


def _lacks_for_plans(here: Environment) -> list[str]:
    """Name what is missing to run plans."""
    lacks = [] if here.cuda else ["a GPU"]
    if not any(here.modules[name].is_usable for name in _TENSORRT):
        lacks.append("TensorRT")
    return lacks + ([] if here.modules["pycuda"].is_usable else ["pycuda"])
