# SPDX-License-Identifier: Apache-2.0
"""Every byte of a model's weights counts, wherever it lies."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto

from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine.building.prepare import load_model
from panoptic_ros.engine.onnx_file import DAMAGED, file_metadata, weight_files
from panoptic_ros.engine.storage.cache import find_plan, plan_path, write_plan
from panoptic_ros.engine.storage.manifest import sha256_of
from test.drawn.external_model import external_model, write_external_model
from test.drawn.plans import KEY, manifest


@pytest.mark.parametrize("extra", [None, 5.0], ids=["stored tensors", "in a branch as well"])
def test_models_that_differ_in_their_weights_alone_have_other_sums(
    extra: float | None, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    a = write_external_model(tmp_path / "a" / "m.onnx", 1.0, extra)
    b = write_external_model(tmp_path / "b" / "m.onnx", 2.0 if extra is None else 1.0, 6.0)
    if extra is None:
        b = write_external_model(tmp_path / "b" / "m.onnx", 2.0)
    assert a.read_bytes() == b.read_bytes()
    assert weight_files(a) == ("m.onnx.data",)
    assert sha256_of(a) != sha256_of(b)
    (tmp_path / "b" / "m.onnx.data").write_bytes((tmp_path / "a" / "m.onnx.data").read_bytes())
    assert sha256_of(a) == sha256_of(b)


def test_the_plan_of_a_model_with_other_weights_is_stale(tmp_path: Path) -> None:
    model = write_external_model(tmp_path / "m.onnx", 1.0)
    key = replace(KEY, onnx_sha256=sha256_of(model))
    write_plan(plan_path(tmp_path, "m", key), b"plan", manifest(key=key))
    assert find_plan(tmp_path, "m", key)[0] is not None
    write_external_model(model, 2.0)
    found, why = find_plan(tmp_path, "m", replace(KEY, onnx_sha256=sha256_of(model)))
    assert found is None
    assert "ONNX check sum is" in why


def test_a_model_without_external_weights_has_the_sum_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    onnx.save(external_model(1.0, 2.0), str(path))
    assert weight_files(path) == ()
    assert sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_tensor_that_is_in_the_model_names_no_file(tmp_path: Path) -> None:
    model = external_model(1.0)
    weight = model.graph.initializer[0]
    weight.external_data.add(key="location", value="left.bin")
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    assert weight_files(path) == ()


def test_weights_that_are_missing_are_an_error_that_names_them(tmp_path: Path) -> None:
    path = write_external_model(tmp_path / "m.onnx", 1.0)
    os.remove(tmp_path / "m.onnx.data")
    with pytest.raises(ModelError, match=r"m\.onnx\.data: cannot be read"):
        sha256_of(path)


@pytest.mark.parametrize("place", ["/etc/passwd", "../m.bin", "a/../../m.bin", ""])
def test_weights_outside_of_the_models_folder_are_refused(place: str, tmp_path: Path) -> None:
    model = external_model(1.0)
    weight = model.graph.initializer[0]
    weight.external_data.add(key="location", value=place)
    weight.data_location = TensorProto.EXTERNAL
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="which is not in its folder"):
        weight_files(path)


@pytest.mark.parametrize("cut", [1, 20, 60, 100])
def test_what_is_no_whole_model_names_no_file(cut: int, tmp_path: Path) -> None:
    path = write_external_model(tmp_path / "m.onnx", 1.0)
    content = path.read_bytes()
    path.write_bytes(content[:cut])
    assert weight_files(path) in ((), ("m.onnx.data",))
    path.write_bytes(b"not a model at all \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
    assert weight_files(path) == ()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_model_that_is_cut_off_is_called_so_and_not_without_metadata(
    share: float, tmp_path: Path
) -> None:
    content = external_model(1.0, 2.0).SerializeToString()
    path = tmp_path / "m.onnx"
    path.write_bytes(content[: int(share * len(content))])
    for read in (file_metadata, load_model):
        with pytest.raises(ModelError) as told:
            read(path)
        assert str(told.value) == f"{path}: {DAMAGED}"
