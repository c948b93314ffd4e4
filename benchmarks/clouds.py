# SPDX-License-Identifier: Apache-2.0
"""What labelling a point cloud costs, and how well labels and geometry agree on real frames.

Run: python benchmarks/clouds.py FOLDER [--engine street_sharp] [--frame 10] [--image OUT.jpg]

FOLDER holds ``images/``, ``points/`` and ``sequence.json`` of a drive with camera and LiDAR.
Nothing in it is labelled, so the points are divided into clusters by their geometry alone, and the
labels are held against these. Times are of one core: set OPENBLAS_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from panoptic_ros.core.allocation import keep_freed_memory
from panoptic_ros.core.clouds.boxes import ObjectBox, boxes_of
from panoptic_ros.core.clouds.cloud import LabelledCloud, PointCloud
from panoptic_ros.core.clouds.labelling import label_cloud
from panoptic_ros.core.clouds.object_filter import ObjectFilter
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import VOID, Frame
from panoptic_ros.data.images import read_image
from panoptic_ros.engine.open import open_engine

UP = np.array([0.0, 0.0, 1.0])
COUNT = 20_000
RADIUS_M, FARTHEST_M, LEAST_POINTS = 0.4, 40.0, 30
"""Of clusters."""

ABOVE_GROUND_M = 0.3
_EDGES = tuple((start, start | bit) for start in range(8) for bit in (1, 2, 4) if not start & bit)
"""Pairs of corners of a box."""


@dataclass(frozen=True, eq=False)
class Drive:
    """A camera and a LiDAR on one vehicle."""

    folder: Path
    camera: CameraModel
    camera_from_lidar: NDArray[np.float64]
    rate_hz: float
    height_m: float

    @classmethod
    def read(cls, folder: Path) -> Drive:
        """Read ``sequence.json``."""
        about = json.loads((folder / "sequence.json").read_text())
        size = (about["width"], about["height"])
        k = np.array(about["camera_matrix"]).ravel()
        camera = CameraModel.of(size, "plumb_bob", k, about["distortion"])
        pose = np.array(about["camera_from_lidar"])
        return cls(folder, camera, pose, about["rate_hz"], about["lidar_height_m"])

    def frames(self) -> Iterator[tuple[Frame, PointCloud]]:
        """Yield the images with their clouds."""
        for number, path in enumerate(sorted((self.folder / "points").glob("*.npy"))):
            stamp_ns = 1_000_000_000 + round(number * 1e9 / self.rate_hz)
            image = read_image(self.folder / "images" / f"{path.stem}.jpg")
            values = np.load(path)
            points = np.ascontiguousarray(values[:, :3])
            shape = (1, len(points))
            yield (
                Frame(image, stamp_ns, "camera"),
                PointCloud(points, values[:, 3], shape, stamp_ns, "lidar"),
            )


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", default="street_sharp")
    parser.add_argument("--frame", type=int, default=10, help="which one is drawn")
    parser.add_argument("--image", type=Path, help="where it is drawn")
    args = parser.parse_args()
    keep_freed_memory()  # as the node does
    cv2.setNumThreads(1)
    drive = Drive.read(args.folder)
    with closing(open_engine(args.engine)) as engine:
        print(engine.description)
        pipeline = Pipeline(engine)
        results = [(pipeline.step(frame), cloud) for frame, cloud in drive.frames()]
    print_times(drive, results)
    print_agreement(drive, results)
    if args.image:
        draw(drive, results, args.frame, args.image)


def print_times(drive: Drive, results: list[tuple[Result, PointCloud]]) -> None:
    """Print medians over the frames, of clouds thinned out or filled up to ``COUNT`` points."""
    rng = np.random.default_rng(0)
    labelling, boxing, objects = [], [], []
    for (result, cloud), (_, other) in pairwise(results):
        both = np.concatenate((cloud.points, other.points))
        chosen = np.sort(rng.choice(len(both), COUNT, replace=False))
        points = np.ascontiguousarray(both[chosen])
        full = PointCloud(points, np.zeros(COUNT, np.float32), (1, COUNT), cloud.stamp_ns)
        pose = drive.camera_from_lidar
        labelled = label_cloud(full, result, drive.camera, pose)
        work = partial(label_cloud, full, result, drive.camera, pose)
        labelling.append(_median_ms(work))
        boxing.append(_median_ms(partial(boxes_of, labelled, UP)))
        objects.append(len(boxes_of(labelled, UP)))
    print(
        f"{COUNT} points: labels {statistics.median(labelling):.2f} ms (quickest frame "
        f"{min(labelling):.2f}), boxes of "
        f"{statistics.median(objects):.0f} objects {statistics.median(boxing):.2f} ms "
        f"(medians over {len(labelling)} frames, CPU time of one thread)"
    )


def _median_ms(work: Callable[[], object], rounds: int = 15) -> float:
    times = []
    for _ in range(rounds):
        start = time.thread_time()
        work()
        times.append(1e3 * (time.thread_time() - start))
    return statistics.median(times)


def clusters(drive: Drive, cloud: PointCloud) -> NDArray[np.intp]:
    """Number of every point's cluster above the ground, -1 for none; by geometry alone."""
    away = np.linalg.norm(cloud.points, axis=1)
    high = cloud.points[:, 2] > ABOVE_GROUND_M - drive.height_m
    chosen = np.flatnonzero(high & (away < FARTHEST_M))
    pairs = cKDTree(cloud.points[chosen]).query_pairs(RADIUS_M, output_type="ndarray")
    size = (chosen.size, chosen.size)
    graph = coo_matrix((np.ones(len(pairs), np.bool_), pairs.T), shape=size)
    numbers = np.full(len(cloud), -1)
    numbers[chosen] = connected_components(graph, directed=False)[1]
    return numbers


