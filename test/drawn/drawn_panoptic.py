# SPDX-License-Identifier: Apache-2.0
"""Small panoptic pairs: drawn by hand, drawn by hypothesis, and written as COCO files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import Category, SegmentInfo
from panoptic_ros.data.coco.ids import write_ids

ROAD, SKY, CAR, PERSON = 7, 23, 26, 24
CATEGORIES = (
    Category(ROAD, "road", False),
    Category(SKY, "sky", False),
    Category(PERSON, "person", True),
    Category(CAR, "car", True),
)
FAR_APART = 3355443
"""Times a small number it stays below 2**24: ids as sparse as COCO's."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Truth and prediction of one image."""

    truth_ids: NDArray[np.uint32]
    truth_segments: tuple[SegmentInfo, ...]
    predicted_ids: NDArray[np.uint32]
    predicted_segments: tuple[SegmentInfo, ...]


def ids(*rows: str) -> NDArray[np.uint32]:
    """Draw a map: a digit is an id, a dot is void."""
    return np.array([[int(mark.replace(".", "0")) for mark in row] for row in rows], np.uint32)


def segments(
    drawn: NDArray[np.uint32],
    categories: dict[int, int],
    crowd: Sequence[int] = (),
    areas: dict[int, int] | None = None,
) -> tuple[SegmentInfo, ...]:
    """List the segments of a map; their true area is used where none is given."""
    given = areas or {}
    return tuple(
        SegmentInfo(
            number, category, given.get(number, int((drawn == number).sum())), number in crowd
        )
        for number, category in categories.items()
    )


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Pairs that agree in places, with void, crowds, unlisted truth and wrong truth areas."""
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6))
    maps = hnp.arrays(np.uint32, shape, elements=st.integers(0, 5))
    truth, noise = draw(maps), draw(maps)
    agrees = draw(hnp.arrays(np.bool_, shape, elements=st.sampled_from([True, True, False])))
    predicted = np.where(agrees, truth, noise).astype(np.uint32)
    category = st.sampled_from([entry.id for entry in CATEGORIES])
    truth_classes = {number: draw(category) for number in range(1, 6)}
    # Equal classes most of the time, or hardly anything would match.
    predicted_classes = {
        number: draw(st.sampled_from([truth_classes[number]] * 3 + [CAR, ROAD]))
        for number in np.unique(predicted[predicted > 0]).tolist()
    }
    listed = draw(st.permutations(draw(st.lists(st.integers(1, 5), unique=True, max_size=5))))
    crowd = draw(st.lists(st.integers(1, 5), unique=True, max_size=3))
    wrong = draw(st.dictionaries(st.integers(1, 5), st.integers(1, 40), max_size=2))
    spread = draw(st.sampled_from([1, 1000, FAR_APART]))
    return Pair(
        truth * np.uint32(spread),
        _spread(segments(truth, {n: truth_classes[n] for n in listed}, crowd, wrong), spread),
        predicted * np.uint32(spread),
        _spread(segments(predicted, predicted_classes), spread),
    )


def noisy_pairs(seed: int, images: int = 4) -> list[Pair]:
    """Blocks of segments of which a fifth is predicted as another, with void and crowds.

    ``RandomState`` gives the same numbers in every NumPy, so that scores on record stay valid.
    """
    dice = np.random.RandomState(seed)
    drawn = []
    for _ in range(images):
        truth = dice.randint(0, 8, (5, 6)).repeat(3, axis=0).repeat(4, axis=1)
        agrees = dice.rand(*truth.shape) < 0.8
        predicted = np.where(agrees, truth, dice.randint(0, 8, truth.shape)).astype(np.uint32)
        classes = {n: (ROAD, SKY, CAR, CAR, PERSON, CAR, PERSON)[n - 1] for n in range(1, 8)}
        crowd = dice.choice([5, 6, 7], 2).tolist()
        understated = {3: int((truth == 3).sum()) - 2}
        there = {n: classes[n] for n in np.unique(truth[truth > 0]).tolist()}
        found = {n: classes[n] for n in np.unique(predicted[predicted > 0]).tolist()}
        drawn.append(
            Pair(
                truth.astype(np.uint32),
                segments(truth.astype(np.uint32), there, crowd, understated),
                predicted,
                segments(predicted, found),
            )
        )
    return drawn


def _spread(listed: Sequence[SegmentInfo], spread: int) -> tuple[SegmentInfo, ...]:
    return tuple(
        SegmentInfo(entry.id * spread, entry.category_id, entry.area, entry.is_crowd)
        for entry in listed
    )


def write_truth(folder: Path, images: Sequence[Pair]) -> tuple[Path, Path]:
    """Write the truth as COCO files; returns the JSON and the folder of images."""
    return _write(folder, "truth", [(pair.truth_ids, pair.truth_segments) for pair in images])


def write_predictions(folder: Path, images: Sequence[Pair]) -> tuple[Path, Path]:
    """Write the predictions as COCO files; returns the JSON and the folder of images."""
    maps = [(pair.predicted_ids, pair.predicted_segments) for pair in images]
    return _write(folder, "predicted", maps)


def _write(
    folder: Path,
    name: str,
    maps: Sequence[tuple[NDArray[np.uint32], Sequence[SegmentInfo]]],
) -> tuple[Path, Path]:
    images = folder / name
    images.mkdir(parents=True, exist_ok=True)
    document = {
        "categories": [
            {"id": entry.id, "name": entry.name, "isthing": int(entry.is_thing)}
            for entry in CATEGORIES
        ],
        "images": [],
        "annotations": [],
    }
    for number, (drawn, listed) in enumerate(maps):
        write_ids(images / f"{number}.png", drawn)
        height, width = drawn.shape
        document["images"].append(
            {"id": number, "file_name": f"{number}.jpg", "width": width, "height": height}
        )
        document["annotations"].append(
            {"image_id": number, "file_name": f"{number}.png", "segments_info": _infos(listed)}
        )
    path = folder / f"{name}.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path, images


def _infos(listed: Sequence[SegmentInfo]) -> list[dict[str, int]]:
    return [
        {
            "id": entry.id,
            "category_id": entry.category_id,
            "area": entry.area,
            "iscrowd": int(entry.is_crowd),
        }
        for entry in listed
    ]
