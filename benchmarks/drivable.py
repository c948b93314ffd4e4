# SPDX-License-Identifier: Apache-2.0
"""How far the drivable surface can be trusted, on the street set's truth and its two drives.

Run: python benchmarks/drivable.py STREET [--split val] [--engine street_fast] [--every N]
     [--set thing_margin=0.01 ...] [--sweep min_confidence 0.5 0.6 0.7] [--drives]

STREET holds ``train.json``, ``val.json``, ``val_city.json``, ``panoptic/``, ``images/`` and
``sequences/``. Single images are scored without memory, the drives with it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.config import DrivableConfig, PipelineConfig
from panoptic_ros.core.drivable.filter import find_drivable
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.model import Engine
from panoptic_ros.core.parameters import with_value
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.types import Drivable, Frame, Panoptic
from panoptic_ros.data.annotation import SegmentAnnotation
from panoptic_ros.data.coco.ids import read_ids
from panoptic_ros.data.coco.reader import read_coco_panoptic
from panoptic_ros.data.images import read_image
from panoptic_ros.engine.open import open_engine
from panoptic_ros.metrics.drivable_quality import DrivableQuality, DrivableResult

OFFICIAL = {
    "KITTI 2015": "kitti15_",
    "CamVid": "camvid_",
    "Cityscapes": "cityfull_",
    "in 256x256": "citypair_",
}
"""Parts whose road truth was not made by a network, by the beginning of their files' names."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the network says of an image, and what is true: labels and object ids."""

    part: str
    panoptic: Panoptic
    labels: NDArray[np.uint8]
    ids: NDArray[np.uint16]


def main() -> None:
    """Score and print one line for each part."""
    args = _arguments()
    config = DrivableConfig()
    for words in args.set:
        name, _, value = words.partition("=")
        config = with_value(config, name, float(value))
    with closing(open_engine(args.engine)) as engine:
        print(engine.description)
        images = list(see(args.street, args.split, engine, args.every))
        for said, one in _variants(config, args.sweep):
            print_scores(score(images, engine, one), said)
        if args.drives:
            print_drives(args.street, engine, config)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("street", type=Path)
    parser.add_argument("--split", default="val", choices=("train", "val", "val_city"))
    parser.add_argument("--engine", default="street_fast")
    parser.add_argument("--every", type=int, default=1, help="take every n-th image of a part")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="parameters")
    parser.add_argument(
        "--sweep", nargs="+", default=[], metavar=("NAME", "VALUE"), help="score each value"
    )
    parser.add_argument("--drives", action="store_true", help="measure flicker, too")
    return parser.parse_args()


def _variants(config: DrivableConfig, sweep: list[str]) -> Iterator[tuple[str, DrivableConfig]]:
    """The configurations to score, each with the words that tell it from the others."""
    if not sweep:
        yield "", config
    name, *values = sweep or [""]
    for value in values:
        yield f"{name} {value}", with_value(config, name, float(value))


def see(street: Path, split: str, engine: Engine, every: int) -> Iterator[Seen]:
    """Run the network over the images with official truth."""
    truth = read_coco_panoptic(street / f"{split}.json", street / "panoptic", street / "images")
    pipeline = Pipeline(engine)
    for part, start in OFFICIAL.items():
        records = [record for record in truth.records if record.image.name.startswith(start)]
        for record in records[::every]:
            image = Frame(read_image(record.image), 1)
            panoptic = pipeline.step(image, pipeline.new_state()).panoptic
            # The engine's buffers are its own until the next image only.
            kept = replace(
                panoptic, labels=panoptic.labels.copy(), confidence=panoptic.confidence.copy()
            )
            true = SegmentAnnotation(
                read_ids(record.panoptic), record.segments, truth.categories
            ).map
            yield Seen(part, kept, true.labels, true.ids)


