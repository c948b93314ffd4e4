# SPDX-License-Identifier: Apache-2.0
"""An int8 plan of OpenVINO: made, compared, kept, found again, and refused where it is wrong."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from panoptic_ros.core.errors import ConfigError, ModelError, StaleEngineError
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.engine.building.openvino import check_recipe, make_openvino_plan, to_int8
from panoptic_ros.engine.building.recipe import Recipe, read_recipe
from panoptic_ros.engine.models import shipped_models
from panoptic_ros.engine.open import open_engine
from panoptic_ros.engine.openvino import OpenVinoEngine
from panoptic_ros.engine.openvino_plan import key_and_place, open_plan, read_device
from panoptic_ros.engine.ort import OrtEngine
from panoptic_ros.engine.processor import has_bfloat16
from panoptic_ros.engine.storage.cache import read_manifest, write_plan
from panoptic_ros.engine.storage.manifest import Manifest
from test.drawn.drawn_nncf import DrawnNncf
from test.drawn.tiny_model import write_tiny_model

installed = pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
REST = "bf16" if has_bfloat16() else "f32"
"""In what this CPU computes that which is not quantised."""
IMAGES = [
    np.random.default_rng(number).integers(0, 2, (4, 8, 3)).astype(np.uint8) for number in range(9)
]


@pytest.fixture
def nncf(monkeypatch: pytest.MonkeyPatch) -> DrawnNncf:
    drawn = DrawnNncf()
    monkeypatch.setitem(sys.modules, "nncf", drawn)  # type: ignore[arg-type]
    return drawn


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return write_tiny_model(tmp_path / "tiny.onnx")


def make(model: Path, images: list[NDArray[np.uint8]] = IMAGES, **options: Any) -> Path:
    """Make the plan of a model in the cache and return its place."""
    device = read_device("CPU")
    _, path = key_and_place(model, device)
    recipe = Recipe(model, "int8", runtime="openvino")
    make_openvino_plan(recipe, path, device, images[:-1], images[-1:], **options)
    return path


def other_labels(model: Any) -> Any:
    """A model whose labels are another channel, as if quantising had spoilt it."""
    import openvino

    graph = onnx.load(str(other_labels.path))  # type: ignore[attr-defined]
    (at,) = [entry for entry in graph.graph.initializer if entry.name == "at0"]
    at.CopyFrom(numpy_helper.from_array(np.array(1, np.int64), "at0"))
    return openvino.Core().read_model(graph.SerializeToString())


@installed
@pytest.mark.usefixtures("nncf")
def test_a_model_becomes_a_plan_that_runs_and_knows_where_it_comes_from(model: Path) -> None:
    path = make(model)
    about = read_manifest(path)
    assert about.key.variant == "openvino"
    assert about.key.precision == "int8"
    assert about.model == "tiny.onnx"
    assert about.parity["label_agreement"] == 1.0
    assert about.compared == "plan"
    assert about.options == {"device": "CPU", "quantised by": "NNCF 3.4.0"}
    assert [tensor.name for tensor in about.tensors if tensor.mode == "input"] == ["image"]
    with open_plan(path, 1) as engine:
        heads = engine.infer(IMAGES[0])
        assert engine.facts["precision"] == f"int8 and {REST}"
    assert (heads.labels == IMAGES[0][..., 0]).all()  # type: ignore[attr-defined]


@installed
def test_every_image_sets_ranges_and_is_reported_once(
    model: Path, nncf: DrawnNncf, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[float] = []
    make(model, report=lambda phase, share: told.append(share))
    assert told == [pytest.approx((number + 1) / 8) for number in range(8)]
    assert len(nncf.images) == 16
    assert nncf.images[0]["image"].shape == (1, 4, 8, 3)
    assert nncf.asked["subset_size"] == 8
    assert nncf.asked["target_device"] == "CPU"
    assert capsys.readouterr().out == ""


@installed
def test_the_first_and_the_last_convolutions_are_spared_with_their_biases(nncf: DrawnNncf) -> None:
    spared: dict[str, str] = {}

    def note(model: Any) -> Any:
        names = nncf.asked["ignored_scope"].names
        found = {entry.get_friendly_name(): entry for entry in model.get_ordered_ops()}
        spared.update({name: found[name].get_type_name() for name in names})
        return model

    nncf.quantised = note
    to_int8(shipped_models()["street_fast"], "CPU", [])
    products = [name for name, kind in spared.items() if kind == "Convolution"]
    ends = {"stem.0", "center.1", "offset.1", "semantic.1"}
    assert {name.split("/")[-3] for name in products} == ends
    assert sorted(spared.values()) == ["Add"] * 4 + ["Convolution"] * 4


@installed
def test_a_plan_that_says_something_else_is_not_kept(model: Path, nncf: DrawnNncf) -> None:
    other_labels.path = model  # type: ignore[attr-defined]
    nncf.quantised = other_labels
    words = r"tiny\.onnx: differs from ONNX Runtime: .*label_agreement .*engine_precision fp16"
    with pytest.raises(ModelError, match=words):
        make(model)
    assert not list(model.parent.rglob("*.plan"))


@installed
def test_what_cannot_be_quantised_is_one_line(model: Path, nncf: DrawnNncf) -> None:
    def fail(model: Any) -> Any:
        raise ValueError("no such layer\nat a place in NNCF")

    nncf.quantised = fail
    with pytest.raises(ModelError, match=r"for OpenVINO \(no such layer\)$"):
        make(model)


@installed
@pytest.mark.usefixtures("nncf")
def test_too_few_images_are_refused(model: Path) -> None:
    with pytest.raises(ModelError, match="at least 4 images, found 3"):
        make(model, IMAGES[:4])


@installed
def test_without_nncf_the_message_says_what_to_install(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(ModelError, match=r"needs NNCF, .*run: pip install nncf"):
        make(model)


@installed
def test_a_plan_that_is_there_is_not_made_again(model: Path, nncf: DrawnNncf) -> None:
    make(model)
    make(model)
    assert len(nncf.images) == 16
    make(model, rebuild=True)
    assert len(nncf.images) == 32


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"precision": "fp16"}, r"needs no plan in fp16, it runs m\.onnx as it is"),
        ({"batch": 2, "dla": 0}, "batch, dla: only plans of TensorRT have that"),
        ({"variant": "tensorrt_rtx"}, "variant: only plans of TensorRT"),
        ({"targets": ("8.6",), "workspace_mib": 5}, "targets, workspace_mib: only plans of"),
    ],
)
def test_choices_of_tensorrt_are_refused(changes: dict[str, Any], words: str) -> None:
    recipe = Recipe(Path("m.onnx"), "int8", runtime="openvino")
    with pytest.raises(ConfigError, match=words):
        check_recipe(replace(recipe, **changes))
    check_recipe(recipe)


def test_a_recipe_may_name_the_runtime(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("model: m.onnx\nruntime: openvino\nopenvino_device: NPU\n")
    recipe = read_recipe(tmp_path / "r.yaml")
    assert (recipe.runtime, recipe.openvino_device) == ("openvino", "NPU")
    (tmp_path / "r.yaml").write_text("model: m.onnx\nruntime: tflite\n")
    with pytest.raises(ConfigError, match="runtime 'tflite': needs one of tensorrt, openvino"):
        read_recipe(tmp_path / "r.yaml")


def opened(name: Path, kind: type, **options: Any) -> str:
    lines: list[str] = []
    with open_engine(name, 1, say=lines.append, **options) as engine:
        assert isinstance(engine, kind)
    (line,) = lines
    return line


@installed
@pytest.mark.usefixtures("nncf")
def test_int8_in_openvino_runs_the_plan_and_nothing_else(model: Path) -> None:
    wanted = {"runtime": "openvino", "precision": "int8"}
    line = opened(model, OrtEngine, **wanted)
    assert "not OpenVINO: there is no plan of tiny in" in line
    assert f"run: panoptic build {model} --runtime openvino --precision int8 --images DIR" in line
    with pytest.raises(ModelError, match="there is no plan of tiny"):
        open_engine(model, fallback="none", **wanted)
    make(model)
    assert f"(CPU, int8 and {REST})" in opened(model, OpenVinoEngine, fallback="none", **wanted)


@installed
@pytest.mark.usefixtures("nncf")
def test_a_plan_may_be_named_by_its_file(model: Path) -> None:
    path = make(model)
    own = model.with_name("own.plan")
    write_plan(own, path.read_bytes(), read_manifest(path))
    assert "the plan fits this machine" in opened(own, OpenVinoEngine)


def stale(about: Manifest) -> Manifest:
    return replace(about, key=replace(about.key, version="2024.0.0", gpu="Another CPU"))


@installed
@pytest.mark.usefixtures("nncf")
def test_a_plan_of_another_openvino_or_device_is_stale(model: Path) -> None:
    path = make(model)
    own = model.with_name("own.plan")
    write_plan(own, path.read_bytes(), stale(read_manifest(path)))
    words = r"OpenVINO version is 2024\.0\.0, here it is .*; device is Another CPU, .*; run: pano"
    with pytest.raises(StaleEngineError, match=words):
        open_engine(own, fallback="none")
    assert "not OpenVINO: own.plan: OpenVINO version is 2024.0.0" in opened(own, OrtEngine)
    model.unlink()
    with pytest.raises(StaleEngineError, match=words):
        open_engine(own)


@installed
@pytest.mark.usefixtures("nncf")
def test_a_damaged_plan_is_never_run(model: Path) -> None:
    path = make(model)
    content = path.read_bytes()
    path.write_bytes(content[:500] + b"\0" + content[501:])
    with pytest.raises(ModelError, match="is damaged"):
        open_plan(path, 1)
    line = opened(model, OrtEngine, runtime="openvino", precision="int8")
    assert "is damaged" in line


@installed
def test_a_device_that_may_be_any_has_no_plan() -> None:
    with pytest.raises(ModelError, match=r"AUTO may be any; name one of: .*CPU"):
        read_device("AUTO")
    # What is refused is not offered.
    with pytest.raises(ModelError, match=r"'XPU' here; set --here to one of: (?!.*AUTO).*CPU"):
        read_device("XPU", "--here")


@installed
@pytest.mark.skipif(find_spec("nncf") is None, reason="NNCF is not installed: pip install nncf")
@pytest.mark.skipif("street_fast" not in shipped_models(), reason="no model is installed")
def test_the_real_nncf_keeps_the_first_and_the_last_products() -> None:
    street = DrawnStreet(size=(512, 256), fps=1.0, seconds=4.0)
    images = [np.ascontiguousarray(frame.image) for frame, _ in street]
    quantised = to_int8(shipped_models()["street_fast"], "CPU", images)
    full = {
        operation.get_friendly_name().removesuffix("/WithoutBiases")
        for operation in quantised.get_ordered_ops()
        if operation.get_type_name() == "Convolution"
        and operation.input_value(0).get_node().get_type_name() != "FakeQuantize"
    }
    heads = {f"/network/{name}/{name}.1/Conv" for name in ("semantic", "center", "offset")}
    assert full == {"/network/backbone/stem/stem.0/Conv", *heads}
