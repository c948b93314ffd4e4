# SPDX-License-Identifier: Apache-2.0
"""Every TensorRT from 8.6 to 11 has the names that we use, or we ask before we use them.

``tensorrt_names.json`` lists which names the Python bindings of each version hold; it was read
out of the wheels that NVIDIA publishes, so it is TensorRT's word and not ours.
"""

from __future__ import annotations

import ast
import json
from enum import IntEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine import variant
from panoptic_ros.engine.building.build import BuildOptions, _configure
from panoptic_ros.engine.variant import TensorRtVariant, installed_variants, load_variant

TABLE: dict[str, Any] = json.loads(
    Path(__file__).with_name("tensorrt_names.json").read_text(encoding="utf-8")
)
VERSIONS: list[str] = TABLE["versions"]
ROOM = Path(variant.__file__).parent
SOURCES = [
    ROOM / name for name in ("variant.py", "building/build.py", "building/progress.py", "trt.py")
]

ASKED_FIRST = {
    "STRONGLY_TYPED": "hasattr in strongly_typed",
    "EXPLICIT_BATCH": "hasattr in network_flags",
    "FP16": "hasattr in typed_by_onnx; flags are set only where it is there",
    "PREFER_PRECISION_CONSTRAINTS": "set beside FP16 only",
    "precision": "set beside FP16 only",
    "set_dynamic_range": "set beside FP16 only",
    "IProgressMonitor": "hasattr in monitor",
    "progress_monitor": "set only with a monitor",
    "phase_start": "a method of the monitor",
    "phase_finish": "a method of the monitor",
    "step_complete": "a method of the monitor",
}
"""Names that some version lacks, and what keeps us from using them there."""

OURS = {"cancelled", "errors", "module", "name", "start", "step", "finish", "report", "share"}
"""Attributes of our own that share a name with one of TensorRT's."""


def lacking(name: str) -> list[str]:
    marks = TABLE["names"].get(name)
    if marks is None:
        return []
    return [version for version, mark in zip(VERSIONS, marks, strict=True) if mark == "."]


def used_names() -> set[str]:
    """Attributes in our sources that are names of TensorRT."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    return names & set(TABLE["names"]) - OURS


@pytest.mark.parametrize("name", sorted(used_names()))
def test_a_name_that_we_use_is_there_in_every_version(name: str) -> None:
    assert not lacking(name) or name in ASKED_FIRST, f"TensorRT {lacking(name)} has no {name}"


def test_the_table_knows_what_versions_differ_in() -> None:
    assert lacking("STRONGLY_TYPED") == ["8.6.1"]
    assert lacking("FP16") == ["11.4.0.106"]
    assert len(used_names()) > 30


@pytest.mark.parametrize("name", sorted(ASKED_FIRST))
def test_nothing_is_asked_for_that_every_version_has(name: str) -> None:
    assert lacking(name)
    assert name in used_names()


def drawn(version: str) -> TensorRtVariant:
    """A TensorRT that has the two enumerations as the table says."""

    def members(*names: str) -> Any:
        there = [name for name in names if version not in lacking(name)]
        return IntEnum("Flags", {name: number for number, name in enumerate(there)})

    module = SimpleNamespace(
        NetworkDefinitionCreationFlag=members("EXPLICIT_BATCH", "STRONGLY_TYPED"),
        BuilderFlag=members("FP16", "INT8", "GPU_FALLBACK"),
    )
    return TensorRtVariant("tensorrt", version, module)


@pytest.mark.parametrize(
    ("version", "typed", "typed_on_dla", "flags"),
    [
        ("8.6.1", False, False, 1),
        ("10.0.1", True, False, 2),
        ("10.3.0", True, False, 2),
        ("10.13.0.35", True, False, 2),
        ("10.16.1.11", True, False, 2),
        ("11.4.0.106", True, True, 1),
    ],
)
def test_types_come_from_onnx_where_that_is_possible(
    version: str, typed: bool, typed_on_dla: bool, flags: int
) -> None:
    found = drawn(version)
    assert found.typed_by_onnx() is typed
    assert found.typed_by_onnx(dla=True) is typed_on_dla
    assert found.network_flags() == flags


class DrawnConfig:
    """Notes what a builder's configuration is told."""

    def __init__(self) -> None:
        self.flags: list[str] = []
        self.DLA_core = -1
        self.default_device_type = ""

    def set_flag(self, flag: str) -> None:
        self.flags.append(flag)


def drawn_layer(name: str, dtype: str, told: dict[str, tuple[float, float]]) -> Any:
    def set_dynamic_range(low: float, high: float) -> bool:
        told[name] = (low, high)
        return True

    output = SimpleNamespace(dtype=dtype, name=name, set_dynamic_range=set_dynamic_range)
    return SimpleNamespace(name=name, num_outputs=1, get_output=lambda _: output, precision="")


