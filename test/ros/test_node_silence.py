# SPDX-License-Identifier: Apache-2.0
"""What the node does when images stop, or the engine hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rclpy.parameter import Parameter

from panoptic_ros.ros.node import PanopticNode
from test.drawn.drawn_camera import CAMERA, DIAGNOSTICS, Camera, is_served, value, words
from test.drawn.graph import Bench, image
from test.drawn.street_scene import CAMERA_SIZE, street

pytestmark = pytest.mark.ros

MakeNode = Callable[..., PanopticNode]
TOPICS = ("label", "instance", "panoptic", "confidence", "drivable", "overlay")
WARN, ERROR = 1, 2


def is_void(message: Any, name: str = "label") -> bool:
    expected = {"label": {255}, "panoptic": {255, 0}}.get(name, {0})
    return set(np.frombuffer(message.data, np.uint8).tolist()) == expected


def test_a_silent_camera_is_taken_back_once_per_period_until_images_come(
    make_node: MakeNode,
) -> None:
    node = make_node(stale_after_s=0.4, stale_action="void")
    bench = Bench(node)
    heard = {name: bench.listen(f"/panoptic/{name}") for name in TOPICS}
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    camera = Camera(bench)
    node.start()
    bench.until(lambda: all(heard.values()), camera.shoot)
    bench.until(lambda: all(is_void(messages[-1], name) for name, messages in heard.items()))
    for messages in heard.values():
        void = messages[-1]
        assert (void.height, void.width) == CAMERA_SIZE
        assert void.header.frame_id == "front_optical"
        assert void.header.stamp.sec > 1_000_000, "it has the node's time, not the image's"
    bench.until(lambda: words(reports, CAMERA)[0] == ERROR)
    assert "no image on /image for" in words(reports, CAMERA)[1]
    label = heard["label"]
    before = len(label)
    bench.until(lambda: len(label) > before + 1)
    stamps = [entry.header.stamp.sec + entry.header.stamp.nanosec / 1e9 for entry in label[-2:]]
    assert stamps[1] - stamps[0] > 0.3, "not with every look of the watchdog"
    bench.until(lambda: int(value(reports, CAMERA, "taken_back") or 0) >= 1)

    # However long a busy machine takes from image to image, none of it is silence from here on.
    node.set_parameters([Parameter("stale_after_s", value=60.0)])
    drivable = heard["drivable"]
    bench.until(
        lambda: not is_void(label[-1]) and not is_void(drivable[-1], "drivable"), camera.shoot
    )
    bench.until(lambda: words(reports, CAMERA)[0] == 0, camera.shoot)
    bench.close()


def test_by_default_silence_is_only_reported(make_node: MakeNode) -> None:
    node = make_node(stale_after_s=0.2)
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    node.start()
    bench.until(lambda: labels, Camera(bench).shoot)
    bench.until(lambda: words(reports, CAMERA)[0] == ERROR)
    bench.spin(0.5)
    assert not any(is_void(message) for message in labels)
    bench.close()


def test_a_camera_that_never_spoke_is_an_error_and_nothing_is_made_up(
    make_node: MakeNode,
) -> None:
    node = make_node(stale_after_s=3600.0, stale_action="void", diagnostics_period_s=0.2)
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    node.start()
    for level, stale_after_s in ((WARN, 3600.0), (ERROR, 0.5)):
        node.set_parameters([Parameter("stale_after_s", value=stale_after_s)])
        said = (level, "no image yet on /image")
        bench.until(lambda said=said: words(reports, CAMERA) == said)
    assert labels == []
    bench.close()


def test_images_that_cannot_be_used_are_silence_too(make_node: MakeNode) -> None:
    node = make_node(stale_after_s=0.3, stale_action="void")
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    camera = Camera(bench)
    node.start()
    bench.until(lambda: labels, camera.shoot)
    bad = image(street(), 0, "rgb8")
    bad.encoding = "32SC3"
    bench.until(
        lambda: "images come, but no result" in words(reports, CAMERA)[1],
        lambda: camera.shoot(bad),
    )
    assert words(reports, CAMERA)[0] == ERROR
    bench.until(lambda: is_void(labels[-1]), lambda: camera.shoot(bad))
    bench.close()


def test_a_dead_camera_costs_the_other_nothing(make_node: MakeNode) -> None:
    node = make_node(cameras=["front", "rear"], stale_after_s=5.0, stale_action="void")
    bench = Bench(node)
    front = bench.listen("/panoptic/front/label")
    rear = bench.listen("/panoptic/rear/label")
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    cameras = Camera(bench, "/front/image"), Camera(bench, "/rear/image")
    node.start()
    bench.until(lambda: front and rear, lambda: [camera.shoot() for camera in cameras])
    bench.until(lambda: is_void(rear[-1]), cameras[0].shoot)
    assert not any(is_void(message) for message in front)

    def judged() -> bool:
        is_silent = words(reports, "panoptic: rear")[0] == ERROR
        return is_served(reports, "panoptic: front") and is_silent

    bench.until(judged, cameras[0].shoot)
    bench.close()


def test_an_engine_that_hangs_does_not_keep_old_news_alive(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make_node(stale_after_s=0.3, stale_action="void")
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    camera = Camera(bench)
    node.start()
    bench.until(lambda: labels, camera.shoot)
    assert node.engine is not None
    release, infer = threading.Event(), node.engine.infer

    def hang(image: Any) -> Any:
        assert release.wait(60)
        return infer(image)

    monkeypatch.setattr(node.engine, "infer", hang)
    bench.until(lambda: is_void(labels[-1]), camera.shoot)
    bench.until(
        lambda: "the engine has not answered" in words(reports, CAMERA)[1],
        camera.shoot,
    )
    release.set()
    bench.until(lambda: not is_void(labels[-1]), camera.shoot)
    bench.close()


def test_parameters_change_under_load(make_node: MakeNode) -> None:
    node = make_node(stale_after_s=5.0)
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    camera = Camera(bench)
    node.start()
    bench.until(lambda: labels, camera.shoot)
    for number in range(60):
        before = len(labels)
        changes = [
            Parameter("decode.min_confidence", value=0.95 if number % 2 else 0.0),
            Parameter("tracking.lost_after_s", value=0.5 + number / 100),
            Parameter("stale_action", value="void" if number % 3 else "none"),
        ]
        assert all(answer.successful for answer in node.set_parameters(changes))
        camera.shoot()
        bench.spin(0.02)
    bench.until(lambda: len(labels) > before, camera.shoot)
    bench.until(lambda: is_void(labels[-1]), camera.shoot)
    assert node.failure is None
    bench.close()


def test_a_camera_that_pauses_longer_than_an_inference_may_take_ends_nothing(
    make_node: MakeNode,
) -> None:
    node = make_node()
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    camera = Camera(bench)
    node.start()
    bench.until(lambda: labels, camera.shoot)
    # The limit holds during the pause alone: a busy machine's inferences may take longer.
    node.set_parameters([Parameter("engine_timeout_s", value=1.0)])
    bench.spin(2.5)
    assert node.failure is None
    node.set_parameters([Parameter("engine_timeout_s", value=0.0)])
    labels.clear()
    bench.until(lambda: labels, camera.shoot)
    assert node.failure is None
    bench.close()


def test_counts_go_on_over_deactivate_and_activate(make_node: MakeNode) -> None:
    node = make_node()
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    camera = Camera(bench)

    def published() -> int:
        return int(value(reports, CAMERA, "published") or 0)

    node.start()
    bench.until(lambda: published() >= 3, camera.shoot)
    before = published()
    node.trigger_deactivate()
    node.trigger_activate()
    labels.clear()
    reports.clear()
    bench.until(lambda: labels, camera.shoot)
    bench.until(lambda: published() > 0)
    first = published()
    bench.until(lambda: published() > first, camera.shoot)
    assert first >= before
    bench.close()


def test_the_machine_is_on_diagnostics(make_node: MakeNode) -> None:
    node = make_node()
    bench = Bench(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    bench.until(lambda: value(reports, "panoptic: machine", "process_rss_mb"))
    assert float(value(reports, "panoptic: machine", "process_rss_mb")) > 1
    bench.close()
