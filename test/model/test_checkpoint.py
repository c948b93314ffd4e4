# SPDX-License-Identifier: Apache-2.0
"""An exported model says what its data said of its classes, or a file that has them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make train-env")

from panoptic_ros.cli.main import main  # noqa: E402
from panoptic_ros.core.classes.label_documents import shipped_label_set, to_json  # noqa: E402
from panoptic_ros.core.classes.labels import LabelSet  # noqa: E402
from panoptic_ros.core.classes.own_classes import own_label_set  # noqa: E402
from panoptic_ros.core.errors import ModelError  # noqa: E402
from panoptic_ros.engine.ort import OrtEngine  # noqa: E402
from panoptic_ros.model.checkpoint import labels_of, mean_of, spec_of  # noqa: E402
from panoptic_ros.model.network import PanopticNetwork  # noqa: E402

pytestmark = pytest.mark.torch

FARM = own_label_set("farm", [("field", False, (10, 20, 30)), ("cow", True, (40, 50, 60))])
CLASSES = [(label.name, label.is_thing) for label in FARM.labels]
FILE = """
name: barnyard
labels:
  - {index: 0, name: cow, is_thing: true, color: [1, 1, 1], is_vulnerable: true}
  - {index: 1, name: field, is_thing: false, color: [2, 2, 2], is_drivable: true}
