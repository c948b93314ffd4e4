# SPDX-License-Identifier: Apache-2.0
"""An exported model says what its data said of its classes, or a file that has them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make train-env")

from panoptic_ros.cli.main import main  # noqa: E402
from panoptic_ros.core.classes.labels import LabelSet, shipped_label_set, to_json  # noqa: E402
from panoptic_ros.core.classes.own_classes import own_label_set  # noqa: E402
from panoptic_ros.core.errors import ModelError  # noqa: E402
from panoptic_ros.engine.ort import OrtEngine  # noqa: E402
from panoptic_ros.model.checkpoint import labels_of, spec_of  # noqa: E402
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
