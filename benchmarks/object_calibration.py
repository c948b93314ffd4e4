# SPDX-License-Identifier: Apache-2.0
"""Whether the class probabilities of objects mean what they say, on a COCO panoptic set.

Run: python benchmarks/object_calibration.py STREET [--split val] [--engine street_fast]

STREET holds ``val.json``, ``panoptic/`` and ``images/``. An object is right where it overlaps a
true one of its class by an IoU over 0.5. Objects that lie for more than half in pixels without
truth or in crowds are left out, as panoptic quality does.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.instance import Instance
from panoptic_ros.core.model import Engine
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.types import NO_ID, Frame
from panoptic_ros.data.annotation import SegmentAnnotation
from panoptic_ros.data.coco.ids import read_ids
from panoptic_ros.data.coco.reader import CocoPanoptic, ImageRecord, read_coco_panoptic
from panoptic_ros.data.images import read_image
from panoptic_ros.engine.open import open_engine
from panoptic_ros.metrics.calibration import Calibration, CalibrationResult

LEAST_IOU, MOST_IGNORED = 0.5, 0.5


@dataclass(frozen=True, eq=False)
class Truth:
    """True objects of an image: number of each pixel, class of each number, what has no truth.

    Numbers count the listed segments from 1; those that are no objects of the model's have no
    pixel.
    """

    ids: NDArray[np.uint16]
    names: tuple[str, ...]
    ignored: NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """An object with the class of the true one below it, "" where there is none."""

    probabilities: dict[str, float]
    true_name: str


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("street", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--engine", default="street_fast")
    args = parser.parse_args()
    truth = read_coco_panoptic(
        args.street / f"{args.split}.json", args.street / "panoptic", args.street / "images"
    )
    with closing(open_engine(args.engine)) as engine:
        print(engine.description)
        objects = list(judge(truth, engine))
    found = [one for one in objects if one.true_name]
    print(f"{len(objects)} objects, {len(found)} of them on a true object")
    show("first hypothesis: an object of this class", objects, is_there=False)
    show("the same, given that there is an object", found, is_there=True)


def judge(truth: CocoPanoptic, engine: Engine) -> Iterator[Judged]:
    """Run the pipeline over the images, each by itself."""
    pipeline = Pipeline(engine)
    for record in truth.records:
        result = pipeline.step(Frame(read_image(record.image), 1), pipeline.new_state())
        true = true_objects(truth, record, engine.spec.labels)
        for instance in result.instances():
            if true.ignored[instance.mask].mean() <= MOST_IGNORED:
                yield Judged(instance.probabilities, true_name(true, instance))


def true_objects(truth: CocoPanoptic, record: ImageRecord, labels: LabelSet) -> Truth:
    """Read the objects of an image, in the classes of the model."""
    known = {label.name for label in labels.labels if label.is_thing}
    names = {category.id: category.name for category in truth.categories}
    is_known = np.zeros(256, np.bool_)
    is_known[: len(truth.categories)] = [one.name in known for one in truth.categories]
    segment_ids = read_ids(record.panoptic)
    found = SegmentAnnotation(segment_ids, record.segments, truth.categories).map
    ids = np.where(is_known[found.labels], found.ids, np.uint16(NO_ID))
    is_crowd = is_known[found.labels] & (ids == NO_ID)
    listed = tuple(names[segment.category_id] for segment in record.segments)
    return Truth(ids, listed, (segment_ids == 0) | is_crowd)


def true_name(true: Truth, instance: Instance) -> str:
    """Class of the true object that an object overlaps; "" for none."""
    areas = np.bincount(true.ids.ravel(), minlength=len(true.names) + 1)
    common = np.bincount(true.ids[instance.mask], minlength=len(true.names) + 1)
    area = np.count_nonzero(instance.mask & ~true.ignored)
    for number, name in enumerate(true.names, start=1):
        if common[number] > LEAST_IOU * (areas[number] + area - common[number]):
            return name
    return ""


def show(words: str, objects: list[Judged], is_there: bool) -> None:
    """Print how sure the first hypothesis is, and how often it is right."""
    result = calibration(objects, is_there)
    print(f"{words}: ECE {100 * result.error:.1f} %")
    print(f"  {'sure':>6}{'right':>8}{'objects':>9}")
    for entry in result.bins:
        print(f"  {entry.confidence:6.2f}{entry.accuracy:8.2f}{entry.pixels:9}")


def calibration(objects: list[Judged], is_there: bool, bins: int = 10) -> CalibrationResult:
    """Compare probabilities with what came true; without "void" where there is an object."""
    first = [next(iter(one.probabilities.items())) for one in objects]
    rest = np.array([one.probabilities.get("void", 0.0) if is_there else 0.0 for one in objects])
    sure = np.array([probability for _, probability in first])
    is_right = np.array(
        [name == one.true_name for (name, _), one in zip(first, objects, strict=True)], np.uint8
    )
    found = Calibration(bins)
    levels = np.rint(255 * sure / np.maximum(1.0 - rest, 1e-9)).clip(0, 255).astype(np.uint8)
    found.update(is_right, np.ones(len(objects), np.uint8), levels)
    return found.result()


if __name__ == "__main__":
    main()
