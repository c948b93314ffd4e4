# SPDX-License-Identifier: Apache-2.0
"""STQ of a drawn drive at KITTI's size: milliseconds a frame, maps already in memory.

Run: python benchmarks/tracking_quality.py [--frames 60]
"""

from __future__ import annotations

import argparse
import time
from itertools import pairwise

import numpy as np

from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.metrics.tracking_quality import TrackingQuality

SIZE = (1242, 375)
CLASS_COUNT = 19
PERSON, CAR = 11, 13


def main() -> None:
    """Score every frame against its neighbour and print percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=60)
    frames = parser.parse_args().frames
    street = DrawnStreet(size=SIZE)
    drive = [street.draw(number)[1] for number in range(frames + 1)]
    metric = TrackingQuality(CLASS_COUNT, [PERSON, CAR])
    spent_ms = []
    for truth, predicted in pairwise(drive):
        start = time.perf_counter()
        metric.update(truth.labels, truth.ids, predicted.labels, predicted.ids)
        spent_ms.append((time.perf_counter() - start) * 1e3)
    start = time.perf_counter()
    score = metric.result().all
    result_ms = (time.perf_counter() - start) * 1e3
    p50, p99 = np.percentile(spent_ms, [50, 99])
    print(f"{frames} frames at {SIZE[0]}x{SIZE[1]}, STQ {100 * score.stq:.2f}")
    print(f"update  p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    print(f"result      {result_ms:.2f} ms")


if __name__ == "__main__":
    main()
