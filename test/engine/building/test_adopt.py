# SPDX-License-Identifier: Apache-2.0
"""Models of others, made here, give what NumPy makes of their scores."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.decoding.semantic import SemanticHeads
from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.core.types import VOID
from panoptic_ros.engine.building import model_file
from panoptic_ros.engine.building.adopt import Adoption, adopt
from panoptic_ros.engine.building.adopt_graph import Preprocessing
from panoptic_ros.engine.building.camera_size import take_camera_size
from panoptic_ros.engine.building.check import REFUSED, check_model
from panoptic_ros.engine.building.prepare import load_model, prepare
from panoptic_ros.engine.onnx_file import weight_files
from panoptic_ros.engine.ort import OrtEngine
from test.drawn.drawings import LABELS
from test.drawn.foreign_model import Foreign

SIZE = (16, 32)
IMAGENET = Preprocessing("rgb", 1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CAFFE = Preprocessing("bgr", 1.0, (104.0, 117.0, 123.0), (58.0, 57.0, 56.0))


def image() -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def preprocessed(wanted: Preprocessing) -> NDArray[Any]:
    """An image as a model gets it, in NumPy."""
    pixels = image()[..., ::-1] if wanted.color == "bgr" else image()
    scaled = pixels.astype(np.float64) * wanted.scale
    return (scaled - np.array(wanted.mean)) / np.array(wanted.deviation)


def adopted(path: Path, labels: LabelSet = LABELS, **said: Any) -> SemanticHeads:
    """Adopt a model and run it on ``image``."""
    target = path.with_name("adopted.onnx")
    adopt(Adoption(path, labels, **said), target)
    with OrtEngine(target, threads=1) as engine:
        heads = engine.infer(image())
    assert isinstance(heads, SemanticHeads)
    return heads


def agree(heads: SemanticHeads, scores: NDArray[Any]) -> None:
    """Compare labels wherever a class wins clearly, and confidence everywhere."""
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    likely = enlarged(255.0 / powers.sum(-1))
    large = enlarged(scores)
    ordered = np.sort(large, axis=-1)
    clear = ordered[..., -1] - ordered[..., -2] > 1e-3
    assert clear.mean() > 0.9
    assert heads.labels.shape == SIZE
    assert (heads.labels == large.argmax(-1))[clear].all()
    assert np.abs(heads.confidence.astype(np.float64) - likely).max() <= 1.0
    assert len(np.unique(heads.labels)) > 2


def enlarged(values: NDArray[Any]) -> NDArray[Any]:
    """Up-sample (h, w, ...) to the image's size."""
    return cv2.resize(values, SIZE[::-1], interpolation=cv2.INTER_LINEAR)


SCORES: dict[str, tuple[Foreign, Preprocessing, dict[str, Any]]] = {
    "NCHW": (Foreign(), Preprocessing(), {}),
    "NHWC": (Foreign(layout="nhwc", says="nhwc"), Preprocessing(), {}),
    "NHWC in, NCHW out": (Foreign(layout="nhwc"), Preprocessing(), {}),
    "normalised": (Foreign(), IMAGENET, {}),
    "BGR of bytes": (Foreign(), CAFFE, {}),
    "BGR, NHWC": (Foreign(layout="nhwc"), replace(IMAGENET, color="bgr"), {}),
    "half precision": (Foreign(dtype="float16"), Preprocessing(), {}),
    "double precision": (Foreign(dtype="float64"), IMAGENET, {}),
    "stride 4": (Foreign(stride=4), IMAGENET, {}),
    "stride 4, NHWC": (Foreign(stride=4, says="nhwc"), IMAGENET, {}),
    "open batch": (Foreign(batch=None), Preprocessing(), {}),
    "open size": (Foreign(size=None), Preprocessing(), {"size": SIZE[::-1]}),
    "all open": (Foreign(batch=None, size=None, stride=2), IMAGENET, {"size": SIZE[::-1]}),
    "size said as well": (Foreign(), Preprocessing(), {"size": SIZE[::-1]}),
    "opset 11": (Foreign(opset=11, stride=4), IMAGENET, {}),
    "opset 13": (Foreign(opset=13, stride=4), IMAGENET, {}),
    "opset 18": (Foreign(opset=18, stride=4), IMAGENET, {}),
    "opset 21": (Foreign(opset=21, stride=4), IMAGENET, {}),
}


