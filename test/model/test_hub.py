# SPDX-License-Identifier: Apache-2.0
"""Exported hub networks: ONNX Runtime through our decoder says what transformers says."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytestmark = [
    pytest.mark.hub,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
for _module in ("torch", "transformers"):
    if importlib.util.find_spec(_module) is None:
        pytest.skip(f"{_module} is not installed: make train-env", allow_module_level=True)

import torch  # noqa: E402

from panoptic_ros.core.config import DecodeConfig  # noqa: E402
from panoptic_ros.core.decoding.decode import decode  # noqa: E402
from panoptic_ros.core.decoding.kinds import KINDS  # noqa: E402
from panoptic_ros.core.decoding.query import QueryHeads  # noqa: E402
from panoptic_ros.core.errors import ConfigError, ModelError  # noqa: E402
from panoptic_ros.core.model import ModelSpec  # noqa: E402
from panoptic_ros.core.synthetic.street import DrawnStreet  # noqa: E402
from panoptic_ros.core.types import VOID, Panoptic  # noqa: E402
from panoptic_ros.engine.building.check import check_model  # noqa: E402
from panoptic_ros.engine.building.parity import compare, graph_engine  # noqa: E402
from panoptic_ros.engine.building.prepare import load_model, prepare  # noqa: E402
from panoptic_ros.engine.ort import OrtEngine  # noqa: E402
from panoptic_ros.model import hub  # noqa: E402
from panoptic_ros.model.hub import Checkpoint, load  # noqa: E402
from panoptic_ros.model.hub_export import export_checkpoint, with_thresholds  # noqa: E402
from panoptic_ros.model.hub_labels import guess_labels, shipped_label_sets  # noqa: E402
from panoptic_ros.model.portable import portable_parts  # noqa: E402
from test.drawn.reference_maps import reference_map  # noqa: E402
from test.drawn.small_checkpoints import (  # noqa: E402
    FAMILIES,
    SIDE,
    small_network,
    task,
    write_checkpoint,
)

THRESHOLD, OVERLAP = 0.45, 0.1
DECODE = DecodeConfig(
    object_threshold=0.0, overlap_threshold=OVERLAP, min_thing_area=0.0, min_stuff_area=0.0
)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=FAMILIES)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Checkpoint:
    folder = tmp_path_factory.mktemp(request.param)
    return load(str(write_checkpoint(request.param, folder)))


@pytest.fixture(scope="module")
def model(checkpoint: Checkpoint, tmp_path_factory: Any) -> Path:
    return exported(checkpoint, tmp_path_factory.mktemp("onnx") / "model.onnx", scale(checkpoint))


def scale(checkpoint: Checkpoint) -> int:
    """OneFormer's reference resizes with torchvision, so it is compared at the masks' size."""
    return 1 if family_of(checkpoint) == "oneformer" else 2


def family_of(checkpoint: Checkpoint) -> str:
    return str(checkpoint.network.config.model_type)


@pytest.mark.parametrize("numbers", [(2.0, None, None), (None, -0.1, None), (None, None, 900)])
def test_a_rule_out_of_range_is_refused(
    numbers: tuple[float | None, float | None, int | None],
) -> None:
    with pytest.raises(ConfigError, match=r"within 0\.\.1, queries \d+ within 1\.\.255"):
        with_thresholds(hub.FAMILIES["eomt"].rule, *numbers)


def exported(checkpoint: Checkpoint, path: Path, label_scale: int, **changes: Any) -> Path:
    labels, _ = guess_labels(checkpoint.classes, shipped_label_sets())
    spec = ModelSpec("small", SIDE, SIDE, "query", labels, "MIT", "drawn")
    rule = with_thresholds(checkpoint.family.rule, THRESHOLD, None, None)
    export_checkpoint(
        checkpoint, replace(spec, **changes), path, label_scale=label_scale, rule=rule
    )
    return path


def images() -> list[NDArray[np.uint8]]:
    """Noise, a drawn street and ramps; on a single colour norms would divide rounding errors."""
    rng = np.random.default_rng(5)
    noise = [rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8) for _ in range(2)]
    streets = [frame.image for frame, _ in DrawnStreet(size=(SIDE, SIDE), fps=1.0, seconds=2.0)]
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.uint8)
    return [*noise, *map(np.ascontiguousarray, streets), np.dstack((x, y, x ^ y))]


def logits(checkpoint: Checkpoint, image: NDArray[np.uint8]) -> Any:
    """What the network itself says, without anything of ours."""
    mean, deviation = torch.tensor(checkpoint.mean), torch.tensor(checkpoint.deviation)
    normal = (torch.from_numpy(image) / 255.0 - mean) / deviation
    with torch.no_grad():
        return checkpoint.network(normal.permute(2, 0, 1)[None], **task(checkpoint.network))


def same_pixels(ours: Panoptic, labels: NDArray[np.int64], ids: NDArray[np.int64]) -> float:
    """Share of pixels with the same class and, up to renumbering, the same object."""
    code = ours.ids.astype(np.int64) * 1000 + np.unique(ids).size
    agree = ours.labels == labels
    for number in np.unique(ids[ids > 0]):
        theirs = ids == number
        values, counts = np.unique(code[theirs], return_counts=True)
        mine = code == values[counts.argmax()]
        agree &= mine == theirs
    agree &= (ours.ids > 0) == (ids > 0)
    return float(agree.mean())


def test_onnx_and_our_decoder_say_what_transformers_says(
    checkpoint: Checkpoint, model: Path
) -> None:
    shares, classes, objects = [], set(), 0
    with OrtEngine(model, threads=1) as engine:
        for image in images():
            heads = engine.infer(image)
            ours = decode(heads, engine.spec.labels, DECODE)
            side = SIDE * scale(checkpoint) // 4
            assert ours.labels.shape == (side, side)
            labels, ids = reference_map(
                family_of(checkpoint),
                logits(checkpoint, image),
                side,
                ~engine.spec.labels.things,
                (THRESHOLD, OVERLAP),
            )
            shares.append(same_pixels(ours, labels, ids))
            classes |= set(np.unique(labels).tolist())
            objects += len(ours.segments)
    assert min(shares) >= 0.999
    # Images of one class, or without objects, would say little.
    assert len(classes - {VOID}) >= 2
    assert objects >= 1


def test_nothing_that_tensorrt_refuses_or_computes_wrongly_is_left(model: Path) -> None:
    graph = load_model(model)
    assert graph.opset_import[0].version >= 17
    assert {node.op_type for node in graph.graph.node}.isdisjoint(
        {"GridSample", "Einsum", "If", "Loop", "NonZero", "Shape"}
    )
    prepare(graph)
    assert check_model(graph) == []


def test_a_batch_is_refused_rather_than_mixed_up(model: Path) -> None:
    from panoptic_ros.engine.building.compile import prepared
    from panoptic_ros.engine.building.recipe import Recipe

    with pytest.raises(ModelError, match="cannot take 2 images at once"):
        prepared(Recipe(model, batch=2))


@pytest.mark.rtx
def test_tensorrt_builds_a_plan(model: Path, tmp_path: Path) -> None:
    from panoptic_ros.engine.building.compile import build_environment, make_plan
    from panoptic_ros.engine.building.recipe import Recipe

    for precision in ("fp32", "fp16"):
        recipe = Recipe(model, variant="tensorrt_rtx", precision=precision)
        made = make_plan(recipe, tmp_path / f"{precision}.plan", build_environment(recipe))
        assert {tensor.name for tensor in made.tensors} == {"image", *KINDS["query"].outputs}


def test_half_precision_says_nearly_the_same(model: Path) -> None:
    from panoptic_ros.engine.building.compile import prepared
    from panoptic_ros.engine.building.recipe import Recipe

    content = prepared(Recipe(model, precision="fp16")).content
    with OrtEngine(model, threads=1) as engine:
        halved = graph_engine(content, engine.spec, model.name)
        figures = compare(engine.infer, halved, engine.spec, images())
    # Random weights are all edges: a trained network differs less.
    assert figures["label_agreement"] > 0.9


def test_the_largest_maps_have_the_images_size(tmp_path: Path) -> None:
    checkpoint = load(str(write_checkpoint("mask2former", tmp_path)))
    with OrtEngine(exported(checkpoint, tmp_path / "large.onnx", 4), threads=1) as engine:
        heads = engine.infer(images()[0])
    assert isinstance(heads, QueryHeads)
    assert heads.queries.shape == (SIDE, SIDE)


def test_with_fewer_queries_the_surest_take_part(tmp_path: Path) -> None:
    checkpoint = load(str(write_checkpoint("eomt", tmp_path)))
    labels, _ = guess_labels(checkpoint.classes, shipped_label_sets())
    spec = ModelSpec("small", SIDE, SIDE, "query", labels)
    every = with_thresholds(checkpoint.family.rule, 0.2, None, 12)
    few = replace(every, most=3)
    found = []
    for rule, name in ((every, "all.onnx"), (few, "few.onnx")):
        export_checkpoint(checkpoint, spec, tmp_path / name, rule=rule)
        with OrtEngine(tmp_path / name, threads=1) as engine:
            heads = engine.infer(images()[0])
            assert isinstance(heads, QueryHeads)
            found.append(np.sort(heads.query_scores[heads.query_labels != VOID])[::-1])
    assert len(found[0]) > 3
    np.testing.assert_allclose(found[1], found[0][:3], atol=1e-5)


def test_a_file_says_where_its_weights_come_from(model: Path) -> None:
    with OrtEngine(model) as engine:
        spec = engine.spec
    assert (spec.decoder, spec.license, spec.width) == ("query", "MIT", SIDE)
    assert spec.labels.drivable[spec.labels.index("road")]


def test_eomt_takes_an_image_that_does_not_fill_its_square(tmp_path: Path) -> None:
    checkpoint = load(str(write_checkpoint("eomt", tmp_path)))
    path = exported(checkpoint, tmp_path / "wide.onnx", 4, height=64)
    with OrtEngine(path) as engine:
        heads = engine.infer(images()[0][:64].copy())
    assert isinstance(heads, QueryHeads)
    assert heads.queries.shape == (64, SIDE)


@pytest.mark.parametrize(
    ("family", "changes", "words"),
    [
        ("eomt", {"width": 256}, "knows positions up to 128x128"),
        ("eomt", {"width": 120}, "multiples of 16 for .*; the nearest is 128x"),
        ("mask2former", {"height": 48}, "multiples of 32"),
    ],
    ids=["beyond its positions", "no multiple", "no multiple of Swin's"],
)
def test_a_size_it_cannot_take_is_refused(
    family: str, changes: dict[str, int], words: str, tmp_path: Path
) -> None:
    checkpoint = load(str(write_checkpoint(family, tmp_path)))
    with pytest.raises(ConfigError, match=words):
        exported(checkpoint, tmp_path / "model.onnx", 2, **changes)
    assert not list(tmp_path.glob("*.onnx*"))


def test_another_family_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "segformer"}')
    with pytest.raises(ConfigError, match=r"family 'segformer'; .* eomt, mask2former, oneformer"):
        load(str(tmp_path))


def test_a_folder_without_its_image_processor_says_how_to_save_it(tmp_path: Path) -> None:
    folder = write_checkpoint("eomt", tmp_path / "eomt")
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ConfigError, match=r"has no preprocessor_config\.json, .*save_pretrained"):
        load(str(folder))


@pytest.mark.parametrize("name", ["./nothing", "/nowhere/nothing", "a/b/nothing", "nothing/"])
def test_a_folder_that_is_missing_is_not_sought_on_the_hub(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: no such folder; .*save_pretrained"):
        load(name)


def test_without_a_network_the_message_says_what_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match=r"no/such-model: cannot be read .*save_pretrained"):
        load("no/such-model")


def test_a_network_is_as_it_was_after_the_export(checkpoint: Checkpoint, model: Path) -> None:
    assert model.is_file()
    assert torch.einsum.__module__ != "panoptic_ros.model.portable"
    again = small_network(family_of(checkpoint))
    image = torch.ones(1, 3, SIDE, SIDE)
    with torch.no_grad():
        assert again(image, **task(again)).masks_queries_logits.isfinite().all()


def test_a_transformers_that_is_built_otherwise_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from transformers.models.oneformer import modeling_oneformer

    monkeypatch.delattr(modeling_oneformer, "multi_scale_deformable_attention")
    words = r"has no .*multi_scale_deformable_attention.*5\.20"
    with pytest.raises(ConfigError, match=words), portable_parts():
        pytest.fail("the parts were exchanged")
