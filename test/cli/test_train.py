# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic train`` and ``panoptic export`` show and refuse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.cli.printing.outputs import reserved

pytestmark = pytest.mark.torch


def test_the_curves_are_an_image_of_the_history(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("matplotlib")
    from panoptic_ros.cli.train import draw_curves
    from panoptic_ros.model.training.history import History, Progress

    history = History(tmp_path, 0)
    history.add(Progress(1, 0.1, 1e-3, {"semantic": 1.0}, {}))
    history.add(Progress(2, 0.2, 1e-3, {"semantic": 0.5}, {"pq": 2.0}))
    history.add(Progress(3, 0.3, 1e-3, {"semantic": 0.4}, {}))
    draw_curves(tmp_path)
    image = cv2.imread(str(tmp_path / "curves.png"))
    assert image is not None
    assert np.unique(image.reshape(-1, 3), axis=0).shape[0] > 10


def test_a_missing_data_set_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    status = main(["train", "--data", str(tmp_path), "--out", str(tmp_path / "run")])
    assert status == 2
    assert "train.json: cannot be read" in capsys.readouterr().err


def test_a_missing_checkpoint_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    status = main(["export", str(tmp_path / "no.pt"), str(tmp_path / "model.onnx")])
    assert status == 2
    assert "no.pt: cannot be read (No such file or directory)" in capsys.readouterr().err


def test_a_model_name_without_onnx_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "last.pt", "model.plan"]) == 2
    assert "must end in .onnx" in capsys.readouterr().err