@pytest.mark.parametrize("case", SCORES.values(), ids=SCORES)
def test_scores_give_what_numpy_makes_of_them(
    case: tuple[Foreign, Preprocessing, dict[str, Any]], tmp_path: Path
) -> None:
    foreign, preprocessing, said = case
    heads = adopted(foreign.write(tmp_path / "m.onnx"), preprocessing=preprocessing, **said)
    given = preprocessed(preprocessing)
    if foreign.dtype == "float16":
        given = given.astype(np.float16)
    agree(heads, foreign.scores(given))


@pytest.mark.parametrize("opset", [11, 17])
def test_probabilities_are_taken_as_they_are(opset: int, tmp_path: Path) -> None:
    foreign = Foreign(says="softmax", opset=opset)
    agree(
        adopted(foreign.write(tmp_path / "m.onnx")), foreign.scores(preprocessed(Preprocessing()))
    )


@pytest.mark.parametrize(("layout", "color"), [("nchw", "rgb"), ("nhwc", "rgb"), ("nhwc", "bgr")])
def test_a_model_that_takes_bytes_gets_them_untouched(
    layout: str, color: str, tmp_path: Path
) -> None:
    foreign = Foreign(layout=layout, dtype="uint8")
    heads = adopted(foreign.write(tmp_path / "m.onnx"), preprocessing=Preprocessing(color))
    pixels = image()[..., ::-1] if color == "bgr" else image()
    agree(heads, foreign.scores(pixels))


MAPS = {
    f"{dtype} {axes}": Foreign(says="map", map_dtype=dtype, map_axes=axes)
    for dtype in ("int64", "uint8", "float32")
    for axes in ("bhw", "hw", "bchw", "bhwc")
} | {"int32 stride 2": Foreign(says="map", map_dtype="int32", stride=2)}


@pytest.mark.parametrize("foreign", MAPS.values(), ids=MAPS)
def test_a_map_of_classes_is_handed_on(foreign: Foreign, tmp_path: Path) -> None:
    heads = adopted(foreign.write(tmp_path / "m.onnx"), preprocessing=IMAGENET)
    whole = replace(foreign, stride=1)
    given = preprocessed(IMAGENET).astype(np.float32)
    height, width = (side // foreign.stride for side in SIZE)
    given = given.reshape(height, foreign.stride, width, foreign.stride, 3).mean((1, 3))
    assert (heads.labels == whole.scores(given).argmax(-1)).mean() > 0.99
    assert (heads.confidence == 255).all()


@pytest.mark.parametrize("nothing", [-1, 255, 300, -(2**40)])
def test_what_is_no_class_in_a_map_is_void(nothing: int, tmp_path: Path) -> None:
    model = Foreign(says="map").model()
    graph = model.graph
    graph.node[-1].output[0] = "class"
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(2, np.int64), "two"),
            numpy_helper.from_array(np.array(nothing, np.int64), "nothing"),
        ]
    )
    graph.node.append(helper.make_node("Equal", ["class", "two"], ["is_two"]))
    graph.node.append(helper.make_node("Where", ["is_two", "nothing", "class"], ["out"]))
    path = tmp_path / "m.onnx"
    onnx.save(model, str(path))
    heads = adopted(path)
    scores = Foreign().scores(preprocessed(Preprocessing()))
    expected = np.where(scores.argmax(-1) == 2, VOID, scores.argmax(-1))
    assert (heads.labels == expected).mean() > 0.99
    assert ((heads.confidence == 0) == (heads.labels == VOID)).all()
    assert (heads.labels == VOID).any()


