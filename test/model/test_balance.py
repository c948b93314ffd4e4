# SPDX-License-Identifier: Apache-2.0
"""Class scores balanced on labelled images: what is scored too high comes down, all else stays."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make train-env")

from panoptic_ros.cli.main import main  # noqa: E402
from panoptic_ros.core.classes.label_documents import find_label_set  # noqa: E402
from panoptic_ros.core.classes.labels import LabelSet  # noqa: E402
from panoptic_ros.core.errors import ConfigError, DataError  # noqa: E402
from panoptic_ros.model import balance  # noqa: E402
from panoptic_ros.model.balance import (  # noqa: E402
    Balance,
    balance_classes,
    best_constants,
    weigh_ground,
)
from panoptic_ros.model.network import PanopticNetwork  # noqa: E402
from panoptic_ros.model.training.crops import open_split  # noqa: E402
from test.drawn.drawn_training import write_training_set  # noqa: E402

pytestmark = pytest.mark.torch

SIZE = (64, 32)


def pixels(favoured: int, by: float) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Scores of four classes, of which the last does not occur and one is scored too high."""
    rng = np.random.default_rng(3)
    labels = rng.choice(3, 6000, p=(0.6, 0.3, 0.1)).astype(np.uint8)
    scores = rng.normal(0.0, 0.6, (len(labels), 4)).astype(np.float32)
    scores[np.arange(len(labels)), labels] += 2.0
    scores[:, favoured] += by
    return scores, labels


@pytest.fixture
def network() -> PanopticNetwork:
    torch.manual_seed(2)
    return PanopticNetwork(3).eval()


@pytest.mark.parametrize("favoured", [0, 1, 2])
def test_a_class_that_is_scored_too_high_comes_down_relative_to_the_others(favoured: int) -> None:
    constants, before, after = best_constants(*pixels(favoured, 1.5), range(4))
    others = [index for index in range(3) if index != favoured]
    assert after > before + 0.05
    assert constants[favoured] < min(constants[others]) - 1.0


def test_over_all_pixels_the_constants_cancel_and_absent_classes_get_none() -> None:
    scores, labels = pixels(favoured=0, by=1.5)
    constants, _, _ = best_constants(scores, labels, range(4))
    assert constants[labels].mean() == pytest.approx(0.0, abs=1e-5)
    assert constants[3] == 0.0


def test_what_it_reached_is_what_the_constants_give() -> None:
    scores, labels = pixels(favoured=2, by=1.5)
    constants, _, after = best_constants(scores, labels, range(4))
    _, again, _ = best_constants(scores + constants, labels, range(4))
    assert again == pytest.approx(after)


def test_classes_that_are_not_named_keep_their_scores() -> None:
    constants, before, after = best_constants(*pixels(favoured=2, by=1.5), [0, 2])
    assert constants[1] == 0.0
    assert constants[2] < constants[0]
    assert after > before


def test_fair_scores_stay_nearly_as_they_are() -> None:
    constants, before, after = best_constants(*pixels(favoured=0, by=0.0), range(4))
    assert before <= after < before + 0.03
    assert np.ptp(constants[:3]) <= 1.0


def test_the_network_answers_with_the_constants_added_and_nothing_else_changed(
    network: PanopticNetwork, tmp_path: Path
) -> None:
    folder = write_training_set(tmp_path / "data")
    document = json.loads((folder / "train.json").read_text())
    document["categories"][2]["isthing"] = 0  # the car's, beside the road
    (folder / "train.json").write_text(json.dumps(document))
    data = open_split(folder, "train")
    image = torch.zeros((1, 3, SIZE[1], SIZE[0]))
    with torch.no_grad():
        before = network(image)
        balance = balance_classes(network, data, SIZE)
        after = network(image)
    added = torch.from_numpy(balance.constants).view(1, 3, 1, 1)
    torch.testing.assert_close(after.semantic, before.semantic + added)
    torch.testing.assert_close(after.center, before.center)
    torch.testing.assert_close(after.offset, before.offset)
    assert balance.images == 4
    assert balance.after >= balance.before
    road, person, car = balance.constants
    assert person == 0.0
    assert road * car < 0.0  # they cancel over the pixels of stuff


