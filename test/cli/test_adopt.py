# SPDX-License-Identifier: Apache-2.0
"""``panoptic adopt``: somebody's model in, one that replay, predict and eval run out."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.data.kitti_step import read_kitti_step, write_kitti_step
from panoptic_ros.engine.ort import OrtEngine
from test.drawn.foreign_model import Foreign
from test.drawn.palette_street import SIZE, labels, street, write_foreign

FRAMES = 4


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The adopted model."""
    folder = tmp_path_factory.mktemp("model")
    words = ["adopt", write_foreign(folder / "lab.onnx"), "--labels", "cityscapes"]
    words += ["--kind", "semantic", "--colour", "bgr", "--out", folder / "new" / "street.onnx"]
    assert main(list(map(str, words))) == 0
    return folder / "new" / "street.onnx"


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """Two cars that drive to the right, with their truth."""
    for number in range(FRAMES):
        image, classes, ids = street(10 + 4 * number, 100 + 4 * number)
        for name in ("images", "truth"):
            (tmp_path / name / "0001").mkdir(parents=True, exist_ok=True)
        name = f"{number:06}.png"
        cv2.imwrite(str(tmp_path / "images" / "0001" / name), image[..., ::-1])
        write_kitti_step(tmp_path / "truth" / "0001" / name, classes, ids)
    return tmp_path


def test_the_model_says_the_painted_classes(model: Path) -> None:
    image, classes, _ = street(20, 100)
    with OrtEngine(model) as engine:
        heads = engine.infer(image)
    assert (heads.labels == classes).all()  # type: ignore[attr-defined]


def test_predict_writes_classes_and_ids_that_stay(
    model: Path, drive: Path, tmp_path: Path
) -> None:
    words = ["predict", drive / "images" / "0001", "--out", tmp_path / "out"]
    words += ["--format", "kitti-step", "--engine", model]
    assert main(list(map(str, words))) == 0
    for number, path in enumerate(sorted((tmp_path / "out").rglob("*.png"))):
        found, ids = read_kitti_step(path)
        _, classes, cars = street(10 + 4 * number, 100 + 4 * number)
        assert (found == classes).all()
        pairs = set(zip(cars.ravel().tolist(), ids.ravel().tolist(), strict=True))
        # One id for each car, the same in every frame.
        assert len(pairs) == 3
        seen = {car: number for car, number in pairs if car}
        if number == 0:
            first = seen
        assert seen == first
        assert (0, 0) in pairs


def test_replay_writes_every_topic(model: Path, drive: Path, tmp_path: Path) -> None:
    pytest.importorskip("rosbags")
    from rosbags.highlevel import AnyReader

    words = ["replay", drive / "images" / "0001", "--out", tmp_path / "r.mcap", "--engine", model]
    assert main(list(map(str, words))) == 0
    with AnyReader([tmp_path / "r.mcap"]) as reader:
        drivable = [
            reader.deserialize(data, entry.msgtype).data.reshape(SIZE)
            for entry, _, data in reader.messages()
            if entry.topic == "/panoptic/drivable"
        ]
        names = {entry.topic.rpartition("/")[2] for entry in reader.connections}
    assert {"label", "instance", "panoptic", "confidence", "detections", "drivable"} <= names
    _, classes, _ = street(10, 100)
    road = classes == labels().index("road")
    assert (drivable[0] > 0)[road].mean() > 0.5
    assert not (drivable[0] > 0)[~road].any()


def test_eval_scores_it_over_time(model: Path, drive: Path, tmp_path: Path) -> None:
    words = ["eval", "--format", "kitti-step", "--gt", drive / "truth", "--engine", model]
    words += ["--images", drive / "images", "--json", tmp_path / "out.json"]
    assert main(list(map(str, words))) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    text = json.dumps(found)
    assert '"stq": 1.0' in text