def test_of_several_outputs_one_is_named(tmp_path: Path) -> None:
    model = Foreign().model()
    model.graph.node.append(helper.make_node("Neg", ["out"], ["aux"]))
    model.graph.output.append(helper.make_tensor_value_info("aux", TensorProto.FLOAT, None))
    path = tmp_path / "m.onnx"
    onnx.save(model, str(path))
    scores = Foreign().scores(preprocessed(IMAGENET))
    agree(adopted(path, output="out", preprocessing=IMAGENET), scores)
    agree(adopted(path, output="aux", preprocessing=IMAGENET), -scores)
    with pytest.raises(ModelError, match=r"m\.onnx: has 2 outputs; add --output .*: out, aux"):
        adopted(path)
    with pytest.raises(ModelError, match="has no output 'logits'; it has: out, aux"):
        adopted(path, output="logits")


def test_several_outputs_are_told_apart_by_their_shapes(tmp_path: Path) -> None:
    model = Foreign().model()
    for name, shape in (("604", (1, 4, 16, 32)), ("618", ("n", 2, None, 32))):
        model.graph.node.append(helper.make_node("Neg", ["out"], [name]))
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    path = tmp_path / "m.onnx"
    onnx.save(model, str(path))
    with pytest.raises(ModelError, match=r": out, 604 \(1, 4, 16, 32\), 618 \(n, 2, \?, 32\)$"):
        adopted(path)


def test_names_that_are_ours_do_not_collide(tmp_path: Path) -> None:
    model = Foreign(stride=4).model()
    text = {"scores": "labels", "cast": "before/Cast_0", "weights": "confidence"}
    for node in model.graph.node:
        node.input[:] = [text.get(name, name) for name in node.input]
        node.output[:] = [text.get(name, name) for name in node.output]
    model.graph.initializer[0].name = "confidence"
    path = tmp_path / "m.onnx"
    onnx.save(model, str(path))
    heads = adopted(path, preprocessing=IMAGENET)
    agree(heads, Foreign(stride=4).scores(preprocessed(IMAGENET)))


def test_branches_find_what_lies_outside_of_them(tmp_path: Path) -> None:
    def branch(operator: str) -> onnx.GraphProto:
        node = helper.make_node(operator, ["scores"], [f"{operator}_out"])
        out = helper.make_tensor_value_info(f"{operator}_out", TensorProto.FLOAT, None)
        return helper.make_graph([node], operator, [], [out])

    model = Foreign().model()
    del model.graph.node[-1]
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "always"))
    branches = {"then_branch": branch("Identity"), "else_branch": branch("Neg")}
    model.graph.node.append(helper.make_node("If", ["always"], ["out"], **branches))
    path = tmp_path / "m.onnx"
    onnx.save(model, str(path))
    agree(adopted(path), Foreign().scores(preprocessed(Preprocessing())))


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    path = Foreign(stride=4).write(tmp_path / "m.onnx")
    made = adopt(Adoption(path, LABELS, license="MIT"), tmp_path / "lab.onnx")
    assert (made.entry.layout, made.output.layout, made.output.is_probability) == (
        "nchw",
        "nchw",
        False,
    )
    with OrtEngine(tmp_path / "lab.onnx") as engine:
        spec = engine.spec
    assert spec == made.spec
    assert (spec.name, spec.decoder, spec.width, spec.height) == ("lab", "semantic", 32, 16)
    assert (spec.labels, spec.license, spec.provenance) == (LABELS, "MIT", "adopted from m.onnx")


@pytest.mark.parametrize("foreign", [Foreign(stride=4), Foreign(says="map", layout="nhwc")])
def test_tensorrt_refuses_nothing_of_it_and_it_takes_a_cameras_size(
    foreign: Foreign, tmp_path: Path
) -> None:
    adopted(foreign.write(tmp_path / "m.onnx"), preprocessing=IMAGENET)
    model = load_model(tmp_path / "adopted.onnx")
    prepare(model)
    assert [f for f in check_model(model) if f.severity == REFUSED] == []
    take_camera_size(model, (64, 32))
    large = tmp_path / "large.onnx"
    large.write_bytes(model.SerializeToString())
    with OrtEngine(large) as engine:
        assert engine.infer(np.zeros((32, 64, 3), np.uint8)).labels.shape == SIZE