def score(images: list[Seen], engine: Engine, config: DrivableConfig) -> dict[str, DrivableResult]:
    """Score the surfaces of single images by part."""
    labels = engine.spec.labels
    collected: dict[str, DrivableQuality] = {}
    for seen in images:
        found = at_size(find_drivable(seen.panoptic, labels, config), seen.labels.shape)
        for part in (seen.part, "all"):
            quality = collected.setdefault(part, DrivableQuality(labels))
            quality.update(seen.labels, seen.ids, found)
    return {part: quality.result() for part, quality in collected.items()}


def at_size(found: Drivable, shape: tuple[int, ...]) -> Drivable:
    """Enlarge as the node does before it publishes."""
    size = (shape[0], shape[1])
    mask = enlarge(found.mask.view(np.uint8), size).view(np.bool_)
    return Drivable(mask, enlarge(found.confidence, size), found.boundary)


def print_scores(scores: dict[str, DrivableResult], said: str) -> None:
    """Print a table in percent; the last columns are shares of true pixels called drivable."""
    print(
        f"{said:<20}{'IoU':>8}{'precis.':>8}{'recall':>8}{'MaxF':>8}{'false':>8}{'near':>8}"
        f"{'missed':>8}{'pavement':>10}{'terrain':>8}{'objects':>8}{'edge px':>9}"
    )
    for part, one in scores.items():
        shares = (
            one.iou,
            one.precision,
            one.recall,
            one.max_f,
            one.false_drivable,
            one.false_drivable_near,
            one.missed_obstacles,
        )
        taken = (one.surface.pavement, one.surface.terrain, one.surface.objects)
        cells = "".join(f"{100 * share:8.2f}" for share in shares)
        cells += "  " + "".join(f"{100 * share:8.2f}" for share in taken)
        print(f"{part:<20}{cells}{one.boundary_px:9.2f}", flush=True)


def print_drives(street: Path, engine: Engine, config: DrivableConfig) -> None:
    """Print how much the surface flickers with and without its memory."""
    print(f"{'drive':<14}{'memory s':>9}{'flashes':>9}{'IoU':>8}{'false':>8}{'flicker':>9}")
    for name in ("kitti_drive", "camvid_val"):
        for memory_s in (0.0, config.memory_s):
            drive = Drive(street / "sequences" / name, engine, replace(config, memory_s=memory_s))
            flashes, found = drive.run()
            cells = "".join(
                f"{100 * share:8.2f}" for share in (found.iou, found.false_drivable, found.flicker)
            )
            print(f"{name:<14}{memory_s:9.2f}{1e4 * flashes:9.2f}{cells}", flush=True)
    print("flashes: pixels in 10 000 that differ from the frame before and the frame after")


class Drive:
    """A sequence of the street set run through the pipeline; CamVid's has truth."""

    def __init__(self, folder: Path, engine: Engine, config: DrivableConfig) -> None:
        self._folder = folder
        self._rate_hz = float(json.loads((folder / "sequence.json").read_text())["rate_hz"])
        self._engine = engine
        self._pipeline = Pipeline(engine, PipelineConfig(drivable=config))

    def run(self) -> tuple[float, DrivableResult]:
        """Share of pixels that flash up or away for one frame, and the scores."""
        labels = self._engine.spec.labels
        quality = DrivableQuality(labels)
        masks: list[NDArray[np.bool_]] = []
        flashes = []
        for number, path in enumerate(sorted((self._folder / "images").iterdir())):
            stamp_ns = round((1 + number / self._rate_hz) * 1e9)
            result = self._pipeline.step(Frame(read_image(path), stamp_ns))
            masks = [*masks[-2:], result.drivable.mask]
            if len(masks) == 3:
                flashes.append(float(((masks[1] != masks[0]) & (masks[1] != masks[2])).mean()))
            truth = self._folder / "labels_trainids" / f"{path.stem}.png"
            if truth.is_file():
                true = read_image(truth)[..., 0].copy()
                nothing = np.zeros(true.shape, np.uint16)
                quality.update(true, nothing, at_size(result.drivable, true.shape), "drive")
        return float(np.mean(flashes)), quality.result()


if __name__ == "__main__":
    main()
