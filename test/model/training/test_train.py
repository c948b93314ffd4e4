# SPDX-License-Identifier: Apache-2.0
"""Training on a drawn folder: it learns, it stops, it goes on, it refuses what cannot work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make train-env")

from panoptic_ros.core.errors import ConfigError, DataError, ModelError  # noqa: E402
from panoptic_ros.data.coco.reader import CocoPanoptic  # noqa: E402
from panoptic_ros.model.checkpoint import (  # noqa: E402
    labels_of,
    load_checkpoint,
    mean_of,
    network_of,
    origin_of,
    spec_of,
)
from panoptic_ros.model.export import export  # noqa: E402
from panoptic_ros.model.network import PanopticNetwork  # noqa: E402
from panoptic_ros.model.training import crops as crops_module  # noqa: E402
from panoptic_ros.model.training import train as training  # noqa: E402
from panoptic_ros.model.training.augment import AugmentConfig  # noqa: E402
from panoptic_ros.model.training.config import TrainConfig  # noqa: E402
from panoptic_ros.model.training.crops import Crops, donor_shares, image_shares, open_split  # noqa: E402
from panoptic_ros.model.training.history import Progress, read_history  # noqa: E402
from panoptic_ros.model.training.schedule import Phase  # noqa: E402
from panoptic_ros.model.training.train import train  # noqa: E402
from test.drawn.drawn_training import write_training_set  # noqa: E402
from test.drawn.small_disk import files_up_to  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny tensors: two threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_training_set(tmp_path / "data")


@pytest.fixture
def config(folder: Path, monkeypatch: pytest.MonkeyPatch) -> TrainConfig:
    monkeypatch.setattr(training, "load_imagenet_weights", lambda backbone: None)
    return TrainConfig(
        data=folder,
        out=folder.parent / "run",
        steps=3,
        batch=2,
        save_every=1,
        validate_every=2,
        workers=0,
        augment=AugmentConfig(crop=(64, 32)),
    )


def test_a_run_records_every_step_and_keeps_the_best_by_pq(config: TrainConfig) -> None:
    seen: list[Progress] = []
    scores = iter([{"pq": 2.0}, {"pq": 1.0}])  # after step 2, and at the end

    def validate(network: PanopticNetwork, data: CocoPanoptic) -> dict[str, float]:
        assert not network.training
        return next(scores)

    best = train(config, seen.append, validate)
    assert [progress.step for progress in seen] == [1, 2, 3]
    assert all(np.isfinite(list(progress.losses.values())).all() for progress in seen)
    assert best == config.out / "best.pt"
    assert load_checkpoint(best)["step"] == 2
    lines = (config.out / "history.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3]


@pytest.mark.parametrize("view", [(128, 64), None], ids=["a view", "that of the crops"])
def test_smaller_crops_of_a_phase_keep_the_scale_of_the_view(
    config: TrainConfig, view: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[AugmentConfig] = []

    def recording(*args: Any, **options: Any) -> Crops:
        cut.append(args[1])
        return Crops(*args, **options)

    monkeypatch.setattr(training, "Crops", recording)
    phases = (Phase(0.5, 0.5, 1, False), Phase(1.0, 1.0, 1, True))
    augment = replace(config.augment, crop=(128, 64), base=view)
    train(replace(config, phases=phases, augment=augment, steps=2))
    assert [one.crop for one in cut] == [(64, 32), (128, 64)]
    assert [one.base for one in cut] == [(128, 64)] * 2


def test_a_crop_larger_than_the_view_is_refused(config: TrainConfig) -> None:
    for view in ((32, 32), (64, 16)):
        augment = replace(config.augment, base=view)
        with pytest.raises(ConfigError, match="give a larger --view"):
            train(replace(config, augment=augment))


def test_a_zoom_that_is_no_share_is_refused(config: TrainConfig) -> None:
    for zoom in (-0.1, 1.5, float("nan")):
        with pytest.raises(ConfigError, match="is a share, from 0 to 1"):
            train(replace(config, augment=replace(config.augment, zoom_probability=zoom)))


def test_a_checkpoint_describes_the_classes_of_its_data(config: TrainConfig) -> None:
    labels = labels_of(load_checkpoint(train(config)))
    assert (labels.name, len(labels)) == ("data", 3)
    assert [label.is_drivable for label in labels.labels] == [True, False, False]


def test_the_last_step_is_validated_whenever_it_comes(config: TrainConfig) -> None:
    asked: list[int] = []

    def validate(network: PanopticNetwork, data: CocoPanoptic) -> dict[str, float]:
        asked.append(1)
        return {"pq": 1.0}

    best = train(replace(config, steps=3, validate_every=1000), validate=validate)
    assert (len(asked), best.name) == (1, "best.pt")
    by_clock = replace(config, steps=1000, minutes=1e-4, validate_every=1000)
    best = train(replace(by_clock, out=config.out / "clock"), validate=validate)
    assert (len(asked), best.name) == (2, "best.pt")


def test_a_run_that_is_stopped_by_hand_keeps_what_it_has_learned(config: TrainConfig) -> None:
    def stop(progress: Progress) -> None:
        if progress.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(replace(config, save_every=1000, steps=9), stop)
    assert load_checkpoint(config.out / "last.pt")["step"] == 2


STOPPED = """
import signal, sys, time
from pathlib import Path
import torch
from panoptic_ros.model.training import train as training
from panoptic_ros.model.training.augment import AugmentConfig
from panoptic_ros.model.training.config import TrainConfig