def test_weights_in_another_file_come_with_it(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    model = Foreign(stride=4).model()
    onnx.save_model(
        model, str(path), save_as_external_data=True, location="m.bin", size_threshold=0
    )
    heads = adopted(path, preprocessing=IMAGENET)
    agree(heads, Foreign(stride=4).scores(preprocessed(IMAGENET)))
    assert weight_files(tmp_path / "adopted.onnx") == ()
    os.remove(tmp_path / "m.bin")
    with pytest.raises(ModelError, match=r"its weights are in the file m\.bin, which is missing"):
        adopted(path)


def test_weights_too_large_for_one_file_lie_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_file, "_LARGEST_FILE", 0)
    foreign = Foreign(classes=100, stride=4)
    labels = _labels(100)
    heads = adopted(foreign.write(tmp_path / "m.onnx"), labels, preprocessing=IMAGENET)
    assert weight_files(tmp_path / "adopted.onnx") == ("adopted.onnx.data",)
    agree(heads, foreign.scores(preprocessed(IMAGENET)))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "adopted.onnx",
        "adopted.onnx.data",
        "m.onnx",
    ]


def test_without_onnx_runtime_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match="pip install onnxruntime"):
        adopt(Adoption(Foreign().write(tmp_path / "m.onnx"), LABELS), tmp_path / "a.onnx")


def _labels(count: int) -> LabelSet:
    first = LABELS.labels[0]
    return LabelSet("many", tuple(replace(first, index=i, name=str(i)) for i in range(count)))


BAD: dict[str, tuple[Foreign, dict[str, Any], str]] = {
    "other classes": (
        Foreign(classes=7),
        {},
        r"'out' is float32 \(1, 7, 16, 32\), needs a score for each of the 4 classes",
    ),
    "classes beyond the set": (
        Foreign(classes=9, says="map"),
        {},
        r"the network says class \d, its label set drawn has 4; --labels names",
    ),
    "old": (Foreign(opset=10), {}, "is of opset 10, needs 11 or newer"),
    "open size": (Foreign(size=None), {}, r"\(1, 3, height, width\), which leaves the size open"),
    "other size": (Foreign(), {"size": (64, 32)}, "which is not --size 64x32"),
    "batch of 2": (Foreign(batch=2), {}, r"\(2, 3, 16, 32\): its batch is 2; needs 1 or an open"),
    "other layout": (Foreign(), {"layout": "nhwc"}, "needs three channels in layout nhwc"),
    "unclear layout": (Foreign(size=(16, 3)), {}, "leaves the layout open; add --input"),
    "integers in": (Foreign(dtype="int32"), {}, "of another type, needs float32, uint8"),
}