def configured(
    version: str, options: BuildOptions, told: dict[str, tuple[float, float]] | None = None
) -> tuple[DrawnConfig, dict[str, str]]:
    """Configure a drawn version; flags are their names. Give back precisions by layer, too."""
    found = drawn(version)
    known = ("FP16", "INT8", "GPU_FALLBACK")
    there = {flag: flag for flag in known if version not in lacking(flag)}
    found.module.BuilderFlag = SimpleNamespace(
        **there, PREFER_PRECISION_CONSTRAINTS="PREFER_PRECISION_CONSTRAINTS"
    )
    found.module.DeviceType = SimpleNamespace(DLA="DLA")
    found.module.float32, found.module.float16 = "float32", "float16"
    kinds = {"softmax": "float32", "cast": "int32", "conv": "float16"}
    ranges = {} if told is None else told
    layers = [drawn_layer(name, kind, ranges) for name, kind in kinds.items()]
    network = SimpleNamespace(num_layers=3, get_layer=layers.__getitem__)
    config = DrawnConfig()
    _configure(found, config, network, options)
    return config, {layer.name: layer.precision for layer in layers}


KEEP = frozenset({"softmax", "cast"})


@pytest.mark.parametrize(
    ("version", "options", "flags"),
    [
        ("8.6.1", BuildOptions("fp32"), []),
        ("8.6.1", BuildOptions("fp16"), ["FP16", "PREFER_PRECISION_CONSTRAINTS"]),
        ("8.6.1", BuildOptions("int8"), ["FP16", "INT8", "PREFER_PRECISION_CONSTRAINTS"]),
        ("10.3.0", BuildOptions("fp16"), []),
        ("11.4.0.106", BuildOptions("int8"), []),
        (
            "10.3.0",
            BuildOptions("fp16", dla=1),
            ["GPU_FALLBACK", "FP16", "PREFER_PRECISION_CONSTRAINTS"],
        ),
        ("11.4.0.106", BuildOptions("fp16", dla=1), ["GPU_FALLBACK"]),
        ("11.4.0.106", BuildOptions("int8", dla=1), ["GPU_FALLBACK"]),
    ],
)
def test_flags_are_set_only_where_the_graph_has_no_say(
    version: str, options: BuildOptions, flags: list[str]
) -> None:
    config, _ = configured(version, options)
    assert config.flags == flags
    assert config.DLA_core == (-1 if options.dla is None else options.dla)


def test_sensitive_layers_stay_in_fp32_where_flags_rule() -> None:
    _, precisions = configured("8.6.1", BuildOptions("fp16", keep_fp32=KEEP))
    assert precisions == {"softmax": "float32", "cast": "", "conv": ""}


@pytest.mark.parametrize("version", ["8.6.1", "10.3.0"])
def test_int8_on_dla_is_told_by_ranges_where_it_takes_no_pairs(version: str) -> None:
    ranges = {"softmax": 1.0, "conv": 6.0, "elsewhere": 3.0}
    told: dict[str, tuple[float, float]] = {}
    config, _ = configured(version, BuildOptions("int8", dla=0, ranges=ranges), told)
    assert config.flags == ["GPU_FALLBACK", "FP16", "INT8", "PREFER_PRECISION_CONSTRAINTS"]
    assert told == {"softmax": (-1.0, 1.0), "conv": (-6.0, 6.0)}


def test_ranges_are_left_out_where_types_come_from_onnx() -> None:
    told: dict[str, tuple[float, float]] = {}
    configured("11.4.0.106", BuildOptions("int8", dla=0, ranges={"conv": 6.0}), told)
    assert told == {}


def test_a_missing_variant_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variant, "installed_variants", lambda: ())
    with pytest.raises(ModelError, match=r"apt install python3-libnvinfer.*pip install tensorrt_"):
        load_variant()


@pytest.mark.parametrize(
    ("name", "cure", "other"),
    [("tensorrt_rtx", "pip install tensorrt_rtx", "apt"), ("tensorrt", "apt install", "_rtx")],
)
def test_a_variant_that_was_named_is_answered_with_its_own_cure(
    name: str, cure: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variant, "installed_variants", lambda: ())
    with pytest.raises(ModelError) as told:
        load_variant(name)
    assert cure in str(told.value)
    assert other not in str(told.value)


def test_where_the_first_variant_does_not_load_the_next_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_trt.py").write_text("raise OSError('libnvinfer.so.10 is missing')")
    (tmp_path / "sound_trt.py").write_text("__version__ = '1.7'")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(variant, "VARIANTS", ("broken_trt", "sound_trt"))
    assert load_variant().title == "TensorRT 1.7"
    with pytest.raises(ModelError, match=r"broken_trt is installed but .*libnvinfer.so.10"):
        load_variant("broken_trt")


def test_an_unknown_variant_lists_the_known() -> None:
    with pytest.raises(ModelError, match="no TensorRT variant 'trt'; there are: tensorrt, "):
        load_variant("trt")


def test_a_folder_of_type_stubs_is_no_tensorrt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stubs_only").mkdir()
    monkeypatch.setattr(variant, "VARIANTS", ("stubs_only",))
    monkeypatch.syspath_prepend(tmp_path)
    assert installed_variants() == ()
