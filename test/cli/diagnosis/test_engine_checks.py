# SPDX-License-Identifier: Apache-2.0
"""What a network runs on, and what it lacks to run faster, with the remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from panoptic_ros.cli.diagnosis.cached_plans import CachedPlan
from panoptic_ros.cli.diagnosis.check import NOTE, OK, Check
from panoptic_ros.cli.diagnosis.checks import diagnose
from panoptic_ros.cli.diagnosis.engine_checks import engine_words
from panoptic_ros.cli.diagnosis.modules import Module
from test.drawn.drawn_machine import HERE, T4, line, without


@pytest.mark.parametrize(
    ("has_bfloat16", "state", "remedy"),
    [
        pytest.param(True, NOTE, "pip install openvino", id="a CPU that gains"),
        pytest.param(False, OK, "", id="a CPU that does not"),
    ],
)
def test_openvino_is_missed_where_the_cpu_would_gain(
    has_bfloat16: bool, state: str, remedy: str
) -> None:
    found = line(diagnose(without("openvino", has_bfloat16=has_bfloat16)), "OpenVINO")
    assert (found.state, found.remedy) == (state, remedy)


def test_openvino_is_named_with_its_devices() -> None:
    found = line(diagnose(replace(HERE, devices=("CPU", "NPU"))), "OpenVINO")
    assert (found.state, found.found) == (OK, "1.0: CPU, NPU")


def test_an_openvino_that_cannot_be_used_is_a_note_with_the_reason() -> None:
    modules = {**HERE.modules, "openvino": Module("2022.1", "OpenVINO is of version 2022.1")}
    found = line(diagnose(replace(HERE, modules=modules)), "OpenVINO")
    assert (found.state, found.found) == (NOTE, "OpenVINO is of version 2022.1")


def test_a_module_that_does_not_load_shows_its_own_words() -> None:
    broken = Module("1.0", "OSError: libnvinfer.so.10: cannot open shared object file")
    here = replace(HERE, modules={**HERE.modules, "tensorrt": broken})
    found = line(diagnose(here), "tensorrt")
    assert (found.state, found.found) == (NOTE, broken.error)


def test_a_gpu_that_nothing_uses_is_said_to_be_idle() -> None:
    bare = without("tensorrt", "tensorrt_rtx", "pycuda", gpu="NVIDIA T4", cuda=T4)
    idle = line(diagnose(bare), "GPU")
    assert (idle.state, idle.found) == (NOTE, "NVIDIA T4; idle: lacks TensorRT, pycuda")
    assert "pip install onnxruntime-gpu" in idle.remedy
    for busy in (
        replace(bare, providers=("CUDA", "CPU")),
        replace(HERE, gpu="NVIDIA T4", cuda=T4),
    ):
        used = line(diagnose(busy), "GPU")
        assert (used.state, used.found) == (OK, "NVIDIA T4")


def test_a_gpu_whose_driver_does_not_answer_says_why() -> None:
    words = "the NVIDIA driver answered cuInit with CUDA error 803"
    found = line(diagnose(replace(HERE, gpu="NVIDIA T4", cuda_error=words)), "NVIDIA driver")
    assert (found.state, found.found) == (NOTE, words)


@pytest.mark.parametrize(
    ("lacks", "cuda", "what", "remedy"),
    [
        (("tensorrt", "tensorrt_rtx"), T4, "TensorRT", "python3-libnvinfer; PC: pip install ten"),
        (("pycuda",), T4, "pycuda", "pip install pycuda"),
        ((), T4, "plans", "panoptic build street_fast"),
    ],
    ids=["tensorrt", "pycuda", "plans"],
)
def test_what_plans_lack_is_told_where_there_is_a_gpu(
    lacks: tuple[str, ...], cuda: str, what: str, remedy: str
) -> None:
    found = line(diagnose(without(*lacks, cuda=cuda)), what)
    assert found.state == NOTE
    assert remedy in found.remedy
    assert "TensorRT" not in (words := engine_words(without(*lacks, cuda=cuda))) or not lacks
    without_gpu = [entry for entry in diagnose(without(*lacks)) if entry.what == what]
    assert all(entry.state == OK for entry in without_gpu)
    assert words.endswith("ONNX Runtime on the CPU")


def test_the_verdict_names_openvino_where_it_may_be_taken() -> None:
    both = "the faster one of OpenVINO and ONNX Runtime on the CPU"
    assert engine_words(replace(HERE, has_bfloat16=True)) == both
    for here in (
        replace(HERE, has_bfloat16=False),
        without("openvino", has_bfloat16=True),
        replace(HERE, has_bfloat16=True, gpu="NVIDIA T4"),
    ):
        assert engine_words(here) == "ONNX Runtime on the CPU"


def test_the_verdict_counts_the_plans_that_fit() -> None:
    plans = (CachedPlan("a.plan", "fp16"), CachedPlan("b.plan", "fp16", "GPU is T4", "build b"))
    here = replace(HERE, cuda=T4, plans=plans)
    assert engine_words(here) == (
        "TensorRT where a plan fits (1 of 2 here), else ONNX Runtime on the CPU"
    )
    assert line(diagnose(here), "a.plan") == Check(OK, "a.plan", "fp16: fits")
    assert line(diagnose(here), "b.plan") == Check(NOTE, "b.plan", "fp16: GPU is T4", "build b")


def test_a_plan_is_not_to_be_built_where_nothing_runs_it() -> None:
    plan = CachedPlan("a.plan", "fp16", "there is no GPU here to run it", "panoptic build a.onnx")
    with_gpu = replace(HERE, gpu="NVIDIA T4", cuda=T4, plans=(plan,))
    assert line(diagnose(with_gpu), "a.plan").remedy == plan.command
    without_gpu = replace(HERE, plans=(plan,))
    assert line(diagnose(without_gpu), "a.plan").remedy == ""
