# SPDX-License-Identifier: Apache-2.0
"""What bad light, weather and damage cost the classes and the surface, on a COCO panoptic set.

Run: python benchmarks/robustness.py STREET [--split val_city] [--engine street_fast] [--every N]
     [--severity 3]

STREET holds ``val_city.json``, ``panoptic/`` and ``images/``. The corruptions are those of
ImageNet-C (Hendrycks and Dietterich, ICLR 2019) as Michaelis et al. 2019 apply them to driving,
by their package, which trains nothing here; darkness is added, as they have none.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.model import Engine
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.types import VOID, Frame
from panoptic_ros.data.annotation import SegmentAnnotation
from panoptic_ros.data.coco.ids import read_ids
from panoptic_ros.data.coco.reader import CocoPanoptic, ImageRecord, read_coco_panoptic
from panoptic_ros.data.images import read_image
from panoptic_ros.engine.open import open_engine
from panoptic_ros.metrics.drivable_shares import DrivableShare
from panoptic_ros.metrics.semantic import SemanticIou

HOW_TO_INSTALL = (
    "imagecorruptions is not installed; its wheel asks for opencv-python, which writes over "
    "opencv-python-headless, so leave the dependencies out: pip install --no-deps "
    "imagecorruptions-imaug scikit-image lazy-loader networkx imageio tifffile numba llvmlite"
)
CLEAN, DARK = "as it is", "darkness"
KINDS = (
    *(CLEAN, DARK, "shot_noise", "motion_blur", "defocus_blur", "fog", "snow", "frost"),
    *("spatter", "brightness", "contrast", "saturate", "jpeg_compression"),
)
LIGHT = (1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32)
"""Share of the light that is left, by severity."""

FULL_WELL = 4000.0
"""Electrons of a pixel that is just white: the noise of what light is left."""


@dataclass(frozen=True, eq=False)
class Scores:
    """What is counted under one kind of damage."""

    semantic: SemanticIou
    label_map: DrivableShare
    surface: DrivableShare


def main() -> None:
    """Score and print one line for each kind."""
    args = _arguments()
    corrupt = _corruptions()
    truth = read_coco_panoptic(
        args.street / f"{args.split}.json", args.street / "panoptic", args.street / "images"
    )
    print(f"{args.split}, severity {args.severity}, percent; the shares are called drivable")
    with closing(open_engine(args.engine)) as engine:
        print(engine.description)
        print_head()
        for kind in KINDS:
            scores = _empty(engine.spec.labels)
            for record in truth.records[:: args.every]:
                image = read_image(record.image)
                if kind == DARK:
                    image = darken(image, args.severity)
                elif kind != CLEAN:
                    image = corrupt(image, corruption_name=kind, severity=args.severity)
                add(scores, engine, image, true_labels(truth, record, engine.spec.labels))
            print_row(kind, scores, engine.spec.labels)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("street", type=Path)
    parser.add_argument("--split", default="val_city")
    parser.add_argument("--engine", default="street_fast")
    parser.add_argument("--every", type=int, default=1, help="take every n-th image")
    parser.add_argument("--severity", type=int, default=3, choices=range(1, 6))
    return parser.parse_args()


def _corruptions() -> Any:
    try:
        from imagecorruptions import corrupt
    except ImportError:
        sys.exit(HOW_TO_INSTALL)
    # Its dice are NumPy's global ones; the same damage for every model.
    np.random.seed(1)  # noqa: NPY002
    return corrupt


def darken(image: NDArray[np.uint8], severity: int) -> NDArray[np.uint8]:
    """Take away light before the camera's curve (sRGB's), with the photon noise of the rest."""
    values = np.arange(256) / 255.0
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    electrons = linear[image] * (FULL_WELL * LIGHT[severity - 1])
    seen = np.random.default_rng(1).poisson(electrons) / FULL_WELL
    curve = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255.0 * curve.clip(0.0, 1.0)), np.uint8)


def true_labels(truth: CocoPanoptic, record: ImageRecord, labels: LabelSet) -> NDArray[np.uint8]:
    """Read the classes of an image as the model counts them, VOID for what it does not know."""
    index = {label.name: label.index for label in labels.labels}
    ours = np.full(256, VOID, np.uint8)
    for position, category in enumerate(truth.categories):
        ours[position] = index.get(category.name, VOID)
    found = SegmentAnnotation(read_ids(record.panoptic), record.segments, truth.categories).map
    return ours[found.labels]


def add(scores: Scores, engine: Engine, image: NDArray[np.uint8], true: NDArray[np.uint8]) -> None:
    """Run the network and count."""
    pipeline = Pipeline(engine)
    result = pipeline.step(Frame(np.ascontiguousarray(image), 1))
    size = (true.shape[0], true.shape[1])
    found = enlarge(result.panoptic.labels, size)
    is_road = engine.spec.labels.drivable[found]
    scores.semantic.update(true, found)
    scores.label_map.update(true, is_road)
    mask = enlarge(result.drivable.mask.view(np.uint8), size)
    scores.surface.update(true, mask.view(np.bool_))


def _empty(labels: LabelSet) -> Scores:
    return Scores(SemanticIou(len(labels.labels)), DrivableShare(labels), DrivableShare(labels))


def print_head() -> None:
    """Print what the columns are."""
    print(
        f"{'':<18}{'mIoU':>6}{'road':>7}{'walk':>7}{'person':>8}{'car':>7}"
        f"{'pavement':>10}{'objects':>9}{'surface: road':>15}{'pavement':>10}{'objects':>9}"
    )


def print_row(kind: str, scores: Scores, labels: LabelSet) -> None:
    """Print the scores of one kind in percent."""
    found = scores.semantic.result()
    of = {label.name: found.classes[label.index] for label in labels.labels}
    classes, surface = scores.label_map.result(), scores.surface.result()
    cells = [
        *((found.miou, 6), (of["road"], 7), (of["sidewalk"], 7), (of["person"], 8)),
        *((of["car"], 7), (classes.pavement, 10), (classes.objects, 9)),
        *((surface.road_recall, 15), (surface.pavement, 10), (surface.objects, 9)),
    ]
    print(f"{kind:<18}" + "".join(f"{100 * share:{w}.1f}" for share, w in cells), flush=True)


if __name__ == "__main__":
    main()
