# SPDX-License-Identifier: Apache-2.0
"""What cutting a long bag changes: a video becomes a bag, labelled in one piece and in parts.

python benchmarks/fleet_cut.py VIDEO --seconds 24 --cut-s 6 --overlap-s 1.5
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.config import PipelineConfig
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.job_engine import model_sha256
from panoptic_ros.fleet.label_bag import label_bag
from panoptic_ros.fleet.opened import OpenedBag
from panoptic_ros.fleet.parts.cut import Cut
from panoptic_ros.messages.convert import COMPRESSED_IMAGE
from panoptic_ros.metrics.intersections import intersect
from panoptic_ros.recordings.bag_writer import BagWriter, typestore
from panoptic_ros.recordings.open import open_source
from panoptic_ros.recordings.published import PublishedResults
from panoptic_ros.recordings.source import FIRST_STAMP_NS, TimeRange

TOPIC = "/camera/image/compressed"
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, eq=False)
class Labels:
    """What one run says about a frame: classes and ids of all pixels."""

    stamp_ns: int
    labels: NDArray[np.uint8]
    ids: NDArray[np.uint16]


def main() -> None:
    """Print what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--seconds", type=float, default=24.0)
    parser.add_argument("--rate", type=float, default=10.0, help="images per second of the bag")
    parser.add_argument("--cut-s", type=float, default=6.0)
    parser.add_argument("--overlap-s", type=float, default=1.5)
    parser.add_argument("--engine", default="street_fast")
    args = parser.parse_args()
    job = Job(args.engine, model_sha256(args.engine))
    cut = Cut(args.cut_s, args.overlap_s)
    with tempfile.TemporaryDirectory() as folder:
        bag = Path(folder, "drive.mcap")
        write_bag(bag, args.video, args.seconds, args.rate)
        whole = run(bag, Path(folder, "whole"), job, "in one piece")
        parts = run(bag, Path(folder, "parts"), replace(job, cut=cut), "in parts")
        with OpenedBag(str(bag), Path(folder), 0) as opened:
            cuts_ns = [part.start_ns for part in opened.parts(cut)[1:]]
        tell(whole, parts, cuts_ns)


def write_bag(path: Path, video: Path, seconds: float, rate: float) -> None:
    """Write a video's images as JPEG messages, so many in a second."""
    types, due_ns = typestore().types, FIRST_STAMP_NS
    with open_source(video, span=TimeRange(0.0, seconds)) as source, BagWriter(path) as writer:
        for recorded in source.frames():
            stamp_ns = recorded.frame.stamp_ns
            if stamp_ns < due_ns:
                continue
            due_ns += round(SECOND_NS / rate)
            stamp = types["builtin_interfaces/msg/Time"](*divmod(stamp_ns, SECOND_NS))
            header = types["std_msgs/msg/Header"](stamp, "camera")
            data = cv2.imencode(".jpg", recorded.frame.image[..., ::-1])[1].reshape(-1)
            writer.write(TOPIC, types[COMPRESSED_IMAGE](header, "jpeg", data), stamp_ns)


def run(bag: Path, out: Path, job: Job, words: str) -> list[Labels]:
    """Label the bag and read the labels."""
    started = time.process_time()
    report = label_bag(str(bag), str(out), job)
    print(
        f"{words}: {report.status}, {report.frames} frames, "
        f"{time.process_time() - started:.1f} s of CPU time {report.error}"
    )
    with PublishedResults(next(out.glob("*/*.labels.mcap"))) as published:
        return [Labels(one.stamp_ns, one.labels, one.ids) for one in published.frames()]


def tell(whole: list[Labels], parts: list[Labels], cuts_ns: list[int]) -> None:
    """Print what differs."""
    pairs = list(zip(whole, parts, strict=True))
    same = [np.array_equal(one.labels, other.labels) for one, other in pairs]
    pixels = np.mean([np.mean(one.labels != other.labels) for one, other in pairs])
    ids = [np.array_equal(one.ids, other.ids) for one, other in pairs]
    print(f"classes: equal in {sum(same)} of {len(same)} frames, {100 * pixels:.4f} % of pixels")
    print(f"ids: equal in {sum(ids)} of {len(ids)} frames, without any renaming")
    print(f"objects: {objects(whole)} in one piece, {objects(parts)} in parts")
    joined = split = 0
    lost_ns = round(PipelineConfig().tracking.lost_after_s * 1e9)
    for cut_ns in cuts_ns:
        before = partners(pairs, cut_ns - lost_ns, cut_ns, newest=True)
        after = partners(pairs, cut_ns, cut_ns + lost_ns, newest=False)
        crossing = before.keys() & after.keys()
        kept = sum(before[one] == after[one] for one in crossing)
        joined, split = joined + kept, split + len(crossing) - kept
    print(f"objects over {len(cuts_ns)} cuts: {joined} joined, {split} split")


def objects(run: list[Labels]) -> int:
    """Count the ids of a run."""
    return len({number for one in run for number in np.unique(one.ids).tolist()} - {0})


def partners(
    pairs: list[tuple[Labels, Labels]], start_ns: int, end_ns: int, newest: bool
) -> dict[int, int]:
    """Give for every object of the whole run the id of its mask in parts, near one time."""
    found: dict[int, int] = {}
    for one, other in pairs if newest else reversed(pairs):
        if start_ns <= one.stamp_ns < end_ns:
            found.update(matches(one.ids, other.ids))
    return found


def matches(ids: NDArray[np.uint16], other: NDArray[np.uint16]) -> dict[int, int]:
    """Pair objects whose masks overlap by more than a half."""
    shared = intersect(ids, other)
    areas, other_areas = shared.truth_areas(), shared.predicted_areas()
    rows = zip(
        shared.truth.tolist(), shared.predicted.tolist(), shared.pixels.tolist(), strict=True
    )
    return {
        one: two
        for one, two, pixels in rows
        if one and two and 2 * pixels > areas[one] + other_areas[two] - pixels
    }


if __name__ == "__main__":
    main()
