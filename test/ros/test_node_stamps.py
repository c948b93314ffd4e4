# SPDX-License-Identifier: Apache-2.0
"""What the node does when stamps are missing, late or odd, and when images are lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from panoptic_ros.ros.node import PanopticNode
from panoptic_ros.ros.watches import clock_watch
from test.drawn.drawn_camera import (
    CAMERA,
    DIAGNOSTICS,
    SECOND,
    Camera,
    ids,
    is_served,
    value,
    words,
)
from test.drawn.graph import TYPES, Bench, header, image
from test.drawn.street_scene import street

pytestmark = pytest.mark.ros

MakeNode = Callable[..., PanopticNode]
WARN = 1


def test_a_camera_without_stamps_is_tracked_by_the_nodes_clock(
    make_node: MakeNode, capfd: pytest.CaptureFixture[str]
) -> None:
    # However long a busy machine takes from image to image, no gap is one.
    node = make_node(**{"tracking.lost_after_s": 0.3, "tracking.reset_gap_s": 3600.0})
    bench = Bench(node)
    instances = bench.listen("/panoptic/instance")
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    camera = Camera(bench)
    camera.stamp_ns = 0

    def shoot(cars: bool) -> None:
        pixels = street((10, 10), (15, 40)) if cars else street()
        camera.shoot(image(pixels, 0), step_ns=0)

    node.start()
    bench.until(lambda: len(instances) > 2, lambda: shoot(True))
    # The first image may be at the time 0; from the second on, stamps of 0 are none.
    assert ids(instances[-1]) == {0, 3, 4}
    # Time passes although no stamp says so: what was not seen for longer gets another number.
    bench.until(lambda: ids(instances[-1]) == {0}, lambda: shoot(False))
    bench.spin(0.5)
    bench.until(lambda: ids(instances[-1]) not in ({0}, {0, 3, 4}), lambda: shoot(True))
    assert ids(instances[-1]) == {0, 5, 6}
    assert all(entry.header.stamp.sec == entry.header.stamp.nanosec == 0 for entry in instances)
    assert capfd.readouterr().err.count("images come without a stamp") == 1
    bench.until(lambda: value(reports, CAMERA, "published") != "")
    assert value(reports, CAMERA, "latency_p50_ms") == ""
    bench.close()


def test_results_come_without_a_clock_and_the_log_says_that_it_is_missing(
    make_node: MakeNode, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_watch, "AFTER_S", 0.2)
    node = make_node(use_sim_time=True)
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    node.start()
    log = ""

    def is_said() -> bool:
        nonlocal log
        log += capfd.readouterr().err
        return "use_sim_time is on and nobody has published /clock" in log

    bench.until(lambda: is_said() and len(labels) > 2, Camera(bench).shoot)
    bench.until(lambda: value(reports, CAMERA, "published") not in ("", "0"))
    assert value(reports, CAMERA, "age_ms") == ""
    bench.close()


def test_jumps_back_and_lost_images_are_counted(make_node: MakeNode) -> None:
    node = make_node()
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    camera = Camera(bench)
    node.start()
    bench.until(lambda: labels, camera.shoot)
    camera.stamp_ns = SECOND
    bench.until(lambda: value(reports, CAMERA, "stamp_jumps") == "1", camera.shoot)

    def burst() -> None:
        for _ in range(5):
            camera.shoot()

    bench.until(lambda: int(value(reports, CAMERA, "lost_in_transport") or 0) >= 4, burst)
    bench.close()


def test_late_images_are_dropped_and_counted_and_ids_stay(make_node: MakeNode) -> None:
    node = make_node()
    bench = Bench(node)
    instances = bench.listen("/panoptic/instance")
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    camera = Camera(bench)
    node.start()
    bench.until(lambda: len(instances) > 2, camera.shoot)

    def cross() -> None:
        camera.shoot()
        bench.spin(0.2)
        camera.shoot(step_ns=-SECOND // 10)
        bench.spin(0.2)
        camera.shoot(step_ns=SECOND // 5)

    bench.until(lambda: int(value(reports, CAMERA, "late") or 0) > 2, cross)
    assert value(reports, CAMERA, "stamp_jumps") == "0"
    assert value(reports, CAMERA, "dropped_unusable") == "0"
    bench.until(lambda: is_served(reports), camera.shoot)
    assert all(ids(message) == {0, 1, 2} for message in instances)
    stamps = [(one.header.stamp.sec, one.header.stamp.nanosec) for one in instances]
    assert stamps == sorted(stamps)
    bench.close()


def test_a_clock_that_jumps_back_starts_all_tracks_anew(make_node: MakeNode) -> None:
    node = make_node(use_sim_time=True)
    bench = Bench(node)
    instances = bench.listen("/panoptic/instance")
    camera = Camera(bench)
    clock = TYPES.find("rosgraph_msgs/msg/Clock")

    def tick(second: int) -> None:
        bench.publish("/clock", clock(clock=header(second * SECOND).stamp))
        camera.shoot(step_ns=SECOND // 100)

    node.start()
    bench.until(lambda: node.get_clock().now().nanoseconds == 50 * SECOND, lambda: tick(50))
    bench.until(lambda: instances and ids(instances[-1]) != {0}, lambda: tick(50))
    seen = set(ids(instances[-1]))
    bench.until(lambda: node.get_clock().now().nanoseconds == 10 * SECOND, lambda: tick(10))
    bench.until(lambda: not ids(instances[-1]) & seen - {0}, lambda: tick(10))
    assert len(ids(instances[-1])) == 3
    bench.close()


def test_many_lost_images_are_a_warning_that_names_topic_and_sender(
    make_node: MakeNode, capfd: pytest.CaptureFixture[str]
) -> None:
    node = make_node()
    bench = Bench(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    camera = Camera(bench)
    node.start()

    def burst() -> None:
        for _ in range(8):
            camera.shoot()

    said = "images on /image were lost on their way within 5 s; they are sent by /bench:"
    bench.until(lambda: said in words(reports, CAMERA)[1], burst)
    assert words(reports, CAMERA)[0] == WARN
    assert capfd.readouterr().err.count(said) == 1
    bench.close()
