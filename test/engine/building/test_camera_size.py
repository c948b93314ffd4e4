# SPDX-License-Identifier: Apache-2.0
"""A model that takes the camera's size answers as it does behind the pipeline's own resize."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from panoptic_ros.cli.main import main
from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.core.geometry import shrink
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.core.types import Frame, Heads
from panoptic_ros.engine.building.camera_size import take_camera_size
from panoptic_ros.engine.building.check import check_model
from panoptic_ros.engine.building.compile import build_environment, make_plan
from panoptic_ros.engine.building.parity import compare
from panoptic_ros.engine.building.prepare import load_model, prepare
from panoptic_ros.engine.building.recipe import Recipe, spec_of
from panoptic_ros.engine.models import shipped_models
from panoptic_ros.engine.ort import OrtEngine
from test.drawn.tiny_model import write_tiny_model

CAMERA = (1280, 720)
MODEL = shipped_models().get("street_fast", Path())
needs_model = pytest.mark.skipif(not MODEL.is_file(), reason="no model is installed")


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wide") / "wide.onnx"
    model = load_model(MODEL)
    take_camera_size(model, CAMERA)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
    return path


def frames(count: int) -> list[np.ndarray]:
    street = DrawnStreet(size=CAMERA, fps=1.0, seconds=float(count))
    return [np.ascontiguousarray(frame.image) for frame, _ in street]


@needs_model
def test_it_answers_as_behind_the_resize_outside(wide: Path) -> None:
    with OrtEngine(MODEL, 1) as outside, OrtEngine(wide, 1) as inside:
        assert isinstance(outside, OrtEngine)
        assert isinstance(inside, OrtEngine)
        small = np.empty_like(outside.input)

        def through_the_pipeline(image: np.ndarray) -> Heads:
            return outside.infer(shrink(image, small))

        figures = compare(through_the_pipeline, inside.infer, inside.spec, frames(3))
    assert figures["label_agreement"] > 0.998
    # Drawn objects are faint to this network, so single ones come and go with rounding.
    assert figures["object_agreement"] > 0.9
    assert figures["offset_error"] < 0.1


@needs_model
def test_the_small_image_is_that_of_the_pipeline_but_for_rounding(wide: Path) -> None:
    model = load_model(wide)
    model.graph.output.add(name="image_small").type.tensor_type.elem_type = TensorProto.FLOAT
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for image in (*frames(1), np.random.default_rng(1).integers(0, 256, (720, 1280, 3), "u1")):
        (inside,) = session.run(["image_small"], {"image": image[None]})
        outside = shrink(image, np.empty((256, 512, 3), np.uint8))
        # Half a level by rounding, and OpenCV weighs with 11 bits.
        assert np.abs(inside[0].transpose(1, 2, 0) - outside).max() < 1.0


@needs_model
def test_it_knows_both_sizes(wide: Path) -> None:
    with OrtEngine(wide, 1) as engine:
        assert isinstance(engine, OrtEngine)
        assert engine.input.shape == (720, 1280, 3)
        assert engine.spec.shrinks_to == (512, 256)
        assert "1280x720, shrunk to 512x256 inside on ONNX Runtime" in engine.description
        heads = engine.infer(engine.input)
        assert isinstance(heads, CenterOffsetHeads)
        assert heads.labels.shape == (256, 512)


@needs_model
def test_the_pipeline_gives_a_result_of_the_cameras_size(wide: Path) -> None:
    with OrtEngine(wide, 1) as engine:
        assert isinstance(engine, OrtEngine)
        result = Pipeline(engine).step(Frame(frames(1)[0], 0, "camera"))
        assert result.camera_size == (720, 1280)
        assert result.panoptic.labels.shape == (256, 512)


@needs_model
def test_tensorrts_reader_will_take_it(wide: Path) -> None:
    model = load_model(wide)
    prepare(model)
    assert check_model(model) == []


@needs_model
@pytest.mark.rtx
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_tensorrt_builds_it_too(wide: Path, precision: str, tmp_path: Path) -> None:
    recipe = Recipe(wide, precision, variant="tensorrt_rtx")
    made = make_plan(recipe, tmp_path / "wide.plan", build_environment(recipe))
    assert made.key.shape == "720x1280x3"
    assert made.tensors[0].shape == (1, 720, 1280, 3)


@needs_model
def test_it_is_done_once(wide: Path) -> None:
    with pytest.raises(ModelError, match="takes a camera's size already: 1280x720, shrunk to"):
        take_camera_size(load_model(wide), (1920, 1080))


@needs_model
@pytest.mark.parametrize("size", [(640, 200), (200, 640), (100_000, 300)])
def test_a_camera_is_not_smaller_than_the_network(size: tuple[int, int]) -> None:
    words = rf"camera size {size[0]}x{size[1]}: needs at least .* 512x256 and at most 16384"
    with pytest.raises(ConfigError, match=words):
        take_camera_size(load_model(MODEL), size)


def test_a_model_that_begins_otherwise_is_refused(tmp_path: Path) -> None:
    model = load_model(write_tiny_model(tmp_path / "tiny.onnx"))
    with pytest.raises(ModelError, match="does not begin with a cast of 'image'"):
        take_camera_size(model, CAMERA)


def test_every_reader_of_the_image_gets_the_small_one(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "tiny.onnx")
    model = load_model(path)
    nodes = [
        helper.make_node("Cast", ["image"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["real"], ["turned"], perm=[0, 3, 1, 2]),
        helper.make_node("Neg", ["turned"], ["less"]),
        helper.make_node("Add", ["turned", "less"], ["nothing"]),
    ]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.output[:]
    del model.graph.initializer[:]
    model.graph.output.append(
        helper.make_tensor_value_info("nothing", TensorProto.FLOAT, (1, 3, 4, 8))
    )
    take_camera_size(model, (16, 8))
    onnx.checker.check_model(model, full_check=True)
    readers = [node.op_type for node in model.graph.node if "turned" in node.input]
    assert readers == ["Resize"]
    assert spec_of(model, "x").shrinks_to == (8, 4)


@needs_model
def test_the_verb_makes_it_of_a_shipped_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "new" / "wide.onnx"
    assert main(["export", "street_fast", str(target), "--camera-size", "640x360"]) == 0
    assert "wide.onnx: 640x360, shrunk to 512x256 inside, " in capsys.readouterr().out
    assert spec_of(load_model(target), "x").height == 360
    assert main(["export", "street_fast", str(target)]) == 2
    assert "is already a model; only --camera-size" in capsys.readouterr().err
    (tmp_path / "file").touch()
    inside = tmp_path / "file" / "wide.onnx"
    assert main(["export", "street_fast", str(inside), "--camera-size", "640x360"]) == 2
    assert "file: cannot be made (" in capsys.readouterr().err
    (tmp_path / "taken.onnx").mkdir()
    taken = tmp_path / "taken.onnx"
    assert main(["export", "street_fast", str(taken), "--camera-size", "640x360"]) == 2
    assert "taken.onnx: cannot be written (Is a directory)" in capsys.readouterr().err
