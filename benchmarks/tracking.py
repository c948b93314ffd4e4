# SPDX-License-Identifier: Apache-2.0
"""Our tracker beside ByteTrack and OC-SORT of roboflow's ``trackers``: ids, and time in one run.

Run from the root: python -m benchmarks.tracking [--parts ids,time,drive]
    [--images FOLDER --fps 10 --engine street_fast --cache FOLDER]

ids: the drawn scenes of the tests, with known ids. time: 640x384, 40 objects, one core. drive:
the objects that a model sees in a folder of images, whose ids nobody knows; predictions are kept
in the cache folder.
"""

from __future__ import annotations

import argparse
import importlib.util
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.core import Traffic
from benchmarks.tracking_lives import HEADER, IdHistories
from benchmarks.tracking_peers import HOW_TO_INSTALL, Follow, contestants, ours
from panoptic_ros.core.classes.label_documents import read_label_set
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.decode import decode
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.geometry import shrink, thumbnail
from panoptic_ros.core.types import Panoptic
from panoptic_ros.metrics.object_tracking import ObjectTracking
from panoptic_ros.metrics.tracking_quality import TrackingQuality
from test.drawn.drawn_scenes import SCENES
from test.drawn.drawn_world import DrawnFrame, Scene

SIZE, OBJECTS = (640, 384), 40
WARM_UP, ROUNDS = 60, 400
FRAME_NS = 40_000_000

Contestants = dict[str, Callable[[], Follow]]


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default="ids,time")
    parser.add_argument("--images", type=Path)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--engine", default="street_fast")
    parser.add_argument("--cache", type=Path, help="keep predictions here")
    args = parser.parse_args()
    if not _has_peers():
        print(HOW_TO_INSTALL)
    cv2.setNumThreads(1)
    parts = args.parts.split(",")
    if "ids" in parts:
        compare_ids()
    if "time" in parts:
        compare_times()
    if "drive" in parts:
        if args.images is None:
            parser.error("--parts drive needs --images")
        compare_lives(args.images, args.fps, args.engine, args.cache)


def _runners(fps: float) -> Contestants:
    """All that are installed."""
    return contestants(fps) if _has_peers() else {"ours": ours}


def _has_peers() -> bool:
    return importlib.util.find_spec("trackers") is not None


def compare_ids() -> None:
    """Score every contestant on every drawn scene."""
    names = list(_runners(15.0))
    print(f"{'AQ, id switches, IDF1':<34}" + "".join(f"{name:>22}" for name in names))
    rows = []
    for scene in SCENES:
        frames = list(scene)
        row = [_score(start(), frames) for start in _runners(_fps(scene)).values()]
        print(f"{scene.name:<34}" + "".join(f"{a:10.3f}{s:5d}{i:7.3f}" for a, s, i in row))
        rows.append(row)
    table = np.array(rows)
    total = zip(table[..., 0].mean(0), table[..., 1].sum(0), table[..., 2].mean(0), strict=True)
    print(f"{'mean, sum, mean':<34}" + "".join(f"{a:10.3f}{s:5.0f}{i:7.3f}" for a, s, i in total))


def _fps(scene: Scene) -> float:
    return 1.0 / float(np.median(np.diff(scene.times_s)))


def _score(follow: Follow, frames: list[DrawnFrame]) -> tuple[float, int, float]:
    tubes, objects = TrackingQuality(1, [0]), ObjectTracking()
    for frame in frames:
        step = follow(frame.panoptic, frame.stamp_ns, frame.thumbnail)
        ids = step.ids[frame.panoptic.ids]
        # Ids alone are scored, whatever the classes.
        true, seen = (np.where(one > 0, 0, 255).astype(np.uint8) for one in (frame.ids, ids))
        tubes.update(true, frame.ids, seen, ids)
        objects.update(frame.ids, ids)
    found = objects.result()
    return tubes.result().all.aq, found.clear.id_switches, found.identity.idf1


def compare_times() -> None:
    """Measure all by turns on the same frames."""
    frames = list(_traffic())
    order = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    running = {name: start() for name, start in _runners(25.0).items()}
    spent: dict[str, list[float]] = {name: [] for name in running}
    for number in range(WARM_UP + ROUNDS):
        panoptic, image = frames[order[number % len(order)]]
        for name, follow in running.items():
            spent[name].append(follow(panoptic, (number + 1) * FRAME_NS, image).spent_ms)
    print(f"{SIZE[0]}x{SIZE[1]}, {len(frames[0][0].segments)} objects, {ROUNDS} frames, by turns")
    print(f"{'ms':<20}{'p50':>8}{'p99':>8}{'times ours':>12}")
    base = float(np.median(spent["ours"][WARM_UP:]))
    for name, times in spent.items():
        p50, p99 = np.percentile(times[WARM_UP:], (50, 99))
        print(f"{name:<20}{p50:8.2f}{p99:8.2f}{p50 / base:12.2f}")


def _traffic() -> Iterator[tuple[Panoptic, np.ndarray]]:
    labels = read_label_set(resource("config", "labels", "cityscapes.yaml"))
    traffic = Traffic(SIZE, OBJECTS, labels)
    coarse = np.random.default_rng(2).integers(0, 256, (24, 40, 3)).astype(np.uint8)
    ground = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC)
    for number in range(32):
        yield traffic.frame(number), thumbnail(ground)


def compare_lives(images: Path, fps: float, engine: str, cache: Path | None) -> None:
    """Follow what a model sees in a drive, and say how long ids last."""
    frames = _predictions(images, engine, cache)
    print(f"{images}, {len(frames)} frames at {fps:g}/s, {engine}")
    print(f"{'':<20}{HEADER}")
    for name, start in _runners(fps).items():
        follow, id_histories = start(), IdHistories(fps)
        for number, (panoptic, image) in enumerate(frames, start=1):
            id_histories.add(panoptic, follow(panoptic, round(number * 1e9 / fps), image).ids)
        print(f"{name:<20}{id_histories.line()}")


def _predictions(
    images: Path, engine: str, cache: Path | None
) -> list[tuple[Panoptic, np.ndarray]]:
    kept = None if cache is None else cache / f"{images.parent.name}_{engine}.pickle"
    if kept is not None and kept.exists():
        # Our own file from an earlier run.
        frames: list[tuple[Panoptic, np.ndarray]] = pickle.loads(kept.read_bytes())  # noqa: S301
        return frames
    frames = list(_predict(images, engine))
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(frames))
    return frames


def _predict(images: Path, engine: str) -> Iterator[tuple[Panoptic, np.ndarray]]:
    from panoptic_ros.engine.open import open_engine

    with open_engine(engine) as network:
        for path in sorted(images.iterdir()):
            image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            small = shrink(image, network.input)
            heads = network.infer(small)
            yield decode(heads, network.spec.labels, DecodeConfig()), thumbnail(small)


if __name__ == "__main__":
    main()