"""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("train") / "best.pt"
    weights = PanopticNetwork(len(CLASSES)).state_dict()
    state = {"classes": CLASSES, "labels": to_json(FARM), "weights": weights, "step": 3}
    torch.save(state, path)
    return path


def exported(checkpoint: Path, target: Path, *words: str) -> LabelSet:
    assert main(["export", str(checkpoint), str(target), "--size", "64x32", *words]) == 0
    with OrtEngine(target, threads=1) as engine:
        return engine.spec.labels


def test_a_model_has_the_name_and_colours_of_its_data_and_nothing_drivable_is_said(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exported(checkpoint, tmp_path / "farm.onnx") == FARM
    assert "warning: none of the classes (field, cow) is drivable" in capsys.readouterr().err


def test_a_file_says_what_is_drivable_in_the_order_of_the_model(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "farm.yaml").write_text(FILE)
    words = ("--labels", str(tmp_path / "farm.yaml"))
    field, cow = exported(checkpoint, tmp_path / "farm.onnx", *words).labels
    assert (field.name, field.is_drivable, field.color) == ("field", True, (2, 2, 2))
    assert (cow.name, cow.is_vulnerable) == ("cow", True)
    assert "warning" not in capsys.readouterr().err


def test_a_file_that_lacks_classes_is_refused_with_their_names(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "farm.onnx"
    assert main(["export", str(checkpoint), str(target), "--labels", "cityscapes"]) == 2
    assert "lacks 2 of the model's 2 classes: field, cow" in capsys.readouterr().err
    assert not target.exists()


STREET = [(label.name, label.is_thing) for label in shipped_label_set("cityscapes").labels]


@pytest.mark.parametrize(
    ("classes", "name"),
    [(STREET, "cityscapes"), (STREET[:5], "own"), (CLASSES, "own")],
    ids=["all of Cityscapes", "some of Cityscapes", "others"],
)
def test_an_older_checkpoint_is_described_by_its_class_names(
    classes: list[tuple[str, bool]], name: str
) -> None:
    state: dict[str, Any] = {"classes": classes}
    labels = labels_of(state)
    assert labels.name == name
    assert [(label.name, label.is_thing) for label in labels.labels] == classes
    assert spec_of(classes, (64, 32)).labels == labels


def test_a_damaged_label_set_is_named() -> None:
    with pytest.raises(ModelError, match="the checkpoint's label set is damaged"):
        labels_of({"classes": CLASSES, "labels": "{}"})


def state_of(value: float, classes: list[tuple[str, bool]] = CLASSES) -> dict[str, Any]:
    weights = {"a": torch.full((2, 3), value), "counted": torch.tensor(int(value))}
    return {"classes": classes, "weights": weights, "step": int(value)}


def with_weight(value: torch.Tensor | None) -> dict[str, Any]:
    """A state whose one matrix is another, or none."""
    state = state_of(1.0)
    del state["weights"]["a"]
    return state if value is None else {**state, "weights": {**state["weights"], "a": value}}


PATHS = [Path("a.pt"), Path("b.pt"), Path("c.pt")]


def test_a_mean_of_checkpoints_has_the_mean_of_every_weight_and_else_the_first_ones_words() -> (
    None
):
    mean = mean_of([state_of(1.0), state_of(2.0), state_of(6.0)], PATHS)
    assert (mean["weights"]["a"] == 3.0).all()
    assert mean["weights"]["a"].dtype == torch.float32
    assert mean["weights"]["counted"] == 3
    assert mean["step"] == 1
    assert (mean_of([state_of(5.0)], PATHS[:1])["weights"]["a"] == 5.0).all()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            state_of(1.0, [*CLASSES, ("fog", False)]),
            "it has the classes fog, which the other lacks",
        ),
        (state_of(1.0, CLASSES[1:]), f"it lacks the classes {CLASSES[0][0]} of the other"),
        (state_of(1.0, [*reversed(CLASSES)]), "its classes have another order"),
        (with_weight(torch.zeros(3, 3)), "a is (3, 3), needed is (2, 3)"),
        (with_weight(None), "a is missing, needed is (2, 3)"),
    ],
    ids=["more classes", "fewer classes", "another order", "another shape", "no such weight"],
)
def test_what_cannot_be_averaged_is_named_with_the_difference(
    other: dict[str, Any], words: str
) -> None:
    with pytest.raises(ModelError) as told:
        mean_of([state_of(1.0), state_of(2.0), other], PATHS)
    assert str(told.value).startswith("c.pt: cannot be averaged with a.pt: ")
    assert words in str(told.value)


def test_an_export_averages_the_checkpoints_that_it_is_told_of(
    checkpoint: Path, tmp_path: Path
) -> None:
    state = torch.load(checkpoint, weights_only=True)
    for name, factor in (("zero.pt", 0), ("double.pt", 2)):
        weights = {k: v * factor for k, v in state["weights"].items()}
        torch.save({**state, "weights": weights}, tmp_path / name)
    said = ("--name", "x", "--provenance", "x")
    others = ("--mean-with", str(tmp_path / "double.pt"), "--mean-with", str(checkpoint))
    exported(tmp_path / "zero.pt", tmp_path / "mean.onnx", *others, *said)
    exported(checkpoint, tmp_path / "whole.onnx", *said)
    assert (tmp_path / "mean.onnx").read_bytes() == (tmp_path / "whole.onnx").read_bytes()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (
            ("street_fast", "m.onnx", "--camera-size", "640x360", "--mean-with", "a.pt"),
            "street_fast",
        ),
        (("street_fast", "m.onnx", "--camera-size", "640x360", "--balance", "set"), "street_fast"),
        (("--hf", "some/model", "m.onnx", "--ground-cost", "2"), "some/model"),
        (
            ("street_fast", "m.onnx", "--camera-size", "640x360", "--size", "64x32"),
            "street_fast",
        ),
        (
            ("street_fast", "m.onnx", "--camera-size", "640x360", "--labels", "coco"),
            "street_fast",
        ),
    ],
    ids=["mean", "balance", "ground cost", "size of a model", "labels of a model"],
)
def test_options_of_trainings_are_refused_elsewhere(
    words: tuple[str, ...],
    found: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", *words]) == 2
    said = capsys.readouterr().err
    assert f"only for checkpoints of panoptic train (found {found})" in said
    assert not (tmp_path / "m.onnx").exists()