def print_agreement(drive: Drive, results: list[tuple[Result, PointCloud]]) -> None:
    """Hold labels against clusters, with and without what is done about hidden points."""
    rows: dict[str, list[tuple[int, int, int, int]]] = {"pixel alone": [], "as published": []}
    seen, lost = 0, 0
    for result, cloud in results:
        labelled = label_cloud(cloud, result, drive.camera, drive.camera_from_lidar)
        view = labelled.view
        of_pixels = result.track_labels().ravel()[view.pixels] != VOID
        seen += int(of_pixels.sum())
        lost += int((of_pixels & (labelled.labels[view.index] == VOID)).sum())
        group = clusters(drive, cloud)[view.index]
        plain = result.track_ids().ravel()[view.pixels]
        is_vehicle = _vehicles(result)
        rows["pixel alone"] += _agreement(group, plain, is_vehicle)
        rows["as published"] += _agreement(group, labelled.ids[view.index], is_vehicle)
    print(f"{100 * lost / seen:.1f} % of the points whose pixel has a label get none")
    for name, found in rows.items():
        inside, given, own, alone = np.sum(found, axis=0)
        print(
            f"{name}: {len(found)} clusters of vehicles in {len(results)} frames; "
            f"{100 * own / given:.1f} % of a cluster's labelled points agree "
            f"({100 * (inside - given) / inside:.1f} % have none); "
            f"{100 * own / alone:.1f} % of a vehicle's points above ground lie in its cluster"
        )


def _vehicles(result: Result) -> NDArray[np.bool_]:
    """Which track ids are vehicles' with four wheels."""
    names = {track.id: result.label_set.name_of(track.label) for track in result.tracks}
    table = np.zeros(65536, np.bool_)
    table[[number for number, name in names.items() if name in ("car", "truck", "bus")]] = True
    return table