def test_what_init_takes_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    words = ["train", "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--init"]
    assert main([*words, "nope"]) == 2
    assert "or the path of an .onnx or .pt file" in capsys.readouterr().err
    (tmp_path / "x.plan").touch()
    assert main([*words, str(tmp_path / "x.plan")]) == 2
    assert "x.plan: a plan cannot be trained" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "endings"),
    [
        (["info", "nope"], "an .onnx or .plan file"),
        (["build", "nope"], "an .onnx or .yaml file"),
        (["export", "nope.onnx", "out.onnx", "--camera-size", "64x32"], "an .onnx file"),
    ],
    ids=["info", "build", "export"],
)
def test_what_a_verb_takes_is_said(
    words: list[str], endings: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert f"or the path of {endings}" in capsys.readouterr().err


def write_one_class(folder: Path) -> Path:
    """A data set of one class, which no shipped model has."""
    for name in ("images", "panoptic"):
        (folder / name).mkdir(parents=True)
    cv2.imwrite(str(folder / "images" / "0.png"), np.zeros((32, 64, 3), np.uint8))
    cv2.imwrite(str(folder / "panoptic" / "0.png"), np.full((32, 64, 3), (0, 0, 7), np.uint8))
    segment = {"id": 7, "category_id": 7, "area": 2048, "iscrowd": 0}
    document = {
        "images": [{"id": 0, "file_name": "0.png", "width": 64, "height": 32}],
        "annotations": [{"image_id": 0, "file_name": "0.png", "segments_info": [segment]}],
        "categories": [{"id": 7, "name": "field", "isthing": 0}],
    }
    for split in ("train", "val"):
        (folder / f"{split}.json").write_text(json.dumps(document))
    return folder


def test_a_shipped_model_starts_a_training_of_other_classes_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from panoptic_ros.engine.ort import OrtEngine

    data = write_one_class(tmp_path / "data")
    words = ["train", "--data", str(data), "--out", str(tmp_path / "run"), "--workers", "0"]
    words += ["--steps", "1", "--batch", "2", "--crop", "64x32", "--validate-every", "0"]
    assert main([*words, "--init", "street_fast"]) == 0
    said = capsys.readouterr().out
    assert "classes that --init lacks start at random: field" in said
    assert said.count("restoring batch norms over 50 training crops before the first step") == 1
    target = tmp_path / "mine.onnx"
    assert main(["export", str(tmp_path / "run" / "last.pt"), str(target)]) == 0
    assert "the licence is that of street_fast, from which the training" in capsys.readouterr().err
    with OrtEngine(target) as engine:
        spec = engine.spec
    assert "research" in spec.license
    assert spec.provenance == "panoptic train, step 1, from street_fast"
    words = ["export", str(tmp_path / "run" / "last.pt"), str(target), "--license", "ours"]
    assert main(words) == 0
    assert "the licence is that of" not in capsys.readouterr().err


def damage(folder: Path, how: str) -> str:
    """Damage a data set; gives what is said of it."""
    image, truth = folder / "images" / "0.png", folder / "panoptic" / "0.png"
    if how == "truth of another size":
        cv2.imwrite(str(truth), np.full((16, 64, 3), (0, 0, 7), np.uint8))
        return f"panoptic train: {truth}: is 64x16, its image is 64x32"
    if how == "image of another size":
        cv2.imwrite(str(image), np.zeros((32, 32, 3), np.uint8))
        return f"panoptic train: {image}: is 32x32, the JSON says 64x32"
    image.unlink()
    if how == "missing image":
        return f"panoptic train: {image}: is missing, though {folder / 'train.json'} names it"
    truth.unlink()
    named = folder / "train.json"
    return f"panoptic train: {image}: is missing, though {named} names it, as is 1 more file"


@pytest.mark.parametrize(
    "how",
    ["truth of another size", "image of another size", "missing image", "both missing"],
)
@pytest.mark.parametrize("workers", ["0", "1"])
def test_what_cannot_be_loaded_ends_a_training_with_a_line(
    how: str, workers: str, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    data = write_one_class(tmp_path / "data")
    told = damage(data, how)
    words = ["train", "--data", str(data), "--out", str(tmp_path / "run"), "--workers", workers]
    words += ["--steps", "3", "--batch", "2", "--crop", "64x32", "--validate-every", "0"]
    # As a process of its own, as one that loads may keep it from ending.
    ended = subprocess.run(
        [sys.executable, "-m", "panoptic_ros.cli.main", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 2
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("panoptic train: ")]
    assert line.startswith(told)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--val-size", "100x100"], "--val-size: both sides must be multiples of 32; the nearest"),
        (["--rate", "0"], "argument --rate: '0' is not a number above 0"),
    ],
    ids=["validation size", "rate"],
)
def test_what_would_fail_late_or_learn_nothing_is_refused_at_once(
    option: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    data = write_one_class(tmp_path / "data")
    command = ["train", "--data", str(data), "--out", str(tmp_path / "run"), *option]
    try:
        status: object = main(command)
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    assert words in capsys.readouterr().err


def test_classes_that_only_the_validation_has_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    data = write_one_class(tmp_path / "data")
    path = data / "val.json"
    path.write_text(path.read_text().replace('"field"', '"meadow"'))
    words = ["train", "--data", str(data), "--out", str(tmp_path / "run"), "--workers", "0"]
    words += ["--steps", "1", "--batch", "2", "--crop", "64x32"]
    assert main(words) == 2
    assert "val.json has the classes meadow, which train.json lacks" in capsys.readouterr().err
    assert main([*words, "--validate-every", "0"]) == 0


def test_a_finished_training_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    data = write_one_class(tmp_path / "data")
    words = ["train", "--data", str(data), "--out", str(tmp_path / "run"), "--workers", "0"]
    words += ["--steps", "1", "--batch", "2", "--crop", "64x32", "--validate-every", "0"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "Export it with: panoptic export" in said
    assert said.count(f"{tmp_path / 'run' / 'last.pt'},") == 1
    assert main(words) == 0
    assert "has finished its schedule; raise --steps" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("checkpoint", "told"),
    [
        ("last.pt", "run the same command again to resume from"),
        ("other.pt", "before the first checkpoint; the same command starts anew"),
    ],
)
def test_an_interrupted_training_says_what_the_same_command_does(
    checkpoint: str,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("torch")
    from panoptic_ros.model.training import train as training

    def interrupted(*_: object) -> None:
        (tmp_path / checkpoint).touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", interrupted)
    assert main(["train", "--data", str(tmp_path), "--out", str(tmp_path)]) == 130
    assert told in capsys.readouterr().out


def test_view_and_zoom_reach_the_crops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from panoptic_ros.model.training import train as training
    from panoptic_ros.model.training.augment import AugmentConfig
    from panoptic_ros.model.training.config import TrainConfig

    seen: list[TrainConfig] = []
    monkeypatch.setattr(training, "train", lambda config, *_: seen.append(config) or tmp_path)
    words = ["train", "--data", str(tmp_path), "--out", str(tmp_path / "run")]
    assert main([*words, "--view", "1024x512", "--zoom", "0.25"]) == 0
    assert main(words) == 0
    assert [config.augment.base for config in seen] == [(1024, 512), None]
    assert [config.augment.zoom_probability for config in seen] == [
        0.25,
        AugmentConfig().zoom_probability,
    ]


@pytest.mark.parametrize(
    ("words", "found"),
    [((), "no name"), (("m.onnx", "--out", "models"), "two names")],
    ids=["none", "both"],
)
def test_an_export_needs_one_name_for_the_model(
    words: tuple[str, ...], found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "best.pt", *words]) == 2
    assert f"found {found} for the model" in capsys.readouterr().err


def test_training_into_a_file_is_refused_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    (tmp_path / "file").write_text("in the way")
    assert main(["train", "--data", str(tmp_path), "--out", str(tmp_path / "file")]) == 2
    assert "file: cannot be made (File exists); name another" in capsys.readouterr().err


def test_two_trainings_do_not_share_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    data, out = write_one_class(tmp_path / "data"), tmp_path / "run"
    out.mkdir()
    with reserved(out):
        assert main(["train", "--data", str(data), "--out", str(out), "--steps", "1"]) == 2
    assert "another run is writing there" in capsys.readouterr().err
    assert list(out.iterdir()) == []
