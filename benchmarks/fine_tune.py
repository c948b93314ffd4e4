# SPDX-License-Identifier: Apache-2.0
"""What twenty labelled images of a camera bring to a shipped model, on images of the same camera.

Run: python benchmarks/fine_tune.py STREET OUT [--engine street_fast] [--camera wide_grey]
     [--steps 200] [--rate 3e-4]

STREET holds ``val_city.json``, ``panoptic/`` and ``images/``. Of its images of Zurich twenty that
together show every class are trained on, the others scored: with the shipped weights, with the
fine-tuned ones, and with the mean of both. ``plain`` takes the images as they are, ``wide_grey``
as a noisy monochrome camera with a wide lens would show them: a camera as none of the training.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.cli.main import main as panoptic
from panoptic_ros.data.coco.ids import read_ids

CITY = "zurich"
MANY_PIXELS = 5000
"""Of a class in an image; more of it shows no more."""

FIXED = ("--runtime", "onnxruntime")
"""What ``auto`` takes depends on the machine, and rare classes on the last bits."""

HALF_FIELD_RAD = math.radians(50.0)
"""Between the optical axis and the left rim of the wide lens, r = f theta."""

GAMMA, VIGNETTE, NOISE, BLUR = 0.6, 0.45, 0.03, 0.75
"""Of the monochrome camera: exponent of the grey, what is lost at the rim, standard deviation of
the noise, share of the resolution that is left."""


def main() -> None:
    """Fine-tune, score and print one line for each set of weights."""
    args = _arguments()
    data = args.out / "data"
    write_sets(args.street, data, args.images, args.camera == "wide_grey")
    run, size = args.out / "run", "1024x512" if args.engine == "street_sharp" else "512x256"
    train = ["train", "--data", data, "--out", run, "--init", args.engine, "--zoom", 0.2]
    _call(*train, "--steps", args.steps, "--rate", args.rate, "--validate-every", 0)
    mean = ["--mean-with", run / "start.pt"]
    _call("export", run / "last.pt", args.out / "tuned.onnx", "--size", size)
    _call("export", run / "last.pt", args.out / "mean.onnx", "--size", size, *mean)
    scored = {
        "as shipped": args.engine,
        "fine-tuned": args.out / "tuned.onnx",
        "mean of both": args.out / "mean.onnx",
    }
    rows = {name: score(engine, data, args.out / "scores.json") for name, engine in scored.items()}
    print(f"{'IoU, percent':<16}" + "".join(f"{name:>14}" for name in rows))
    for label in next(iter(rows.values())):
        print(f"{label:<16}" + "".join(f"{100 * row[label]:14.1f}" for row in rows.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("street", type=Path)
    parser.add_argument("out", type=Path, help="folder for the data, checkpoints and models")
    parser.add_argument("--engine", default="street_fast", help="a shipped model")
    parser.add_argument("--camera", choices=("plain", "wide_grey"), default="wide_grey")
    parser.add_argument("--images", type=int, default=20, help="how many are trained on")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rate", type=float, default=3e-4)
    return parser.parse_args()


def _call(*words: object) -> None:
    if panoptic([str(word) for word in words]) != 0:
        raise SystemExit(2)


def score(engine: object, data: Path, scratch: Path) -> dict[str, float]:
    """IoU of each class on the images that were not trained on, the mean first."""
    gt = ["--gt", data / "val.json", "--gt-dir", data / "panoptic", "--images", data / "images"]
    _call("eval", "--format", "coco", *gt, "--engine", engine, *FIXED, "--json", scratch)
    scores: dict[str, Any] = json.loads(scratch.read_text(encoding="utf-8"))
    classes = {entry["name"]: entry["iou"] for entry in scores["classes"]}
    return {"mean": scores["semantic"]["miou"], **classes}


def write_sets(street: Path, out: Path, count: int, is_other_camera: bool) -> None:
    """Write ``train.json`` of ``count`` images and ``val.json`` of the others."""
    document = json.loads((street / "val_city.json").read_text(encoding="utf-8"))
    images = [entry for entry in document["images"] if CITY in entry["file_name"]]
    truth = {entry["image_id"]: entry for entry in document["annotations"]}
    pixels = {image["id"]: _pixels(truth[image["id"]]) for image in images}
    chosen = with_every_class(pixels, count)
    for folder in ("images", "panoptic"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for image in images:
        _write_image(street, out, image, truth[image["id"]], is_other_camera)
    for split, is_in in (("train", True), ("val", False)):
        kept = [image for image in images if (image["id"] in chosen) == is_in]
        annotations = [truth[image["id"]] for image in kept]
        said = {**document, "images": kept, "annotations": annotations}
        (out / f"{split}.json").write_text(json.dumps(said), encoding="utf-8")


def _pixels(annotation: dict[str, Any]) -> Counter[int]:
    found: Counter[int] = Counter()
    for segment in annotation["segments_info"]:
        found[segment["category_id"]] += segment["area"]
    return Counter({category: min(area, MANY_PIXELS) for category, area in found.items()})


def with_every_class(pixels: dict[int, Counter[int]], count: int) -> Sequence[int]:
    """Choose images one by one, each the one that adds most to what was shown least so far."""
    chosen: list[int] = []
    shown: Counter[int] = Counter()

    def gain(image: int) -> float:
        added = pixels[image].items()
        return sum(math.log((1 + shown[one] + area) / (1 + shown[one])) for one, area in added)

    for _ in range(count):
        chosen.append(max((image for image in pixels if image not in chosen), key=gain))
        shown.update(pixels[chosen[-1]])
    return chosen


def _write_image(
    street: Path,
    out: Path,
    image: dict[str, Any],
    annotation: dict[str, Any],
    is_other_camera: bool,
) -> None:
    """Copy an image and its truth, or show them by the other camera; segments are counted anew."""
    picture = cv2.imread(str(street / "images" / image["file_name"]))
    truth = cv2.imread(str(street / "panoptic" / annotation["file_name"]))
    if is_other_camera:
        random = np.random.default_rng(image["id"])
        picture, truth = by_wide_grey_camera(picture, truth, random)
    cv2.imwrite(str(out / "images" / image["file_name"]), picture)
    png = out / "panoptic" / annotation["file_name"]
    cv2.imwrite(str(png), truth)
    ids, areas = np.unique(read_ids(png), return_counts=True)
    seen = dict(zip(ids.tolist(), areas.tolist(), strict=True))
    annotation["segments_info"] = [
        {**segment, "area": seen[segment["id"]]}
        for segment in annotation["segments_info"]
        if segment["id"] in seen
    ]


def by_wide_grey_camera(
    picture: NDArray[np.uint8], truth: NDArray[np.uint8], random: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Show an image and its truth, (H, W, 3) each, by a noisy monochrome camera with a wide lens.

    What lies beyond the image is black, and unlabelled in the truth.
    """
    height, width = picture.shape[:2]
    v, u = (
        (np.mgrid[0:height, 0:width] - np.array([[[height - 1]], [[width - 1]]]) / 2) * 2 / width
    )
    radius = np.hypot(u, v)
    seen = np.tan(np.minimum(radius * HALF_FIELD_RAD, 1.5)) / math.tan(HALF_FIELD_RAD)
    scale = seen / np.maximum(radius, 1e-6)
    x, y = ((scale * u + 1) * width - 1) / 2, (scale * v * width + height - 1) / 2
    at = (x.astype(np.float32), y.astype(np.float32))
    grey = cv2.cvtColor(cv2.remap(picture, *at, cv2.INTER_LINEAR), cv2.COLOR_BGR2GRAY)
    light = (grey / 255.0) ** GAMMA * (1 - VIGNETTE * np.minimum(radius, 1.2) ** 2)
    noisy = light + random.normal(0.0, NOISE, light.shape)
    small = cv2.resize(noisy, None, fx=BLUR, fy=BLUR, interpolation=cv2.INTER_AREA)
    shown = (cv2.resize(small, (width, height)) * 255.0).clip(0, 255).astype(np.uint8)
    return np.dstack([shown] * 3), cv2.remap(truth, *at, cv2.INTER_NEAREST).astype(np.uint8)


if __name__ == "__main__":
    main()
