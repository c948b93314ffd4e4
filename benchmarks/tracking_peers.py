# SPDX-License-Identifier: Apache-2.0
"""Trackers under one roof: ours and those of roboflow's ``trackers``, given the same objects."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from panoptic_ros.core.classes.label_documents import read_label_set
from panoptic_ros.core.config import TrackConfig
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.tracking import Tracker
from panoptic_ros.core.tracking.camera_motion import UNKNOWN
from panoptic_ros.core.tracking.ego_motion import EgoMotion
from panoptic_ros.core.types import Panoptic

HOW_TO_INSTALL = (
    "roboflow's trackers are not installed; their wheels ask for opencv-python, which writes over "
    "opencv-python-headless, so leave the dependencies out: pip install --no-deps trackers "
    "supervision pydeprecate requests urllib3 certifi idna charset-normalizer defusedxml rich tqdm"
)


@dataclass(frozen=True, eq=False)
class Step:
    """What a tracker made of one frame: the id of each segment, 0 for none, and how long it took.

    ``ids[segment.id]``, (segments + 1,).
    """

    ids: np.ndarray
    spent_ms: float


Follow = Callable[[Panoptic, int, "np.ndarray | None"], Step]
"""(map, stamp in ns, thumbnail) -> Step."""


def ours() -> Follow:
    """Start this package's tracker."""
    labels = read_label_set(resource("config", "labels", "cityscapes.yaml"))
    tracker, ego_motion = Tracker(TrackConfig(), labels), EgoMotion()

    def follow(panoptic: Panoptic, stamp_ns: int, thumbnail: np.ndarray | None) -> Step:
        start = time.perf_counter()
        motion = UNKNOWN if thumbnail is None else ego_motion.update(thumbnail, panoptic)
        tracks = tracker.update(panoptic, stamp_ns, motion)
        spent_ms = (time.perf_counter() - start) * 1e3
        ids = np.zeros(len(panoptic.segments) + 1, np.uint16)
        for track in tracks:
            ids[list(track.segment_ids)] = track.id
        return Step(ids, spent_ms)

    return follow


def peer(kind: str, fps: float, **options: Any) -> Follow:
    """Start one of theirs; it gets the boxes, scores and classes of the segments.

    Args:
        kind: Name of its class in ``trackers``.
        fps: Frames per second, from which it counts how long a track may be lost.
        options: Its other parameters.
    """
    import supervision
    import trackers

    tracker = getattr(trackers, kind)(frame_rate=fps, **options)

    def follow(panoptic: Panoptic, stamp_ns: int, thumbnail: np.ndarray | None) -> Step:
        segments = panoptic.segments
        found = supervision.Detections(
            xyxy=np.array([s.box for s in segments], np.float32).reshape(-1, 4),
            confidence=np.array([s.score for s in segments], np.float32),
            class_id=np.array([s.label for s in segments], int),
            data={"segment": np.array([s.id for s in segments], int)},
        )
        start = time.perf_counter()
        seen = tracker.update(found)
        spent_ms = (time.perf_counter() - start) * 1e3
        ids = np.zeros(len(segments) + 1, np.uint16)
        # They count from 0 on; -1 is a box without a track.
        if len(seen):
            ids[seen.data["segment"]] = np.maximum(seen.tracker_id + 1, 0)
        return Step(ids, spent_ms)

    return follow


def contestants(fps: float) -> dict[str, Callable[[], Follow]]:
    """Name them: theirs with their defaults, and eager, tracking all that ours may track.

    Args:
        fps: Frames per second of the sequence.
    """
    sure = TrackConfig().birth_score
    eager = {"minimum_consecutive_frames": 1, "high_conf_det_threshold": sure}
    return {
        "ours": ours,
        "ByteTrack": lambda: peer("ByteTrackTracker", fps),
        "ByteTrack eager": lambda: peer(
            "ByteTrackTracker", fps, track_activation_threshold=sure, **eager
        ),
        "OC-SORT": lambda: peer("OCSORTTracker", fps),
        "OC-SORT eager": lambda: peer("OCSORTTracker", fps, **eager),
    }
