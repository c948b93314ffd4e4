# SPDX-License-Identifier: Apache-2.0
"""Panoptic quality of label files at 1024x2048: this package beside hotcoco, in one run.

Run: python benchmarks/panoptic_quality.py [--pairs 500] [--street DIR]

panopticapi runs along where it is installed. It is not on PyPI:
pip install --no-deps git+https://github.com/cocodataset/panopticapi && pip install pillow
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
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
from panoptic_ros.data.coco.reader import CocoPanoptic, read_coco_panoptic
from panoptic_ros.data.format import DataSetLocation
from panoptic_ros.data.formats import open_predictions, open_truth
from panoptic_ros.evaluation.predictor import label_predictor
from panoptic_ros.evaluation.score import score

SIZE = (1024, 2048)
CATEGORIES = [
    {"id": number, "name": f"class {number}", "isthing": int(number > 11)}
    for number in range(1, 20)
]


def main() -> None:
    """Write pairs, score them with both, print times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument(
        "--distinct", type=int, default=40, help="different pairs; they are read again and again"
    )
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
    maps = street(args) if args.street else drawn(args.distinct)
    height, width = SIZE
    images = [
        {"id": number, "file_name": f"{number}.png", "width": width, "height": height}
        for number in range(args.pairs)
    ]
    for kind, shift in (("truth", 0), ("predicted", 7)):
        (folder / kind).mkdir()
        listed = []
        for number, (ids, classes) in enumerate(maps):
            moved = np.roll(ids, shift, axis=1)
            channels = [(moved >> bits).astype(np.uint8) for bits in (16, 8, 0)]
            level = [cv2.IMWRITE_PNG_COMPRESSION, args.level]
            cv2.imwrite(str(folder / kind / f"{number}.png"), np.dstack(channels), level)
            listed.append(segments(moved, classes))
        annotations = [
            {
                "image_id": number,
                "file_name": f"{number % len(maps)}.png",
                "segments_info": listed[number % len(maps)],
            }
            for number in range(args.pairs)
        ]
        document = {"images": images, "categories": CATEGORIES, "annotations": annotations}
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
    from panoptic_ros.data.coco.files import read_truth

    position = {category.id: index + 1 for index, category in enumerate(data.categories)}
    return [
        (
            enlarge(read_truth(record), SIZE),
            {segment.id: position[segment.category_id] for segment in record.segments},
        )
        for record in data.records[: args.distinct]
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
    """Time all by turns and print the medians."""
    scorers = {"panoptic_ros": score_ours, "hotcoco": score_hotcoco}
    seconds: dict[str, list[float]] = {name: [] for name in scorers}
    scores = {}
    for _ in range(args.repeats):
        for name, scorer in scorers.items():
            taken, scores[name] = timed(lambda scorer=scorer: scorer(folder))
            seconds[name].append(taken)
    if importlib.util.find_spec("panopticapi"):
        taken, scores["panopticapi"] = timed(lambda: score_panopticapi(folder))
        seconds["panopticapi"] = [taken]
    ours = scores["panoptic_ros"]
    assert all(abs(pq - ours) < 1e-9 for pq in scores.values()), scores
    report(args, ours, {name: statistics.median(times) for name, times in seconds.items()})


def report(args: argparse.Namespace, pq: float, medians: dict[str, float]) -> None:
    """Print milliseconds a pair and how they compare."""
    cores = len(os.sched_getaffinity(0))
    decoder = "kornia-rs" if importlib.util.find_spec("kornia_rs") else "OpenCV"
    print(f"{args.pairs} pairs at {SIZE[1]}x{SIZE[0]}, {cores} cores, PQ {100 * pq:.2f}")
    for name, seconds in medians.items():
        note = f" (PNG by {decoder})" if name == "panoptic_ros" else ""
        print(f"{name:14s}{1e3 * seconds / args.pairs:8.2f} ms a pair{note}")
    ours = medians["panoptic_ros"]
    print(f"{ours / medians['hotcoco']:.2f} of hotcoco's time")
    if "panopticapi" in medians:
        print(f"panopticapi takes {medians['panopticapi'] / ours:.1f} times as long")
    else:
        print("panopticapi is not installed, see --help")


def timed(scorer: Callable[[], float]) -> tuple[float, float]:
    """Seconds and score."""
    start = time.perf_counter()
    found = scorer()
    return time.perf_counter() - start, found


def score_ours(folder: Path) -> float:
    """PQ by this package, as ``panoptic eval`` computes it."""
    truth = open_truth("coco", DataSetLocation(folder / "truth.json"))
    found = open_predictions("coco", DataSetLocation(folder / "predicted.json"), truth)
    return score(label_predictor(truth, found), ("pq",)).frames.panoptic.all.pq


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


def score_panopticapi(folder: Path) -> float:
    """PQ by panopticapi, which starts one process per core."""
    from panopticapi.evaluation import pq_compute

    with contextlib.redirect_stdout(io.StringIO()):
        found = pq_compute(
            str(folder / "truth.json"),
            str(folder / "predicted.json"),
            str(folder / "truth"),
            str(folder / "predicted"),
        )
    pq: float = found["All"]["pq"]
    return pq


if __name__ == "__main__":
    main()
