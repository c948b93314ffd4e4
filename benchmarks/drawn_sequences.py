# SPDX-License-Identifier: Apache-2.0
"""Scores over time on drawn drives, whose every pixel is known: decoder and tracker alone.

The engine reads class and object from the colours, so what is lost is lost behind the network.

Run: python benchmarks/drawn_sequences.py [--drives 5] [--seconds 6] [--html FILE]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np

from panoptic_ros.cli.main import main as panoptic
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.data.kitti_step import write_kitti_step

METRICS = "pq,miou,drivable,stq,vpq,clear,hota,idf1"


def main() -> None:
    """Write the drives in KITTI-STEP's layout and score the pipeline on them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drives", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--html", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in range(args.drives):
            street = DrawnStreet(size=(1024, 512), fps=args.fps, seconds=args.seconds, seed=seed)
            write(folder, f"{seed:04}", street)
        words = ["eval", "--format", "kitti-step", "--engine", "drawn", "--metrics", METRICS]
        words += ["--gt", str(folder / "maps"), "--images", str(folder / "images")]
        words += ["--fps", str(args.fps)]
        panoptic([*words, "--html", str(args.html)] if args.html else words)


def write(folder: Path, sequence: str, street: DrawnStreet) -> None:
    """Write one drive."""
    maps, images = folder / "maps" / sequence, folder / "images" / sequence
    for place in (maps, images):
        place.mkdir(parents=True)
    for number, (frame, truth) in enumerate(street):
        write_kitti_step(maps / f"{number:06}.png", truth.labels, truth.ids)
        image = np.ascontiguousarray(frame.image[..., ::-1])
        cv2.imwrite(str(images / f"{number:06}.png"), image)


if __name__ == "__main__":
    main()
