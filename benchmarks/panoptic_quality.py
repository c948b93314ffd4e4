# SPDX-License-Identifier: Apache-2.0
"""Panoptic quality of label files at 1024x2048: this package beside hotcoco, in one run.

Run: python benchmarks/panoptic_quality.py [--pairs 40] [--street DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from hotcoco import panoptic
from numpy.typing import NDArray

from panoptic_ros.core.geometry import enlarge
from panoptic_ros.data.coco_panoptic import (
    CocoPanoptic,
    read_coco_panoptic,
    read_coco_predictions,
)
from panoptic_ros.metrics.runner import evaluate_predictions

SIZE = (1024, 2048)
CATEGORIES = [
    {"id": number, "name": f"class {number}", "isthing": int(number > 11)}
    for number in range(1, 20)
]


def main() -> None:
    """Write pairs, score them with both, print times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--level", type=int, default=6, help="of PNG compression, 1 to 9")
    parser.add_argument("--street", type=Path, help="COCO panoptic folder; default: drawn maps")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, args)
        compare(folder, args)


def write(folder: Path, args: argparse.Namespace) -> None:
    """Write truth and predictions; a prediction is its truth, shifted by some pixels."""
    for kind in ("truth", "predicted"):
        (folder / kind).mkdir()
    annotations: dict[str, list[object]] = {"truth": [], "predicted": []}
    for number, (ids, classes) in enumerate(street(args) if args.street else drawn(args.pairs)):
        for kind, shift in (("truth", 0), ("predicted", 7)):
            name = f"{number}.png"
            moved = np.roll(ids, shift, axis=1)
            channels = [(moved >> bits).astype(np.uint8) for bits in (16, 8, 0)]
            level = [cv2.IMWRITE_PNG_COMPRESSION, args.level]
            cv2.imwrite(str(folder / kind / name), np.dstack(channels), level)
            infos = segments(moved, classes)
            annotations[kind].append(
                {"image_id": number, "file_name": name, "segments_info": infos}
            )
    height, width = SIZE
    images = [
        {"id": number, "file_name": f"{number}.png", "width": width, "height": height}
        for number in range(args.pairs)
    ]
    for kind, entries in annotations.items():
        document = {"images": images, "categories": CATEGORIES, "annotations": entries}
        (folder / f"{kind}.json").write_text(json.dumps(document), encoding="utf-8")


Drawn = tuple[NDArray[np.uint32], dict[int, int]]


def drawn(pairs: int) -> list[Drawn]:
    """Ellipses of objects over bands of stuff."""
    return [draw(np.random.default_rng(seed)) for seed in range(pairs)]


def draw(rng: np.random.Generator) -> Drawn:
    """Draw one map and say the class of each id."""
    height, width = SIZE
    ids = np.zeros(SIZE, np.int32)
    classes = {}
    for number in range(1, 61):
        is_thing = number > 20
        classes[number * 1000] = int(rng.integers(12, 20) if is_thing else rng.integers(1, 12))
        extent = (60, 40) if is_thing else (700, 200)
        center = (int(rng.integers(width)), int(rng.integers(height)))
        axes = tuple(int(rng.integers(limit // 3, limit)) for limit in extent)
        cv2.ellipse(ids, center, axes, float(rng.integers(180)), 0, 360, number * 1000, -1)
    return ids.astype(np.uint32), classes


def street(args: argparse.Namespace) -> list[Drawn]:
    """Real label maps, enlarged."""
    data: CocoPanoptic = read_coco_panoptic(
        args.street / "val.json", args.street / "panoptic", args.street / "images"
    )
    from panoptic_ros.data.coco_files import read_truth

    position = {category.id: index + 1 for index, category in enumerate(data.categories)}
    return [
        (
            enlarge(read_truth(record), SIZE),
            {segment.id: position[segment.category_id] for segment in record.segments},
        )
        for record in (data.records * (1 + args.pairs // len(data.records)))[: args.pairs]
    ]


def segments(ids: NDArray[np.uint32], classes: dict[int, int]) -> list[dict[str, int]]:
    """List the segments of a map."""
    areas = np.bincount(ids.ravel())
    return [
        {"id": number, "category_id": classes[number], "area": int(areas[number]), "iscrowd": 0}
        for number in np.flatnonzero(areas).tolist()
        if number
    ]


def compare(folder: Path, args: argparse.Namespace) -> None:
    """Time both by turns and print the medians."""
    ours, theirs = [], []
    for _ in range(args.repeats):
        seconds, our_pq = timed(lambda: score_ours(folder))
        ours.append(seconds)
        seconds, their_pq = timed(lambda: score_hotcoco(folder))
        theirs.append(seconds)
    assert abs(our_pq - their_pq) < 1e-9, (our_pq, their_pq)
    cores = len(os.sched_getaffinity(0))
    print(f"{args.pairs} pairs at {SIZE[1]}x{SIZE[0]}, {cores} cores, PQ {100 * our_pq:.2f}")
    for name, times in (("panoptic_ros", ours), ("hotcoco", theirs)):
        print(f"{name:14s}{1e3 * statistics.median(times) / args.pairs:8.2f} ms a pair")
    print(f"{'ratio':14s}{statistics.median(ours) / statistics.median(theirs):8.2f}")


def timed(score: Callable[[], float]) -> tuple[float, float]:
    """Seconds and score."""
    start = time.perf_counter()
    found = score()
    return time.perf_counter() - start, found


def score_ours(folder: Path) -> float:
    """PQ by this package."""
    data = read_coco_panoptic(folder / "truth.json", folder / "truth", folder)
    predictions = read_coco_predictions(folder / "predicted.json", folder / "predicted")
    return evaluate_predictions(data, predictions).panoptic.all.pq


def score_hotcoco(folder: Path) -> float:
    """PQ by hotcoco."""
    evaluation = panoptic.PanopticEval(
        str(folder / "truth.json"),
        str(folder / "predicted.json"),
        gt_folder=str(folder / "truth"),
        pred_folder=str(folder / "predicted"),
    )
    evaluation.evaluate()
    found: float = evaluation.results()["All"]["pq"]
    return found


if __name__ == "__main__":
    main()
