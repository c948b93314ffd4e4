# SPDX-License-Identifier: Apache-2.0
"""Time what consumers' topics cost at 1280x720: python benchmarks/consumers.py [PICTURE]."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from panoptic_ros.core.classes.remap import usual_remaps
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import Frame
from panoptic_ros.engine.open import open_engine
from panoptic_ros.messages.context import FrameContext
from panoptic_ros.messages.topics import build_messages
from panoptic_ros.recordings.bag_writer import bag_types

SIZE = (720, 1280)
TOPICS = (
    "label",
    "label/compressed",
    "instance",
    "instance/compressed",
    "remapped/label",
    "dynamic_mask",
    "autoware_mask",
)
ROUNDS = 200


def median_ms(work: Callable[[], Any]) -> tuple[float, float]:
    """Median and 99th percentile of many calls, in ms."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1e3)
    return float(np.median(taken)), float(np.percentile(taken, 99))


def result_of(path: str | None) -> Result:
    """Run the shipped network over an image, or over noise-free colours where none is given."""
    image = np.zeros((*SIZE, 3), np.uint8) if path is None else cv2.imread(path)
    if image is None:
        sys.exit(f"{path} cannot be read")
    image = cv2.resize(image, SIZE[::-1])[..., ::-1]
    return Pipeline(open_engine("street_fast")).step(Frame(image, 1))


def main() -> None:
    """Print a table: topic, median, 99th percentile, bytes of its payload."""
    cv2.setNumThreads(1)
    result, types = result_of(sys.argv[1] if len(sys.argv) > 1 else None), bag_types()
    remaps = usual_remaps(result.label_set)
    stamp = types.make("builtin_interfaces/msg/Time", sec=0, nanosec=1)
    header = types.make("std_msgs/msg/Header", stamp=stamp, frame_id="")
    for topic in TOPICS:

        def make(topic: str = topic) -> Any:
            return build_messages((topic,), FrameContext(result, types, header, remaps))[topic]

        middle, late = median_ms(make)
        print(f"{topic:22s} {middle:6.2f} ms  p99 {late:6.2f} ms  {make().data.size:8d} B")


if __name__ == "__main__":
    main()