def _agreement(
    group: NDArray[np.intp], ids: NDArray[np.uint16], is_vehicle: NDArray[np.bool_]
) -> list[tuple[int, int, int, int]]:
    """Count for every vehicle's cluster its points, those with an id and those with the vehicle's.

    The last number is that of the vehicle's points in any cluster. The vehicle of a cluster is the
    one with most of its points; the cluster of a vehicle is the one with most of the vehicle's.
    """
    found = []
    for number in np.flatnonzero(np.bincount(group[group >= 0]) >= LEAST_POINTS):
        inside = ids[group == number]
        given = inside[inside > 0]
        if given.size < LEAST_POINTS:
            continue
        own = int(np.bincount(given).argmax())
        others = group[(ids == own) & (group >= 0)]
        if is_vehicle[own] and np.bincount(others).argmax() == number:
            found.append((inside.size, given.size, int((given == own).sum()), others.size))
    return found


def draw(drive: Drive, results: list[tuple[Result, PointCloud]], wanted: int, path: Path) -> None:
    """Draw points and boxes of one frame over its image."""
    tracked = ObjectFilter()
    for result, cloud in results[: wanted + 1]:
        labelled = label_cloud(cloud, result, drive.camera, drive.camera_from_lidar)
        boxes = tracked.update(boxes_of(labelled, UP, least_points=20), cloud.stamp_ns)
    image = np.ascontiguousarray(result.frame.image[..., ::-1])
    image = cv2.resize(image, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    _draw_points(image, drive, labelled)
    for box in sorted(boxes, key=lambda one: -one.distance_m):
        _draw_box(image, drive, box)
    cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(f"{path}: {len(boxes)} boxes, {len(labelled.view)} points in view")


def color_of(number: int) -> tuple[int, int, int]:
    """A bright colour, BGR, that neighbouring ids do not share."""
    hsv = np.array([[[number * 67 % 180, 230, 255]]], np.uint8)
    blue, green, red = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0].tolist()
    return blue, green, red


def _pixels(drive: Drive, points: NDArray[np.float64]) -> NDArray[np.float64]:
    optical = points @ drive.camera_from_lidar[:3, :3].T + drive.camera_from_lidar[:3, 3]
    return (drive.camera.project(optical) + 0.5) * 1.5


def _draw_points(image: NDArray[np.uint8], drive: Drive, labelled: LabelledCloud) -> None:
    index = labelled.view.index[labelled.labels[labelled.view.index] != VOID]
    palette = labelled.result.label_set.palette[:, ::-1]
    places = _pixels(drive, labelled.cloud.points[index].astype(np.float64))
    for (x, y), point in zip(places, index, strict=True):
        number = int(labelled.ids[point])
        color = color_of(number) if number else palette[labelled.labels[point]].tolist()
        cv2.circle(image, (int(x), int(y)), 1, color, -1, cv2.LINE_AA)


def _draw_box(image: NDArray[np.uint8], drive: Drive, box: ObjectBox) -> None:
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    corners = _pixels(drive, box.center + (0.5 * signs * box.size) @ box.axes.T)
    if not np.isfinite(corners).all():
        return
    color = color_of(box.track.id)
    spots = [(int(x), int(y)) for x, y in np.clip(corners, -4000, 4000)]
    for start, end in _EDGES:
        cv2.line(image, spots[start], spots[end], color, 2, cv2.LINE_AA)
    speed = float(box.velocity @ box.center / np.linalg.norm(box.center))
    words = f"{box.track.id}  {box.distance_m:.1f} m"
    words += f"  {speed:+.1f} m/s" if np.isfinite(speed) else ""
    x, y = int(corners[:, 0].mean()), int(corners[:, 1].min()) - 6
    (width, height), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    x = max(2, min(x - width // 2, image.shape[1] - width - 4))
    y = max(height + 4, y)
    cv2.rectangle(image, (x - 3, y - height - 4), (x + width + 3, y + 4), (20, 20, 20), -1)
    cv2.putText(image, words, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, color, 1, cv2.LINE_AA)


if __name__ == "__main__":
    main()
