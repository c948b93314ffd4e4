# SPDX-License-Identifier: Apache-2.0
"""Plans in the cache are judged by the machine that shall run them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from panoptic_ros.cli.diagnosis.cached_plans import look_at_plans
from panoptic_ros.cli.diagnosis.checks import diagnose
from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine import openvino_plan
from panoptic_ros.engine.device import Gpu
from panoptic_ros.engine.openvino_plan import OpenVinoDevice
from panoptic_ros.engine.storage.cache import write_plan
from test.drawn.drawn_machine import HERE, line
from test.drawn.plans import key, manifest

ORIN, THOR = Gpu("Orin", "8.7", "12.6", True), Gpu("Thor", "11.0", "13.0", True)


@pytest.mark.parametrize(
    ("gpu", "versions", "changes", "why_not"),
    [
        (ORIN, {"tensorrt": "10.3.0"}, {}, ""),
        (None, {"tensorrt": "10.3.0"}, {}, "there is no GPU here to run it"),
        (ORIN, {"tensorrt_rtx": "1.7"}, {}, "needs tensorrt, which cannot be imported here"),
        (ORIN, {"tensorrt": "11.4"}, {}, "TensorRT version is 10.3.0, here it is 11.4"),
        (
            ORIN,
            {"tensorrt": "10.3.0"},
            {"rewriting": 0},
            "version of what build makes of the graph is 0, here it is 1",
        ),
        (
            THOR,
            {"tensorrt": "10.3.0"},
            {},
            "GPU is Orin, here it is Thor; compute capability is 8.7, here it is 11.0",
        ),
        (
            THOR,
            {"tensorrt_rtx": "1.7"},
            {"variant": "tensorrt_rtx", "version": "1.7", "compute_capability": ""},
            "",
        ),
    ],
    ids=["fits", "no GPU", "no TensorRT", "version", "rewriting", "GPU", "portable"],
)
def test_plans_in_the_cache_are_judged(
    gpu: Gpu | None,
    versions: dict[str, str],
    changes: dict[str, Any],
    why_not: str,
    tmp_path: Path,
) -> None:
    write_plan(tmp_path / "a.plan", b"plan", manifest(key=key(batch=2, **changes)))
    (found,) = look_at_plans(tmp_path, gpu, versions)
    assert (found.name, found.why_not) == ("a.plan", why_not)
    assert found.facts == "fp16, batch 2, Orin"
    assert found.command == "panoptic build street.onnx --precision fp16 --batch 2"


@pytest.mark.parametrize(
    ("version", "why_not"),
    [
        ("2026.4.1", ""),
        ("2025.0.0", "OpenVINO version is 2025.0.0, here it is 2026.4.1"),
    ],
)
def test_plans_of_openvino_in_the_cache_are_judged_without_a_gpu(
    version: str, why_not: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = OpenVinoDevice("CPU", "A CPU", "FP32 INT8", "2026.4.1")
    monkeypatch.setattr(openvino_plan, "read_device", lambda name: here)
    made = key(
        variant="openvino",
        version=version,
        gpu="A CPU",
        compute_capability="FP32 INT8",
        precision="int8",
    )
    write_plan(tmp_path / "a.plan", b"plan", manifest(key=made, options={"device": "CPU"}))
    (found,) = look_at_plans(tmp_path, None, {})
    assert (found.facts, found.why_not) == ("int8, OpenVINO, A CPU (CPU)", why_not)
    assert found.command == (
        "panoptic build street.onnx --runtime openvino --precision int8 --images DIR"
    )
    told = line(diagnose(replace(HERE, plans=(found,))), "a.plan")
    assert told.remedy == (found.command if why_not else "")


def test_without_openvino_its_plan_needs_no_building(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> OpenVinoDevice:
        raise ModelError("OpenVINO is not installed; run: pip install openvino")

    monkeypatch.setattr(openvino_plan, "read_device", refuse)
    made = key(variant="openvino", precision="int8")
    write_plan(tmp_path / "a.plan", b"plan", manifest(key=made, options={"device": "CPU"}))
    plans = look_at_plans(tmp_path, None, {})
    told = line(diagnose(replace(HERE, plans=plans)), "a.plan")
    assert told.found.endswith("OpenVINO is not installed; run: pip install openvino")
    assert told.remedy == ""


def test_a_plan_of_an_older_shipped_model_and_a_damaged_one_are_told(tmp_path: Path) -> None:
    write_plan(tmp_path / "a.plan", b"plan", manifest(model="street_fast.onnx"))
    write_plan(tmp_path / "b.plan", b"plan", manifest())
    (tmp_path / "b.plan").write_bytes(b"pla")
    older, damaged = look_at_plans(tmp_path, ORIN, {"tensorrt": "10.3.0"})
    assert older.why_not.startswith("ONNX check sum is aaaaaaaaaaaa, here it is ")
    assert damaged.why_not.startswith("is cut off or not the plan of its manifest (3 of 4 bytes)")
