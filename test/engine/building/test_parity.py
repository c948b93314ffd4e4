# SPDX-License-Identifier: Apache-2.0
"""What differs is measured, and what differs too much is refused with its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.classes.labels import Label, LabelSet
from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.decoding.query import QueryHeads
from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.types import VOID
from panoptic_ros.engine.building.parity import (
    LEAST,
    compare,
    compare_graph,
    compare_plan,
    gate,
)
from panoptic_ros.engine.building.prepare import load_model, prepare
from panoptic_ros.engine.models import shipped_models
from test.drawn.tiny_model import spec

SPEC = spec(16, 8)
PICTURE = np.zeros((8, 16, 3), np.uint8)


def drawn(cars: int = 2, road: int = 0, offset: float = 0.0) -> Callable[..., CenterOffsetHeads]:
    """An engine that sees a road and up to two cars of 3x4 pixels."""
    labels = np.full((8, 16), road, np.uint8)
    centers = np.zeros((8, 16), np.uint8)
    offsets = np.zeros((2, 8, 16), np.float16)
    for number in range(cars):
        y, x = 3, 3 + 8 * number
        labels[y - 1 : y + 2, x - 2 : x + 2] = 1
        centers[y, x] = 250
    confidence = np.full((8, 16), 250, np.uint8)
    heads = CenterOffsetHeads(labels, confidence, centers, offsets + np.float16(offset))
    return lambda image: heads


def test_an_engine_agrees_with_itself() -> None:
    figures = compare(drawn(), drawn(), SPEC, [PICTURE, PICTURE])
    assert figures == {
        "object_agreement": 1.0,
        "label_agreement": 1.0,
        "confidence_error": 0.0,
        "center_error": 0.0,
        "offset_error": 0.0,
    }
    gate(figures, "fp32", "x")


def test_a_missing_car_costs_a_third_of_the_quality() -> None:
    figures = compare(drawn(2), drawn(1), SPEC, [PICTURE])
    assert figures["object_agreement"] == pytest.approx(1 / 1.5)
    assert figures["label_agreement"] == pytest.approx(1 - 12 / 128)
    assert figures["center_error"] == pytest.approx(250 / 255 / 128)
    assert compare(drawn(1), drawn(2), SPEC, [PICTURE])["object_agreement"] == pytest.approx(2 / 3)


def test_an_offset_error_is_in_pixels() -> None:
    assert compare(drawn(), drawn(offset=0.5), SPEC, [PICTURE])["offset_error"] == 0.5


def queries(cars: int = 2, road: int = 0) -> Callable[..., QueryHeads]:
    """A query engine that sees a road and up to two cars of 3x4 pixels."""
    won = np.full((8, 16), 1, np.uint8)
    for number in range(cars):
        won[2:5, 1 + 8 * number : 5 + 8 * number] = 2 + number
    areas = np.bincount(won.ravel(), minlength=4)[1:].astype(np.int32)
    labels = np.array([road, 1, 1], np.uint8)
    labels[areas == 0] = VOID
    heads = QueryHeads(
        won, np.full((8, 16), 250, np.uint8), labels, np.array([0.9, 0.8, 0.7], np.float32), areas
    )
    return lambda image: heads


def test_query_engines_are_compared_by_what_they_decode_to() -> None:
    figures = compare(queries(), queries(), SPEC, [PICTURE])
    assert figures == {
        "object_agreement": 1.0,
        "label_agreement": 1.0,
        "confidence_error": 0.0,
        "score_error": 0.0,
    }
    figures = compare(queries(2), queries(1), SPEC, [PICTURE])
    assert figures["object_agreement"] == pytest.approx(1 / 1.5)
    assert figures["label_agreement"] == pytest.approx(1 - 12 / 128)
    with pytest.raises(ModelError, match="label_agreement is"):
        gate(figures, "fp16", "street")


def test_without_objects_nothing_disagrees() -> None:
    assert compare(drawn(0), drawn(0), SPEC, [PICTURE])["object_agreement"] == 1.0


@pytest.mark.parametrize("precision", LEAST)
def test_a_wrong_engine_is_refused_with_its_numbers(precision: str) -> None:
    figures = compare(drawn(2), drawn(0, road=1), SPEC, [PICTURE])
    words = r"street: differs from ONNX Runtime: label_agreement is 0\.1875, needs .*offset_error"
    with pytest.raises(ModelError, match=words):
        gate(figures, precision, "street")


@pytest.mark.parametrize("precision", LEAST)
def test_what_agrees_exactly_as_much_as_needed_is_kept(precision: str) -> None:
    gate(LEAST[precision], precision, "street")
    for name, least in LEAST[precision].items():
        with pytest.raises(ModelError, match=name):
            gate({**LEAST[precision], name: least - 1e-6}, precision, "street")


@pytest.mark.parametrize(("columns", "agreement"), [(2, 0.0), (3, 0.75)], ids=["half", "more"])
def test_a_car_that_is_half_there_is_another_one(columns: int, agreement: float) -> None:
    y, x = np.mgrid[0:8, 0:16]
    whole = replace(drawn(1)(PICTURE), offsets=np.stack((3 - y, 3 - x)).astype(np.float16))
    part = replace(whole, labels=np.where(x < 1 + columns, whole.labels, np.uint8(0)))
    figures = compare(lambda image: whole, lambda image: part, SPEC, [PICTURE])
    assert figures["object_agreement"] == pytest.approx(agreement)


@pytest.mark.parametrize(("right", "other"), [(1, 2), (2, 1)])
def test_a_car_that_becomes_a_truck_is_another_one(right: int, other: int) -> None:
    truck = Label(2, "truck", is_thing=True, is_drivable=False, color=(0, 0, 70))
    labels = LabelSet("three", (*SPEC.labels.labels, truck))
    cars = drawn(2)(PICTURE)
    heads = [
        replace(cars, labels=np.where(cars.labels == 1, np.uint8(label), cars.labels))
        for label in (right, other)
    ]
    of_three = replace(SPEC, labels=labels)
    figures = compare(lambda image: heads[0], lambda image: heads[1], of_three, [PICTURE])
    assert figures["object_agreement"] == 0.0
    same = compare(lambda image: heads[0], lambda image: heads[0], of_three, [PICTURE])
    assert same["object_agreement"] == 1.0


def test_a_figure_that_is_no_number_is_refused() -> None:
    figures = {"label_agreement": float("nan"), "object_agreement": 1.0}
    with pytest.raises(ModelError, match="label_agreement is nan"):
        gate(figures, "int8", "street")


def test_comparing_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        compare(drawn(), drawn(), SPEC, [])


@pytest.mark.parametrize(("cars", "is_kept"), [(2, True), (1, False)])
def test_a_plan_is_kept_where_it_sees_what_onnx_runtime_sees(
    monkeypatch: pytest.MonkeyPatch, cars: int, is_kept: bool
) -> None:
    closed: list[str] = []

    class Opened:
        """An engine that needs no runtime; notes its end."""

        def __init__(self, *values: object) -> None:
            self.spec, self.values = SPEC, values

        def __enter__(self) -> Opened:
            return self

        def __exit__(self, *_: object) -> None:
            closed.append(type(self).__name__)

        def infer(self, image: object) -> CenterOffsetHeads:
            return drawn(2)(image)

    class Planned(Opened):
        """A plan on the GPU that was asked for."""

        def infer(self, image: object) -> CenterOffsetHeads:
            plan, _, where, device = self.values
            assert (plan, where, device) == (b"plan", "model.onnx", 3)
            return drawn(cars)(image)

    monkeypatch.setattr("panoptic_ros.engine.ort.OrtEngine", Opened)
    monkeypatch.setattr("panoptic_ros.engine.trt.TrtEngine", Planned)
    manifest: Any = SimpleNamespace(key=SimpleNamespace(precision="fp16"))
    if is_kept:
        figures = compare_plan(b"plan", manifest, Path("model.onnx"), 3)
        assert figures["object_agreement"] == 1.0
    else:
        with pytest.raises(ModelError, match=r"model\.onnx: differs from ONNX Runtime"):
            compare_plan(b"plan", manifest, Path("model.onnx"), 3)
    assert closed == ["Planned", "Opened"]


@pytest.mark.skipif("street_fast" not in shipped_models(), reason="no model is installed")
def test_a_graph_that_was_broken_on_the_way_is_refused() -> None:
    path: Path = shipped_models()["street_fast"]
    model = load_model(path)
    prepare(model)
    assert compare_graph(model.SerializeToString(), path, "fp32")["label_agreement"] == 1.0
    weight = next(tensor for tensor in model.graph.initializer if len(tensor.dims) == 4)
    weight.raw_data = bytes(len(weight.raw_data))
    with pytest.raises(ModelError, match=r"label_agreement is 0\.\d+, needs 0\.98"):
        compare_graph(model.SerializeToString(), path, "fp16")
