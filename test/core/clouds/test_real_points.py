# SPDX-License-Identifier: Apache-2.0
"""A real LiDAR beside a real camera: the queue of traffic stands where it stands."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.core.clouds.boxes import ObjectBox, boxes_of
from panoptic_ros.core.clouds.cloud import LabelledCloud, PointCloud
from panoptic_ros.core.clouds.labelling import label_cloud
from panoptic_ros.core.clouds.object_filter import ObjectFilter
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.types import Frame
from panoptic_ros.data.images import read_image
from panoptic_ros.engine.open import open_engine

pytestmark = pytest.mark.lidar

FRAMES = 4
AHEAD_M = 12.0


def drive(folder: Path) -> list[tuple[LabelledCloud, list[ObjectBox]]]:
    """The first frames of a drive, labelled by the shipped model."""
    pytest.importorskip("onnxruntime")
    about = json.loads((folder / "sequence.json").read_text())
    size = (about["width"], about["height"])
    k = np.array(about["camera_matrix"]).ravel()
    camera = CameraModel.of(size, "plumb_bob", k, about["distortion"])
    pose, tracked, found = np.array(about["camera_from_lidar"]), ObjectFilter(), []
    with closing(open_engine("street_fast")) as engine:
        pipeline = Pipeline(engine)
        for number in range(FRAMES):
            stamp_ns = 10**9 + number * 10**8
            values = np.load(folder / f"points/{number:06d}.npy")
            image = read_image(folder / f"images/{number:06d}.jpg")
            result = pipeline.step(Frame(image, stamp_ns, "camera"))
            points = np.ascontiguousarray(values[:, :3])
            cloud = PointCloud(points, values[:, 3], (1, len(points)), stamp_ns, "lidar")
            labelled = label_cloud(cloud, result, camera, pose)
            boxes = boxes_of(labelled, np.array([0.0, 0.0, 1.0]))
            found.append((labelled, tracked.update(boxes, stamp_ns)))
    return found


def test_the_car_ahead_is_found_where_the_lidar_sees_it(lidar: Path) -> None:
    seen = []
    for labelled, boxes in drive(lidar):
        # By the points alone: what is nearest ahead, above the road.
        points = labelled.cloud.points
        ahead = points[(np.abs(points[:, 1] + 0.3) < 0.5) & (points[:, 2] > -1.2)]
        nearest_m = float(np.percentile(ahead[:, 0], 2))
        near = [b for b in boxes if abs(b.center[1]) < 1.5 and b.center[0] < AHEAD_M]
        assert len(near) == 1
        assert near[0].distance_m == pytest.approx(nearest_m, abs=0.5)
        assert 1.2 < near[0].size[:2].max() < 3.5
        seen.append(near[0])
    assert len({box.track.id for box in seen}) == 1
    assert np.abs(seen[-1].velocity).max() < 4.0


def test_most_points_of_the_car_ahead_agree(lidar: Path) -> None:
    labelled, boxes = drive(lidar)[-1]
    box = min(boxes, key=lambda one: abs(one.center[1]) + one.distance_m)
    local = (labelled.cloud.points[labelled.view.index] - box.center) @ box.axes
    inside = (np.abs(local) < 0.5 * box.size - 0.1).all(axis=1)
    ids = labelled.ids[labelled.view.index][inside]
    assert inside.sum() > 200
    assert (ids == box.track.id).mean() > 0.9
