# SPDX-License-Identifier: Apache-2.0
"""Weights that are there already: what a training starts from answers as before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make train-env")
pytest.importorskip("onnx", reason="onnx is not installed: make train-env")

from torch import Tensor, nn  # noqa: E402

from panoptic_ros.core.errors import ModelError  # noqa: E402
from panoptic_ros.model.checkpoint import network_of, spec_of  # noqa: E402
from panoptic_ros.model.export import export  # noqa: E402
from panoptic_ros.model.network import PanopticNetwork  # noqa: E402
from panoptic_ros.model.training.initialise import initialise  # noqa: E402

pytestmark = pytest.mark.torch

CLASSES = [("road", False), ("car", True), ("sky", False)]
NAMES = [name for name, _ in CLASSES]
SIZE = (64, 32)


def network(seed: int, classes: int = len(CLASSES)) -> PanopticNetwork:
    """A network whose batch norms have seen something, as after a training."""
    torch.manual_seed(seed)
    made = PanopticNetwork(classes)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0.0, 0.2)
            module.running_mean.normal_(0.0, 0.2)
            module.running_var.uniform_(0.5, 2.0)
    return made.eval()


def batches(seed: int = 7, count: int = 4) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        yield torch.randn((2, 3, SIZE[1], SIZE[0]), generator=generator)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "small.onnx"
    export(network(1), spec_of(CLASSES, SIZE), path)
    return path


def answers(of: PanopticNetwork) -> list[Tensor]:
    with torch.no_grad():
        return list(of.eval()(next(batches(seed=3))))


def test_a_network_filled_from_an_export_answers_as_the_exported_one(exported: Path) -> None:
    filled = network(2)
    initialise(filled, exported, NAMES, batches)
    for theirs, ours in zip(answers(network(1)), answers(filled), strict=True):
        # The file holds float16 weights.
        torch.testing.assert_close(ours, theirs, rtol=2e-2, atol=2e-2 * float(theirs.abs().max()))


def test_the_norms_get_the_statistics_of_what_they_will_see(exported: Path) -> None:
    filled = network(2)
    initialise(filled, exported, NAMES, batches)
    stem = filled.backbone.stem
    with torch.no_grad():
        outputs = torch.cat([stem[0](batch) for batch in batches()])
    torch.testing.assert_close(stem[1].running_mean, outputs.mean((0, 2, 3)), rtol=1e-3, atol=1e-4)
    variance = outputs.var((0, 2, 3), unbiased=False)
    torch.testing.assert_close(stem[1].running_var, variance, rtol=1e-3, atol=1e-4)


def test_in_training_mode_it_starts_near_to_what_it_answers_in_evaluation(exported: Path) -> None:
    filled = network(2)
    initialise(filled, exported, NAMES, batches)
    batch = torch.cat(list(batches()))
    with torch.no_grad():
        expected = filled.eval().backbone.stem(batch)
        seen = filled.train().backbone.stem(batch)
    torch.testing.assert_close(seen, expected, rtol=1e-2, atol=1e-2)


def test_a_checkpoint_without_the_newest_layers_starts_with_them_neutral(tmp_path: Path) -> None:
    donor, filled = network(1), PanopticNetwork(len(CLASSES))
    nn.init.zeros_(donor.pyramid.back[1].weight)
    nn.init.zeros_(donor.pyramid.back[1].bias)
    weights = {k: v for k, v in donor.state_dict().items() if not k.startswith("pyramid.")}
    path = tmp_path / "older.pt"
    torch.save({"classes": CLASSES, "weights": weights}, path)
    initialise(filled, path, NAMES, batches)
    for theirs, ours in zip(answers(donor), answers(filled), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_checkpoint_that_lacks_a_layer_is_refused() -> None:
    weights = {k: v for k, v in network(1).state_dict().items() if not k.startswith("offset.")}
    with pytest.raises(ModelError, match=r"(?s)does not fit this version.s network: .*offset"):
        network_of({"classes": CLASSES, "weights": weights})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"no model", r"small\.onnx: cannot be read as ONNX", id="no ONNX"),
        pytest.param(None, r"absent\.onnx: cannot be read as ONNX", id="no file"),
    ],
)
def test_what_is_no_model_is_refused(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / ("absent.onnx" if content is None else "small.onnx")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=words):
        initialise(network(2), path, NAMES, batches)


def test_classes_are_taken_over_by_name_whatever_their_order(exported: Path) -> None:
    filled, same = network(2), network(2)
    fresh = initialise(filled, exported, ["sky", "car", "road"], batches)
    initialise(same, exported, NAMES, batches)
    assert fresh == []
    torch.testing.assert_close(answers(filled)[0], answers(same)[0].flip(1))


@pytest.mark.parametrize("names", [["lane", "sky"], ["a", "b", "sky", "c", "d"]])
def test_a_class_that_the_file_lacks_starts_as_the_network_does(
    exported: Path, names: list[str]
) -> None:
    filled, same = network(2, classes=len(names)), network(2)
    start = filled.semantic[1].weight.detach().clone()
    fresh = initialise(filled, exported, names, batches)
    initialise(same, exported, NAMES, batches)
    known = names.index("sky")
    assert fresh == [name for name in names if name != "sky"]
    torch.testing.assert_close(filled.semantic[1].weight[known], same.semantic[1].weight[2])
    torch.testing.assert_close(filled.semantic[1].weight[0], start[0])
    torch.testing.assert_close(answers(filled)[1], answers(same)[1])


def test_a_checkpoint_of_other_classes_gives_what_both_have(tmp_path: Path) -> None:
    donor, filled = network(1), network(2, classes=2)
    path = tmp_path / "other.pt"
    torch.save({"classes": CLASSES, "weights": donor.state_dict()}, path)
    assert initialise(filled, path, ["lane", "sky"], batches) == ["lane"]
    torch.testing.assert_close(answers(filled)[0][:, 1], answers(donor)[0][:, 2])


def test_a_checkpoint_of_another_network_is_refused_with_what_differs(tmp_path: Path) -> None:
    weights = network(1).state_dict() | {"offset.1.bias": torch.zeros(7)}
    torch.save({"classes": CLASSES, "weights": weights}, tmp_path / "other.pt")
    with pytest.raises(ModelError, match=r"offset\.1\.bias is \(7,\), needed is \(2,\); --init"):
        initialise(network(2), tmp_path / "other.pt", NAMES, batches)


def test_somebody_elses_model_is_refused(tmp_path: Path) -> None:
    from test.drawn.tiny_model import write_tiny_model

    with pytest.raises(ModelError, match="holds no weights of a network that panoptic train"):
        initialise(network(2), write_tiny_model(tmp_path / "tiny.onnx"), NAMES, batches)
