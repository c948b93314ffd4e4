# SPDX-License-Identifier: Apache-2.0
"""Whether fine-tuning on a few images of one place raises the score on the others from there.

Run: python benchmarks/fine_tune.py STREET --match zurich [--images 20] [--steps 300]

STREET holds ``val_city.json``, ``panoptic/`` and ``images/``. Every n-th image whose file name
contains the word is trained on, the others are scored before and after. It runs the commands of
docs/training.md, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

PANOPTIC = (sys.executable, "-m", "panoptic_ros.cli.main")


def main() -> None:
    """Train, score twice and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("street", type=Path)
    parser.add_argument("--split", default="val_city")
    parser.add_argument("--match", default="zurich", help="word in the names of the images")
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--engine", default="street_fast")
    parser.add_argument("--out", type=Path, default=Path("out/fine-tune"))
    args = parser.parse_args()
    kept, others = divide(args.street, args.split, args.match, args.images)
    write_split(args.street, args.out / "set", "train", args.split, kept)
    write_split(args.street, args.out / "set", "val", args.split, others)
    print(f"{len(kept)} images to train on, {len(others)} to score", flush=True)
    mine = args.out / "mine.onnx"
    panoptic(
        *("train", "--data", args.out / "set", "--out", args.out / "train", "--init", args.engine),
        *("--steps", args.steps, "--rate", args.rate, "--validate-every", 0, "--cache-gb", 1),
    )
    panoptic(
        *("export", args.out / "train" / "last.pt", mine, "--size", "512x256"),
        *("--label-scale", 4, "--name", "mine"),
    )
    for name, engine in (("before", args.engine), ("after", mine)):
        show(name, score(args.out / "set", engine, args.out / f"{name}.json"))


def divide(street: Path, split: str, word: str, count: int) -> tuple[list[int], list[int]]:
    """Choose every n-th image, and return the ids of these and of the others."""
    images = json.loads((street / f"{split}.json").read_text())["images"]
    found = [image["id"] for image in images if word in image["file_name"]]
    if len(found) <= count:
        sys.exit(f"{street} has {len(found)} images called {word}, needs more than {count}")
    kept = [found[len(found) * index // count] for index in range(count)]
    return kept, [number for number in found if number not in kept]


def write_split(street: Path, out: Path, name: str, split: str, ids: Collection[int]) -> None:
    """Write a part of a COCO panoptic set that refers to the images of the whole."""
    whole: dict[str, Any] = json.loads((street / f"{split}.json").read_text())
    whole["images"] = [image for image in whole["images"] if image["id"] in ids]
    whole["annotations"] = [one for one in whole["annotations"] if one["image_id"] in ids]
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps(whole))
    for folder in ("images", "panoptic"):
        if not (out / folder).exists():
            (out / folder).symlink_to((street / folder).resolve())


def panoptic(*words: object) -> None:
    """Run a verb of the package and end with it where it fails."""
    subprocess.run([*PANOPTIC, *map(str, words)], check=True)


def score(data: Path, engine: object, out: Path) -> dict[str, Any]:
    """Score a model on the images left."""
    panoptic(
        *("eval", "--format", "coco", "--gt", data / "val.json", "--gt-dir", data / "panoptic"),
        *("--images", data / "images", "--engine", engine, "--metrics", "miou", "--json", out),
    )
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def show(name: str, found: dict[str, Any]) -> None:
    """Print mean IoU and the IoU of each class."""
    classes = "  ".join(
        f"{one['name']} {100 * one['iou']:.1f}"
        for one in found["classes"]
        if one.get("iou") is not None
    )
    print(f"{name}: mIoU {100 * found['semantic']['miou']:.1f}  {classes}", flush=True)


if __name__ == "__main__":
    main()