def test_the_same_seed_finds_the_same(network: PanopticNetwork, tmp_path: Path) -> None:
    data = open_split(write_training_set(tmp_path / "data"), "train")
    state = {name: value.clone() for name, value in network.state_dict().items()}
    first = balance_classes(network, data, SIZE, images=2, seed=5)
    network.load_state_dict(state)
    second = balance_classes(network, data, SIZE, images=2, seed=5)
    np.testing.assert_array_equal(first.constants, second.constants)
    assert first.images == second.images == 2


def test_pseudo_labels_are_left_out(network: PanopticNetwork, tmp_path: Path) -> None:
    folder = write_training_set(tmp_path / "data")
    document = json.loads((folder / "train.json").read_text())
    for image in document["images"]:
        image["labels"] = "pseudo"
    (folder / "train.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match="0 images of the data set hold no labelled pixel"):
        balance_classes(network, open_split(folder, "train"), SIZE)


def test_export_says_what_balancing_changed_and_refuses_a_set_of_other_classes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_training_set(tmp_path / "data")
    for words, status in ((("road", "person", "car"), 0), (("road", "sky", "car"), 2)):
        classes = list(zip(words, (False, True, True), strict=True))
        state = {"classes": classes, "weights": PanopticNetwork(3).state_dict(), "step": 1}
        torch.save(state, tmp_path / "best.pt")
        call = ["export", str(tmp_path / "best.pt"), str(tmp_path / "small.onnx")]
        assert main([*call, "--size", "64x32", "--balance", str(folder)]) == status
    told = capsys.readouterr()
    assert "balanced on 4 training images: mean IoU" in told.out
    assert "its classes are road, person, car; the checkpoint has road, sky, car" in told.err


def test_export_says_that_nothing_had_to_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_training_set(tmp_path / "data")
    classes = [("road", False), ("person", True), ("car", True)]
    state = {"classes": classes, "weights": PanopticNetwork(3).state_dict(), "step": 1}
    torch.save(state, tmp_path / "best.pt")
    same = Balance(np.zeros(3, np.float32), 0.5, 0.5, 4)
    monkeypatch.setattr(balance, "balance_classes", lambda *_: same)
    call = ["export", str(tmp_path / "best.pt"), str(tmp_path / "small.onnx")]
    assert main([*call, "--size", "64x32", "--balance", str(folder)]) == 0
    assert "50.0 -> 50.0 %\n  no class changed: the scores are" in capsys.readouterr().out


def shown(network: PanopticNetwork) -> NDArray[np.float32]:
    with torch.no_grad():
        return np.asarray(network(torch.ones(1, 3, 64, 64)).semantic[0, :, 0, 0].numpy())


def test_ground_that_costs_more_is_scored_higher_by_the_logarithm() -> None:
    torch.manual_seed(2)
    labels = find_label_set("cityscapes")
    network = PanopticNetwork(len(labels)).eval()
    before = shown(network)
    assert weigh_ground(network, labels, 2.0) == ["sidewalk", "terrain"]
    rise = dict(zip((label.name for label in labels.labels), shown(network) - before, strict=True))
    assert rise.pop("sidewalk") == rise.pop("terrain") == pytest.approx(math.log(2.0), abs=1e-5)
    assert set(rise.values()) == {0.0}


def test_drivable_terrain_is_no_ground_to_keep_off() -> None:
    labels = find_label_set("cityscapes")
    driven = [
        replace(one, is_drivable=True) if one.name == "terrain" else one for one in labels.labels
    ]
    network = PanopticNetwork(len(labels)).eval()
    assert weigh_ground(network, LabelSet("mine", tuple(driven)), 3.0) == ["sidewalk"]


@pytest.mark.parametrize("cost", [0.0, -1.0, math.nan, math.inf])
def test_a_cost_that_is_none_is_refused(network: PanopticNetwork, cost: float) -> None:
    with pytest.raises(ConfigError, match="--ground-cost"):
        weigh_ground(network, find_label_set("cityscapes"), cost)


def test_classes_without_pavement_or_terrain_have_nothing_to_weigh(
    network: PanopticNetwork,
) -> None:
    kept = [one for one in find_label_set("cityscapes").labels if one.name == "car"]
    labels = LabelSet("cars", tuple(replace(one, index=0) for one in kept))
    with pytest.raises(ConfigError, match="neither pavement nor terrain"):
        weigh_ground(network, labels, 2.0)
