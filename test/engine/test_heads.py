# SPDX-License-Identifier: Apache-2.0
"""A decoder kind is a file and a line in ``KINDS``: all else follows from that."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from panoptic_ros.core.decoding.kinds import KINDS, kind_of
from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.model import METADATA_KEY, read_metadata
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.types import Frame, Heads
from panoptic_ros.engine.building.parity import compare, compare_graph, gate
from panoptic_ros.engine.heads import INPUT, output_names, to_heads
from panoptic_ros.engine.ort import OrtEngine
from test.drawn import drawn_kind
from test.drawn.drawn_kind import BrightHeads
from test.drawn.tiny_model import spec

SPEC = spec(8, 4, "bright")


@pytest.fixture
def bright(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "bright", drawn_kind.KIND)


@pytest.fixture
def bright_model(tmp_path: Path, bright: None) -> Path:
    """A model of the drawn kind: red is the brightness."""
    path = tmp_path / "bright.onnx"
    nodes = [
        helper.make_node("Gather", [INPUT, "at"], ["brightness"], axis=3),
        helper.make_node("Identity", ["still"], ["least"]),
    ]
    outputs = [
        helper.make_tensor_value_info("brightness", TensorProto.UINT8, (1, 4, 8)),
        helper.make_tensor_value_info("least", TensorProto.UINT8, (1,)),
    ]
    constants = [
        numpy_helper.from_array(np.array(0, np.int64), "at"),
        numpy_helper.from_array(np.array([100], np.uint8), "still"),
    ]
    image = helper.make_tensor_value_info(INPUT, TensorProto.UINT8, (1, 4, 8, 3))
    graph = helper.make_graph(nodes, "bright", [image], outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, SPEC.to_metadata())
    onnx.save(model, str(path))
    return path


def half_bright() -> NDArray[np.uint8]:
    image = np.zeros((4, 8, 3), np.uint8)
    image[:, 4:, 0] = 200
    return image


def test_a_model_of_another_kind_runs_through_the_pipeline(bright_model: Path) -> None:
    with OrtEngine(bright_model, threads=1) as engine:
        result = Pipeline(engine).step(Frame(half_bright(), 0))
    assert result.track_labels()[0].tolist() == [0] * 4 + [1] * 4
    assert [track.label for track in result.tracks] == [1]
    assert (result.track_ids() > 0).sum() == 16


def test_runtimes_of_another_kind_are_compared_and_gated(bright_model: Path) -> None:
    assert compare_graph(bright_model.read_bytes(), bright_model, "fp32", [half_bright()]) == {
        "object_agreement": 1.0,
        "label_agreement": 1.0,
        "brightness_error": 0.0,
    }


@pytest.mark.usefixtures("bright")
def test_a_wrong_runtime_of_another_kind_is_refused() -> None:
    def said(value: int) -> Heads:
        return BrightHeads(np.full((4, 8), value, np.uint8), np.array(100, np.uint8))

    figures = compare(lambda _: said(200), lambda _: said(50), SPEC, [half_bright()])
    assert figures["brightness_error"] == 150.0
    with pytest.raises(ModelError, match=r"label_agreement is 0\.0000.*brightness_error 150"):
        gate(figures, "fp16", "bright")


@pytest.mark.usefixtures("bright")
def test_outputs_and_heads_of_another_kind_follow_from_its_fields() -> None:
    names = output_names(SPEC, ["least", "more", "brightness"], "x")
    assert names == ("brightness", "least")
    heads = to_heads(SPEC, [np.full((2, 4, 8), 7, np.uint8), np.array([100, 101], np.uint8)], 1)
    assert isinstance(heads, BrightHeads)
    assert (heads.brightness.shape, int(heads.least)) == ((4, 8), 101)
    with pytest.raises(ModelError, match="says bright, but the outputs least are missing"):
        output_names(SPEC, ["brightness"], "x")


def test_without_its_line_the_kind_is_refused_with_those_that_are_known() -> None:
    metadata = SPEC.to_metadata()
    with pytest.raises(ModelError, match=f"'bright'; this version has {', '.join(KINDS)}"):
        read_metadata({METADATA_KEY: metadata[METADATA_KEY]}, "bright.onnx")
    with pytest.raises(TypeError, match="BrightHeads are the heads of no decoder kind"):
        kind_of(BrightHeads(np.zeros((1, 1), np.uint8), np.array(0, np.uint8)))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_outputs_of_a_kind_are_the_fields_of_its_heads(kind: drawn_kind.DecoderKind) -> None:
    assert kind.outputs == tuple(entry.name for entry in fields(kind.heads))
    assert len(kind.outputs) >= 2
