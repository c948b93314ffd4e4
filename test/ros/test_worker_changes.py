# SPDX-License-Identifier: Apache-2.0
"""What changes between two images counts from the next one; what cannot be used is counted."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from panoptic_ros.core.camera.camera_config import CameraLists
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.result import Result
from panoptic_ros.core.synthetic.engine import DrawnEngine
from panoptic_ros.core.synthetic.street import DrawnStreet
from test.drawn.drawn_worker import AGE_MS, at_work, image

STREET = next(iter(DrawnStreet(size=(512, 256))))[0].image


class Listener:
    """Keeps what goes out."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Result]] = []

    def __call__(self, result: Result, header: Any, config: NodeConfig) -> dict[str, float]:
        self.heard.append((header.frame_id, result))
        return {"publish": 3.0}

    @property
    def ids(self) -> list[set[int]]:
        return [{track.id for track in result.tracks} for _, result in self.heard]


def test_tracks_are_forgotten_once_for_each_time_it_is_asked() -> None:
    out = Listener()
    with at_work(out) as scene:
        for number in range(1, 7):
            if number in (3, 5):
                scene.worker.forget_tracks()
            scene.shoot(number / 10, STREET)
    first, stays, fresh, stays_too, last, stays_at_last = out.ids
    assert first
    assert (stays, stays_too, stays_at_last) == (first, fresh, last)
    assert not first & fresh
    assert not fresh & last


def test_the_tracks_of_all_cameras_are_forgotten() -> None:
    out = Listener()
    with at_work(out, names=("left", "right")) as scene:
        for number in (1, 2):
            for name in ("left", "right"):
                scene.shoot(number / 10, STREET, name)
            scene.worker.forget_tracks()
    left, right, left_anew, right_anew = out.ids
    assert left
    assert right
    assert not left & left_anew
    assert not right & right_anew


def test_other_thresholds_count_from_the_next_image() -> None:
    out = Listener()
    with at_work(out) as scene:
        scene.shoot(0.1, STREET)
        scene.config = replace(scene.config, decode=DecodeConfig(object_threshold=1.0))
        scene.shoot(0.2, STREET)
    before, after = out.ids
    assert before
    assert not after


def test_a_part_of_the_image_counts_from_the_next_one() -> None:
    out = Listener()
    with at_work(out) as scene:
        scene.shoot(0.1, STREET)
        part = CameraLists(region=("0,0,256,128",))
        scene.config = replace(scene.config, of_cameras=part)
        scene.shoot(0.2, STREET)
    assert [result.camera_size for _, result in out.heard] == [(256, 512), (128, 256)]


def test_a_better_engine_takes_the_next_image_and_ids_stay() -> None:
    out = Listener()
    with at_work(out) as scene:
        scene.shoot(0.1, STREET)
        other: Any = DrawnEngine()
        scene.better.append(other)
        scene.shoot(0.2, STREET)
    assert scene.pipeline.engine is other
    before, after = out.ids
    assert before == after


def test_an_image_that_the_pipeline_refuses_is_counted_told_and_costs_only_itself() -> None:
    out = Listener()
    with at_work(out) as scene:
        scene.config = replace(scene.config, of_cameras=CameraLists(region=("0,0,512,256",)))
        scene.shoot(0.1, STREET[:128])
        scene.shoot(0.2, STREET)
    camera = scene.cameras["camera"]
    reason = "region 0,0,512,256 reaches beyond the image of 512x128"
    assert camera.refused == [reason]
    assert scene.said == [f"camera: image dropped: {reason}"]
    assert scene.quiet_s == [5.0]
    assert camera.counted == ["published"]
    assert scene.worker.failure is None


def test_an_image_that_cannot_be_read_is_counted_told_and_costs_only_itself() -> None:
    with at_work(names=("left", "right")) as scene:
        scene.mailbox.put("left", SimpleNamespace(**{**vars(image(0.1)), "encoding": "nonsense"}))
        # One worker takes them in turn: what came first was read when the next is taken.
        scene.shoot(0.1, STREET, "right")
        scene.shoot(0.2, STREET, "left")
    (reason,) = scene.cameras["left"].refused
    assert "nonsense" in reason
    assert scene.said == [f"left: image dropped: {reason}"]
    assert [camera.counted for camera in scene.cameras.values()] == [["published"]] * 2


def test_a_jump_back_is_told_with_what_it_means() -> None:
    with at_work() as scene:
        for second in (20, 5, 6):
            scene.shoot(second, STREET)
    assert scene.said == ["camera: stamps jumped back; its tracks start anew"]
    assert scene.quiet_s == [5.0]


@pytest.mark.parametrize("has_stamps", [True, False])
def test_how_old_an_image_is_is_known_where_the_camera_says_when_it_was(has_stamps: bool) -> None:
    with at_work() as scene:
        scene.cameras["camera"].has_stamps = has_stamps
        scene.shoot(1.0, STREET)
    (age_ms,) = scene.cameras["camera"].ages_ms
    assert age_ms == AGE_MS if has_stamps else math.isnan(age_ms)


def test_the_stages_run_from_reading_to_publishing() -> None:
    with at_work(Listener()) as scene:
        scene.shoot(1.0, STREET)
    (stages_ms,) = scene.cameras["camera"].stages_ms
    stages = ["read", "resize", "infer", "decode", "track", "drivable", "publish"]
    assert list(stages_ms) == stages
    assert stages_ms["publish"] == 3.0
    assert np.isfinite(list(stages_ms.values())).all()