@pytest.mark.parametrize(("foreign", "said", "words"), BAD.values(), ids=BAD)
def test_what_cannot_be_adopted_is_refused(
    foreign: Foreign, said: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = foreign.write(tmp_path / "m.onnx")
    with pytest.raises(ModelError, match=words):
        adopt(Adoption(path, LABELS, **said), tmp_path / "adopted.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 1, 16, 32), r"\(1, 1, 16, 32\), needs three channels"),
        ((3, 16, 32), r"\(3, 16, 32\), needs four axes"),
        ((1, 3, 4, 16, 32), "needs four axes"),
    ],
    ids=["grey", "no batch", "volumes"],
)
def test_other_images_are_refused(shape: tuple[int, ...], words: str, tmp_path: Path) -> None:
    entry = helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, shape)
    graph = helper.make_graph([helper.make_node("Relu", ["image"], ["out"])], "g", [entry], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "m.onnx"
    onnx.save(model, str(path))
    with pytest.raises(ModelError, match=words):
        adopted(path)


def test_a_second_input_is_named(tmp_path: Path) -> None:
    model = Foreign().model()
    model.graph.input.append(helper.make_tensor_value_info("depth", TensorProto.FLOAT, (1,)))
    path = tmp_path / "m.onnx"
    onnx.save(model, str(path))
    with pytest.raises(ModelError, match=r"has 2 inputs \('image', 'depth'\), needs one"):
        adopted(path)


def test_weights_that_are_listed_as_inputs_are_none(tmp_path: Path) -> None:
    model = Foreign().model()
    model.ir_version = 3
    shape = model.graph.initializer[0].dims
    model.graph.input.append(helper.make_tensor_value_info("weights", TensorProto.FLOAT, shape))
    path = tmp_path / "m.onnx"
    onnx.save(model, str(path))
    agree(adopted(path), Foreign().scores(preprocessed(Preprocessing())))


def test_a_score_is_no_map_of_classes(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a map whose values are no class indices"):
        adopted(Foreign(classes=1).write(tmp_path / "m.onnx"))


TABLES = {
    "boxes": np.zeros((1, 84, 8400), np.float32),
    "box labels": np.ones((1, 100), np.int64),
    "no boxes": np.zeros((1, 0), np.int64),
    "an image's class": np.full((1, 1000), 0.001, np.float32),
}


@pytest.mark.parametrize("values", TABLES.values(), ids=TABLES)
def test_a_detectors_table_is_no_map_of_classes(values: NDArray[Any], tmp_path: Path) -> None:
    model = Foreign().model()
    table = numpy_helper.from_array(values)
    model.graph.node[-1].CopyFrom(helper.make_node("Constant", [], ["out"], value=table))
    model.graph.output[0].type.tensor_type.elem_type = table.data_type
    path = tmp_path / "m.onnx"
    onnx.save(model, str(path))
    with pytest.raises(ModelError, match="detectors and classifiers give no class for every"):
        adopted(path)


def test_an_unknown_operator_is_named_with_the_users_file(tmp_path: Path) -> None:
    model = Foreign().model()
    model.graph.node[-1].CopyFrom(helper.make_node("Rotated", ["scores"], ["out"], domain="lab"))
    model.opset_import.append(helper.make_opsetid("lab", 1))
    path = tmp_path / "m.onnx"
    onnx.save(model, str(path))
    with pytest.raises(ModelError, match=r"ONNX Runtime cannot run it \(.*m\.onnx.*lab.*Rotated"):
        adopted(path)


@pytest.mark.parametrize("content", [b"", b"ply\nformat ascii", b"\x08\x08"])
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is not an ONNX model"):
        adopted(path)


def test_a_missing_file_and_one_of_ours_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"m\.onnx: cannot be read"):
        adopted(tmp_path / "m.onnx")
    path = Foreign().write(tmp_path / "m.onnx")
    adopted(path)
    with pytest.raises(ModelError, match="describes itself already"):
        adopt(Adoption(tmp_path / "adopted.onnx", LABELS), tmp_path / "again.onnx")


def test_an_operator_that_nobody_knows_is_named(tmp_path: Path) -> None:
    model = Foreign().model()
    model.graph.node[-1].op_type = "Segment"
    path = tmp_path / "m.onnx"
    onnx.save(model, str(path))
    with pytest.raises(ModelError, match=r"ONNX Runtime cannot run it .*Segment"):
        adopted(path)


def test_bytes_are_not_normalised_and_a_bad_place_is_said(tmp_path: Path) -> None:
    path = Foreign(dtype="uint8").write(tmp_path / "m.onnx")
    with pytest.raises(ConfigError, match="takes bytes as they are; leave out --mean"):
        adopted(path, preprocessing=IMAGENET)
    with pytest.raises(ConfigError, match=r"cannot be written \(.*\); name another place"):
        adopt(Adoption(path, LABELS), tmp_path / "nowhere" / "adopted.onnx")