def stop(number, frame):
    # The processes that load may be faster to end than this one.
    time.sleep(1.0)
    raise KeyboardInterrupt

for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, stop)
torch.set_num_threads(1)
training.load_imagenet_weights = lambda backbone: None
data, out = map(Path, sys.argv[1:])
config = TrainConfig(
    data=data, out=out, steps=1000, batch=2, save_every=0, validate_every=0, workers=1,
    augment=AugmentConfig(crop=(64, 32)),
)
try:
    training.train(config, lambda progress: print(progress.step, flush=True))
except KeyboardInterrupt:
    pass
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_of_processes_keeps_the_steps(
    folder: Path, number: signal.Signals
) -> None:
    out = folder.parent / "run"
    ran = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(folder), str(out)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert ran.stdout is not None
    assert ran.stdout.readline() == "1\n"
    os.killpg(ran.pid, number)
    _, said = ran.communicate(timeout=120)
    assert (said, ran.returncode) == ("", 0)
    assert load_checkpoint(out / "last.pt")["step"] >= 1


def test_a_run_that_is_stopped_within_a_step_keeps_the_steps_before(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = training.panoptic_loss, iter(range(9))

    def stopped(*args: object) -> object:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(training, "panoptic_loss", stopped)
    with pytest.raises(KeyboardInterrupt):
        train(replace(config, save_every=1000, steps=9))
    assert load_checkpoint(config.out / "last.pt")["step"] == 2


def test_weights_that_diverge_are_an_error_and_the_steps_before_are_kept(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = training.panoptic_loss, iter(range(9))

    def diverging(*args: Any) -> dict[str, torch.Tensor]:
        factor = float("nan") if next(calls) == 2 else 1.0
        return {name: factor * loss for name, loss in real(*args).items()}

    monkeypatch.setattr(training, "panoptic_loss", diverging)
    with pytest.raises(ModelError, match="step 3: the gradient is not finite"):
        train(replace(config, save_every=1000, steps=9))
    kept = load_checkpoint(config.out / "last.pt")
    assert kept["step"] == 2
    for weights in (kept["network"], kept["weights"]):
        assert all(bool(torch.isfinite(one).all()) for one in weights.values())


def test_a_run_that_was_killed_tells_each_step_once(config: TrainConfig) -> None:
    train(replace(config, save_every=1, steps=2))
    checkpoint = (config.out / "last.pt").read_bytes()
    train(replace(config, steps=4))
    (config.out / "last.pt").write_bytes(checkpoint)
    train(replace(config, steps=4))
    assert [progress.step for progress in read_history(config.out)] == [1, 2, 3, 4]


def test_a_training_can_start_from_another_ones_checkpoint(config: TrainConfig) -> None:
    first = train(replace(config, validate_every=0))
    second = replace(config, out=config.out / "again", init=first, rate=0.0, weight_decay=0.0)
    train(replace(second, validate_every=0, steps=1))
    before = load_checkpoint(first)["weights"]["semantic.1.weight"]
    after = load_checkpoint(second.out / "last.pt")["network"]["semantic.1.weight"]
    torch.testing.assert_close(after, before)


def test_the_licence_of_the_weights_it_started_from_goes_with_a_training(
    config: TrainConfig,
) -> None:
    categories = open_split(config.data, "train").categories
    classes = [(entry.name, entry.is_thing) for entry in categories]
    spec = spec_of(classes, (64, 32), "lab", "research only")
    made = PanopticNetwork(len(classes)).eval()
    export(made, spec, config.out / "lab.onnx")
    first = replace(config, init=config.out / "lab.onnx", validate_every=0, steps=1)
    assert origin_of(load_checkpoint(train(first))) == ("lab", "research only")
    resumed = train(replace(first, steps=2))
    assert origin_of(load_checkpoint(resumed)) == ("lab", "research only")
    second = replace(first, init=resumed, out=config.out / "second")
    assert origin_of(load_checkpoint(train(second))) == ("lab", "research only")
    assert origin_of({}) == origin_of({"origin": 7}) == ("", "")


def test_what_a_training_began_with_is_kept_to_be_averaged_with_its_result(
    config: TrainConfig,
) -> None:
    first = train(replace(config, validate_every=0))
    assert not (config.out / "start.pt").exists()
    second = replace(config, out=config.out / "again", init=first, validate_every=0, steps=1)
    last = train(second)
    start = load_checkpoint(second.out / "start.pt")
    for name, value in load_checkpoint(first)["weights"].items():
        torch.testing.assert_close(start["weights"][name].float(), value, rtol=1e-3, atol=1e-6)
    kept = (second.out / "start.pt").read_bytes()
    train(replace(second, steps=2))
    assert (second.out / "start.pt").read_bytes() == kept
    averaged = mean_of([load_checkpoint(last), start], [last, second.out])["weights"]
    network_of({"classes": start["classes"], "weights": averaged})


def test_the_cache_changes_no_crop_and_reads_each_file_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, augmented = open_split(folder, "train"), AugmentConfig(crop=(64, 32))
    plain = Crops(data, augmented, 1, 12)
    cached = Crops(data, augmented, 1, 12, cache_bytes=1 << 20)
    read: list[Path] = []
    real = crops_module.read_image
    monkeypatch.setattr(
        crops_module, "read_image", lambda path: (read.append(path), real(path))[1]
    )
    for index in range(12):
        for ours, theirs in zip(cached[index], plain[index], strict=True):
            assert torch.equal(ours, theirs)
    read.clear()
    for index in range(12):
        cached[index]
    assert read == []


def test_an_interrupted_run_goes_on_where_it_stopped(config: TrainConfig) -> None:
    train(config)
    seen: list[Progress] = []
    train(replace(config, steps=5), seen.append)
    assert [progress.step for progress in seen] == [4, 5]


@pytest.mark.parametrize("crop", [(64, 32), (128, 64)])
def test_gradients_of_small_crops_are_finite_in_bfloat16(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch, crop: tuple[int, int]
) -> None:
    monkeypatch.setattr(training, "_has_bfloat16", lambda device: True)
    seen: list[Progress] = []
    for seed in range(4):
        tiny = replace(config, seed=seed, augment=AugmentConfig(crop=crop))
        train(replace(tiny, out=config.out / str(seed)), seen.append)
    assert len(seen) == 12


def test_a_time_budget_that_is_spent_ends_the_run(config: TrainConfig) -> None:
    seen: list[Progress] = []
    train(replace(config, steps=1000, minutes=1e-4), seen.append)
    assert len(seen) == 1


def test_training_lowers_the_loss_on_a_street_it_has_seen(config: TrainConfig) -> None:
    seen: list[Progress] = []
    # Its backbone is not pretrained, so all of it has to learn.
    open_all = (Phase(until=1.0, crop_scale=1.0, frozen_blocks=1, trains_depthwise=True),)
    learning = replace(config, steps=40, validate_every=0, save_every=1000, phases=open_all)
    train(learning, seen.append)
    first, last = (
        np.mean([progress.losses["semantic"] for progress in part])
        for part in (seen[:4], seen[-4:])
    )
    assert last < 0.8 * first


def test_rare_classes_and_small_sources_are_drawn_more_often(folder: Path) -> None:
    shares = image_shares(open_split(folder, "train"), (64, 32))
    # Image 0 has the only person; image 3 is the only one of its source.
    assert shares[3] > shares[1] == pytest.approx(shares[2])
    donors = donor_shares(open_split(folder, "train"))
    assert donors[0] > donors[1] == pytest.approx(donors[2])


def test_an_image_that_has_to_be_enlarged_is_drawn_less_often(folder: Path) -> None:
    data = open_split(folder, "train")
    first, *others = data.records
    mixed = replace(data, records=[replace(first, width=first.width // 2), *others])
    view = (first.width, first.height)
    whole, halved = image_shares(data, view), image_shares(mixed, view)
    assert halved[0] / halved[1] == pytest.approx(whole[0] / whole[1] / 4)
    # Where it is not enlarged nothing is lost, and nothing is gained by being larger still.
    small = image_shares(mixed, (view[0] // 2, view[1] // 2))
    assert small == pytest.approx(whole)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"augment": AugmentConfig(crop=(50, 32))}, "multiples of 32; the nearest is 64x32"),
        ({"batch": 1}, "at least 2"),
        ({"device": "cuda:99"}, "cuda:99"),
        ({"steps": 0}, "steps is 0, needs at least 1"),
        ({"minutes": -1.0}, "minutes is -1.0, needs 0"),
        ({"rate": float("nan")}, "rate is nan, needs a number of 0 or more"),
        ({"validate_every": -1}, "validate-every is -1, needs 0"),
        ({"workers": -1}, "workers is -1, needs 0"),
    ],
    ids=["crop", "batch", "device", "steps", "minutes", "rate", "validate", "workers"],
)
def test_settings_that_cannot_work_are_refused(
    config: TrainConfig, change: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        train(replace(config, **change))


def test_a_checkpoint_for_which_the_disk_has_no_room_is_an_error_that_names_it(
    config: TrainConfig,
) -> None:
    with files_up_to(10_000), pytest.raises(DataError, match=r"last\.pt: cannot be written \("):
        train(config)
    assert list(config.out.glob("*.p*t*")) == []


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("part", ["images", "annotations"])
def test_a_split_without_an_annotated_image_is_refused(
    config: TrainConfig, split: str, part: str
) -> None:
    path = config.data / f"{split}.json"
    document = json.loads(path.read_text())
    document["annotations"] = []
    document[part] = []
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=rf"{split}\.json: has no annotated image, needs at least"):
        train(config, validate=lambda network, data: {"pq": 1.0})


def test_a_training_that_validates_never_needs_no_validation_images(config: TrainConfig) -> None:
    (config.data / "val.json").unlink()
    train(replace(config, steps=1, validate_every=0), validate=lambda network, data: {"pq": 1.0})


def test_images_without_a_segment_are_trained_on(config: TrainConfig) -> None:
    document = json.loads((config.data / "train.json").read_text())
    for entry in document["annotations"]:
        entry["segments_info"] = []
    (config.data / "train.json").write_text(json.dumps(document))
    seen: list[Progress] = []
    train(replace(config, steps=1), seen.append)
    assert all(np.isfinite(value) for value in seen[0].losses.values())


@pytest.mark.parametrize("device", ["cda", "cuda:", "cuda:x", "cuda:-1", "", "cpu:3", "meta"])
def test_a_device_that_is_none_is_refused(config: TrainConfig, device: str) -> None:
    with pytest.raises(ConfigError, match=f"--device {device}: needs cpu, cuda or cuda:N"):
        train(replace(config, device=device))


def test_a_gpu_beyond_the_last_is_refused(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ConfigError, match="--device cuda:1: this torch sees 1 CUDA GPU, the last"):
        train(replace(config, device="cuda:1"))


def test_a_missing_folder_is_named(config: TrainConfig) -> None:
    with pytest.raises(DataError, match=r"train\.json: cannot be read"):
        train(replace(config, data=Path("nowhere")))


def test_a_checkpoint_of_another_data_set_is_not_overwritten(config: TrainConfig) -> None:
    train(config)
    document = json.loads((config.data / "train.json").read_text())
    document["categories"].append({"id": 99, "name": "tram", "isthing": 1})
    (config.data / "train.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match="start in an empty folder"):
        train(config)
