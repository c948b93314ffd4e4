# SPDX-License-Identifier: Apache-2.0
"""Every drawn scene with exact masks: each object keeps its id from first frame to last."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.classes.label_documents import read_label_set
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.types import Panoptic, Track
from panoptic_ros.metrics.object_tracking import ObjectTracking
from panoptic_ros.metrics.tracking_quality import TrackingQuality
from test.drawn.drawn_scenes import SCENES
from test.drawn.drawn_world import Scene
from test.drawn.follower import Follower

OBJECT, VOID = 0, 255


def track_ids(panoptic: Panoptic, tracks: tuple[Track, ...]) -> NDArray[np.uint16]:
    table = np.zeros(len(panoptic.segments) + 1, np.uint16)
    for track in tracks:
        table[list(track.segment_ids)] = track.id
    return table[panoptic.ids]


@pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])
def test_every_object_keeps_its_id(scene: Scene) -> None:
    labels = read_label_set(resource("config", "labels", "cityscapes.yaml"))
    follower = Follower(labels=labels)
    tubes, objects = TrackingQuality(1, [OBJECT]), ObjectTracking()
    for frame in scene:
        tracks = follower.objects(frame.panoptic, frame.stamp_ns, frame.thumbnail)
        ids = track_ids(frame.panoptic, tracks)
        # Ids alone are scored: whether a car was called a truck is another matter.
        classes = (np.where(one > 0, OBJECT, VOID).astype(np.uint8) for one in (frame.ids, ids))
        truth_classes, classes_seen = classes
        tubes.update(truth_classes, frame.ids, classes_seen, ids)
        objects.update(frame.ids, ids)
    assert objects.result().clear.id_switches == 0
    assert tubes.result().all.aq >= 0.97


def test_there_are_enough_scenes_and_they_are_full() -> None:
    assert len(SCENES) >= 20
    for scene in SCENES:
        assert sum(int((frame.ids > 0).sum() > 0) for frame in scene) >= 20, scene.name
