# SPDX-License-Identifier: Apache-2.0
"""What each stage of ``core`` costs on drawn traffic, apart from the network.

Run: python benchmarks/core.py [--size 512x256] [--objects 40] [--rounds 300]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from panoptic_ros.core.classes.label_documents import read_label_set
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DrivableConfig, TrackConfig
from panoptic_ros.core.decoding.decode import bounding_boxes
from panoptic_ros.core.drivable.filter import find_drivable
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.geometry import thumbnail
from panoptic_ros.core.mailbox import Mailbox
from panoptic_ros.core.overlap import overlap
from panoptic_ros.core.tracking import Tracker
from panoptic_ros.core.tracking.ego_motion import EgoMotion
from panoptic_ros.core.types import VOID, Panoptic, Segment

FRAME_NS = 40_000_000
WARM_UP = 20


def main() -> None:
    """Measure and print one line for each stage."""
    args = _arguments()
    cv2.setNumThreads(1)
    labels = read_label_set(resource("config", "labels", "cityscapes.yaml"))
    traffic = Traffic(args.size, args.objects, labels)
    frames = [traffic.frame(number) for number in range(32)]
    visible = np.mean([len(frame.segments) for frame in frames])
    print(f"{args.size[0]}x{args.size[1]}, {visible:.1f} objects in sight, {args.rounds} rounds")
    print(f"{'ms':<16}{'p50':>8}{'p95':>8}{'p99':>8}")
    for name, stage in _stages(frames, labels):
        p50, p95, p99 = np.percentile(_measure(stage, args.rounds), (50, 95, 99))
        print(f"{name:<16}{p50:8.3f}{p95:8.3f}{p99:8.3f}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=_size, default=(512, 256), help="WIDTHxHEIGHT of the map")
    parser.add_argument("--objects", type=int, default=40, help="objects in the scene")
    parser.add_argument("--rounds", type=int, default=300, help="measurements of each stage")
    return parser.parse_args()


def _size(text: str) -> tuple[int, int]:
    width, height = text.split("x")
    return int(width), int(height)


class Traffic:
    """Road, pavement and sky with cars and persons that drift, nearer ones in front."""

    def __init__(self, size: tuple[int, int], objects: int, labels: LabelSet) -> None:
        rng = np.random.default_rng(0)
        self._width, self._height = size
        self._labels = labels
        car, person = labels.index("car"), labels.index("person")
        self._classes = [car if rng.random() < 0.7 else person for _ in range(objects)]
        self._y = np.sort(rng.uniform(0.4, 0.85, objects))
        self._x = rng.uniform(0.05, 0.95, objects)
        self._speed = rng.uniform(-0.004, 0.004, objects)
        self._confidence = rng.integers(150, 256, (self._height, self._width)).astype(np.uint8)

    def frame(self, number: int) -> Panoptic:
        """Paint moment ``number``; segments are numbered as the network might, in turn."""
        labels = self._background()
        ids = np.zeros(labels.shape, np.uint16)
        for index, label in enumerate(self._classes):
            scale = 0.05 + 0.35 * (self._y[index] - 0.4)
            center = (self._x[index] + self._speed[index] * number, self._y[index])
            middle = (int(center[0] * self._width), int(center[1] * self._height))
            extent = (max(2, int(scale * self._width / 2)), max(2, int(scale * self._height)))
            cv2.ellipse(ids, middle, extent, 0, 0, 360, index + 1, cv2.FILLED)
            cv2.ellipse(labels, middle, extent, 0, 0, 360, label, cv2.FILLED)
        return self._numbered(labels, ids)

    def _background(self) -> np.ndarray:
        width, height = self._width, self._height
        labels = np.full((height, width), self._labels.index("sky"), np.uint8)
        labels[int(0.4 * height) :] = self._labels.index("sidewalk")
        road = [
            (0, height),
            (int(0.45 * width), int(0.4 * height)),
            (int(0.55 * width), int(0.4 * height)),
            (width, height),
        ]
        cv2.fillPoly(labels, [np.array(road, np.int32)], self._labels.index("road"))
        speckle = np.random.default_rng(1).random(labels.shape) < 0.002
        labels[speckle] = VOID
        return labels

    def _numbered(self, labels: np.ndarray, painted: np.ndarray) -> Panoptic:
        areas = np.bincount(painted.ravel(), minlength=len(self._classes) + 1)
        seen = 1 + np.flatnonzero(areas[1:])
        table = np.zeros(areas.size, np.uint16)
        table[seen] = np.arange(1, seen.size + 1)
        ids = table[painted]
        boxes = bounding_boxes(ids, seen.size)
        segments = tuple(
            Segment(i, self._classes[old - 1], 0.9, int(areas[old]), box)
            for i, (old, box) in enumerate(zip(seen.tolist(), boxes, strict=True), start=1)
        )
        return Panoptic(labels, ids, self._confidence, segments)


def _stages(
    frames: list[Panoptic], labels: LabelSet
) -> Iterator[tuple[str, Callable[[int], object]]]:
    """Each stage as a function of the round."""
    rng = np.random.default_rng(2)
    height, width = frames[0].ids.shape
    noise = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    images = [np.roll(noise, 2 * number, axis=1) for number in range(len(frames))]
    # The scene goes to and fro, so that no frame follows one that is far from it.
    order = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    tracker, ego_motion, mailbox = Tracker(TrackConfig()), EgoMotion(), Mailbox[int]()

    def at(number: int) -> Panoptic:
        return frames[order[number % len(order)]]

    def track(number: int) -> object:
        small = thumbnail(images[order[number % len(order)]])
        motion = ego_motion.update(small, at(number))
        return tracker.update(at(number), (number + 1) * FRAME_NS, motion)

    def post(number: int) -> object:
        mailbox.put("front", number)
        return mailbox.take(0)

    yield "overlap", lambda n: overlap(at(n).ids, at(n + 1).ids)
    yield "thumbnail+track", track
    yield "find_drivable", lambda n: find_drivable(at(n), labels, DrivableConfig())
    yield "mailbox", post


def _measure(stage: Callable[[int], object], rounds: int) -> list[float]:
    times = []
    for number in range(rounds + WARM_UP):
        start = time.perf_counter()
        stage(number)
        times.append((time.perf_counter() - start) * 1e3)
    return times[WARM_UP:]


if __name__ == "__main__":
    main()