def test_what_was_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = Foreign(classes=19, size=None, stride=4).write(tmp_path / "m.onnx")
    words = ["adopt", source, "--labels", "cityscapes", "--size", "64x32", "--out"]
    words += [tmp_path / "out.onnx", "--mean", "123.7,116.3,103.5", "--std", "58.4,57.1,57.4"]
    assert main([*map(str, words), "--scale", "1"]) == 0
    said = capsys.readouterr().out
    assert "64x32" in said
    assert (
        "'image' (nchw, float32), (rgb * 1 - (123.7, 116.3, 103.5)) / (58.4, 57.1, 57.4)" in said
    )
    assert "'out': 16x8, logits (nchw)" in said
    assert "19 of the label set cityscapes" in said


BAD = {
    "no label set": (["--labels", "kitti"], "there are cityscapes, coco, ade20k, mapillary"),
    "numbers of bytes": (["--mean", "104,117,123"], "add --scale 1"),
    "no deviation": (["--std", "0,1,1"], "adopt: --std 0,1,1: each number needs to be above 0"),
    "no scale": (["--scale", "nan"], "--scale nan: needs to be above 0"),
    "its own place": (["--out", "m.onnx"], "is the input model; choose another file"),
    "no file": (["absent.onnx"], "absent.onnx: cannot be read"),
    "other labels": (["--labels", "coco"], "needs a score for each of the 133 classes"),
    "no output": (["--output", "x"], "m.onnx: has no output 'x'; it has: out"),
}


@pytest.mark.parametrize(("change", "words"), BAD.values(), ids=BAD)
def test_a_mistake_is_one_line(
    change: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Foreign(classes=19).write(tmp_path / "m.onnx")
    source = [] if change[0].endswith(".onnx") else ["m.onnx"]
    assert main(["adopt", *source, "--labels", "cityscapes", "--out", "out.onnx", *change]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out.onnx").exists()


@pytest.mark.parametrize("text", ["1,2", "1,2,x", "1,2,inf", "1,2,3,4"])
def test_three_numbers_are_three_numbers(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["adopt", "m.onnx", "--labels", "coco", "--out", "o.onnx", "--mean", text])
    assert "numbers" in capsys.readouterr().err


def test_a_set_without_things_or_surface_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    label = "{index: 0, name: fog, is_thing: false, color: [1, 2, 3]}"
    other = label.replace("0, name: fog", "1, name: dust")
    (tmp_path / "set.yaml").write_text(f"name: air\nlabels: [{label}, {other}]\n")
    source = Foreign(classes=2).write(tmp_path / "m.onnx")
    words = ["adopt", source, "--labels", tmp_path / "set.yaml", "--out", tmp_path / "o.onnx"]
    assert main(list(map(str, words))) == 0
    said = capsys.readouterr().err
    assert "has no things" in said
    assert "none of the classes (fog, dust) is drivable" in said


OPEN = "16x8 are stretched to the input's 66x35; try --size 64x32\n"
FIXED = " the input's 66x35; its size is fixed: export it again, e.g. for 64x32\n"


@pytest.mark.parametrize(
    ("own", "words", "told"),
    [
        pytest.param(None, ["--size", "64x32"], "", id="fits"),
        pytest.param(None, ["--size", "66x35"], OPEN, id="open"),
        pytest.param((35, 66), [], FIXED, id="fixed"),
    ],
)
def test_a_size_that_stretches_the_output_is_told_with_a_cure_that_can_be_had(
    own: tuple[int, int] | None,
    words: list[str],
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = Foreign(classes=19, size=own, stride=4).write(tmp_path / "m.onnx")
    words = ["adopt", str(source), "--labels", "cityscapes", *words]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().err
    assert told in said
    assert ("stretched" in said) is bool(told)


def test_things_as_stuff_have_no_objects(model: Path) -> None:
    from panoptic_ros.core.config import PipelineConfig
    from panoptic_ros.core.parameters import with_value
    from panoptic_ros.core.pipeline import Pipeline
    from panoptic_ros.core.types import Frame

    config = with_value(PipelineConfig(), "decode.semantic_things", "stuff")
    with OrtEngine(model) as engine:
        result = Pipeline(engine, config).step(Frame(street(20, 100)[0], 0))
    assert result.tracks == ()
    assert np.isin(labels().index("car"), result.semantic())


def test_a_model_of_the_package_runs_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["adopt", "street_fast", "--labels", "cityscapes", "--out", str(tmp_path)]
    assert main(words) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert "street_fast comes with the package and runs as it is" in error
