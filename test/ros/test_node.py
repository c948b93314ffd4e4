# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node in this process: transitions, parameters, inputs, bad images."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile

from panoptic_ros.core.errors import EngineRunError
from panoptic_ros.core.node_config import DECLARED
from panoptic_ros.messages.convert import COMPRESSED_IMAGE, compressed_image
from panoptic_ros.ros.node import PanopticNode
from test.drawn.drawn_camera import Camera, ids, last, state
from test.drawn.graph import TYPES, Bench, header, image
from test.drawn.street_scene import CAMERA_SIZE, street

pytestmark = pytest.mark.ros

DIAGNOSTICS = "diagnostic_msgs/msg/DiagnosticArray"
SECOND = 1_000_000_000
GOOD = TransitionCallbackReturn.SUCCESS
MakeNode = Callable[..., PanopticNode]


def asked_over_ros(node: PanopticNode, messages: list[Any]) -> list[Any]:
    """Answer what ``ros2 param`` asks."""
    return [node.set_parameters_atomically([Parameter.from_parameter_msg(m)]) for m in messages]


# Lifecycle -------------------------------------------------------------------------------------


def test_a_node_goes_through_its_states_and_back_twice(make_node: MakeNode) -> None:
    node = make_node()
    assert state(node) == "unconfigured"
    for _ in range(2):
        assert node.trigger_configure() == GOOD
        assert node.trigger_activate() == GOOD
        assert state(node) == "active"
        assert node.trigger_deactivate() == GOOD
        assert node.trigger_cleanup() == GOOD
        assert state(node) == "unconfigured"
    assert node.trigger_shutdown() == GOOD
    assert state(node) == "finalized"
    assert node.failure is None


def test_an_active_node_can_be_shut_down(make_node: MakeNode) -> None:
    node = make_node()
    node.start()
    assert node.trigger_shutdown() == GOOD
    assert state(node) == "finalized"


def test_a_missing_model_fails_configure_and_a_better_one_cures_it(
    make_node: MakeNode, tiny_model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    node = make_node(engine="/no/such.onnx")
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert state(node) == "unconfigured"
    lines = [line for line in capfd.readouterr().err.splitlines() if "ERROR" in line]
    assert len(lines) == 1
    assert "/no/such.onnx" in lines[0]
    assert "needs one of them, or the path of an .onnx" in lines[0]
    node.set_parameters([Parameter("engine", value=str(tiny_model))])
    assert node.trigger_configure() == GOOD


@pytest.mark.parametrize(
    ("name", "value", "good"),
    [("decode.center_threshold", 7.0, 0.2), ("tracking.min_iou", math.nan, 0.2)],
    ids=["out of range", "not a number"],
)
def test_a_bad_parameter_from_outside_fails_configure_until_it_is_set_right(
    make_node: MakeNode,
    name: str,
    value: float,
    good: float,
    capfd: pytest.CaptureFixture[str],
) -> None:
    node = make_node(**{name: value})
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert name in capfd.readouterr().err
    node.set_parameters([Parameter(name, value=good)])
    assert node.trigger_configure() == GOOD


# Parameters ------------------------------------------------------------------------------------


def test_thresholds_change_live_and_count_from_the_next_image(make_node: MakeNode) -> None:
    node = make_node()
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    camera = Camera(bench)
    node.start()
    bench.until(lambda: labels, camera.shoot)
    assert node.set_parameters([Parameter("decode.min_confidence", value=0.95)])[0].successful
    bench.until(lambda: set(labels[-1].data) == {255}, camera.shoot)
    bench.close()


def test_a_whole_number_for_a_double_fails_configure_with_what_to_write(
    make_node: MakeNode, capfd: pytest.CaptureFixture[str]
) -> None:
    node = make_node(stale_after_s=3)
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    words = "stale_after_s is 3, a whole number, and needs a double: write 3.0"
    assert words in capfd.readouterr().err
    assert node.set_parameters([Parameter("stale_after_s", value=3.0)])[0].successful
    assert node.trigger_configure() == GOOD


REFUSED: dict[str, tuple[str, Any, str]] = {
    "not a number": ("decode.min_confidence", math.nan, "decode.min_confidence"),
    "out of range": ("decode.min_confidence", 2.0, "decode.min_confidence"),
    "not live": ("engine", "drawn", "unconfigured"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_change_is_refused_with_the_reason(make_node: MakeNode, case: str) -> None:
    node = make_node()
    node.trigger_configure()
    before = node.config
    name, value, words = REFUSED[case]
    answer = node.set_parameters([Parameter(name, value=value)])[0]
    assert not answer.successful
    assert words in answer.reason
    assert node.config == before


def test_every_parameter_takes_the_value_that_it_has(make_node: MakeNode) -> None:
    node = make_node(max_rate_hz=[2.5], image_topics=["/front"])
    node.trigger_configure()
    dumped = [node.get_parameter(name).to_parameter_msg() for name in DECLARED]
    answer = asked_over_ros(node, dumped)
    assert {one.reason for one in answer} == {""}
    assert all(one.successful for one in answer)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("decode.centre_threshold", "; the nearest is 'decode.center_threshold'"),
        ("qqq", "; there are: "),
    ],
)
def test_a_parameter_that_there_is_not_is_refused_with_the_nearest(
    make_node: MakeNode, name: str, words: str
) -> None:
    (answer,) = asked_over_ros(make_node(), [Parameter(name, value=0.2).to_parameter_msg()])
    assert not answer.successful
    assert answer.reason.startswith(f"there is no parameter {name!r}{words}")


def test_a_grid_of_too_many_cells_is_refused_at_start_and_live_in_the_same_words(
    make_node: MakeNode, capfd: pytest.CaptureFixture[str]
) -> None:
    node = make_node(**{"ground.resolution_m": 0.01})
    node.set_parameters([Parameter("ground.length_m", value=1000.0)])
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    said = capfd.readouterr().err
    assert node.set_parameters([Parameter("ground.resolution_m", value=0.5)])[0].successful
    assert node.trigger_configure() == GOOD
    (answer,) = node.set_parameters([Parameter("ground.resolution_m", value=0.01)])
    assert not answer.successful
    assert "200000000 cells, more than 4000000" in answer.reason
    assert answer.reason in said
    assert node.config.ground.resolution_m == 0.5


# Images --------------------------------------------------------------------------------------


def test_a_compressed_topic_is_noticed_even_when_it_comes_later(make_node: MakeNode) -> None:
    node = make_node()
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    camera = Camera(bench)
    node.start()
    bench.spin(0.3)
    message = compressed_image(street((10, 10)), 100, TYPES, header(0))
    bench.until(lambda: labels, lambda: camera.shoot(message))
    assert (labels[-1].height, labels[-1].width) == CAMERA_SIZE
    bench.close()


def test_the_compressed_sister_of_a_topic_is_found(make_node: MakeNode) -> None:
    node = make_node(image_topics=["/front/image_raw"])
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    camera = Camera(bench, "/front/image_raw/compressed")
    node.start()
    message = compressed_image(street((10, 10)), 100, TYPES, header(0))
    bench.until(lambda: labels, lambda: camera.shoot(message))
    assert TYPES.find(COMPRESSED_IMAGE) is type(message)
    bench.close()


def test_several_cameras_have_ids_and_topics_of_their_own(make_node: MakeNode) -> None:
    node = make_node(cameras=["front", "rear"])
    bench = Bench(node)
    front = bench.listen("/panoptic/front/instance")
    rear = bench.listen("/panoptic/rear/instance")
    cameras = Camera(bench, "/front/image"), Camera(bench, "/rear/image")
    node.start()
    bench.until(
        lambda: front and rear,
        lambda: (
            cameras[0].shoot(),
            cameras[1].shoot(image(street((10, 10)), 0)),
        ),
    )
    assert ids(front[-1]) == {0, 1, 2}
    assert ids(rear[-1]) == {0, 1}
    bench.close()


def unusable(**fields: Any) -> Any:
    message = image(street(), 0)
    for name, value in fields.items():
        setattr(message, name, value)
    return message


BAD_IMAGES = {
    "unknown encoding": unusable(encoding="32SC3"),
    "step too small": unusable(step=5),
    "cut off": unusable(height=9999),
    "empty": unusable(height=0, width=0),
}


@pytest.mark.parametrize("case", BAD_IMAGES)
def test_an_unusable_image_is_counted_and_the_next_one_is_served(
    make_node: MakeNode, case: str
) -> None:
    node = make_node()
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    camera = Camera(bench)
    node.start()
    bench.until(
        lambda: any(counted(report) > 0 for report in reports),
        lambda: camera.shoot(BAD_IMAGES[case]),
    )
    bench.until(lambda: labels, camera.shoot)
    assert node.failure is None
    bench.close()


def counted(report: Any) -> int:
    values = {pair.key: pair.value for row in report.status for pair in row.values}
    return int(values.get("dropped_unusable", 0))


def test_an_image_of_another_size_mid_stream_gives_results_of_its_size(
    make_node: MakeNode,
) -> None:
    node = make_node()
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    camera = Camera(bench)
    node.start()
    bench.until(lambda: labels, camera.shoot)
    for height, width in ((50, 30), (1, 1), CAMERA_SIZE):
        pixels = np.zeros((height, width, 3), np.uint8)
        bench.until(
            lambda size=(height, width): (labels[-1].height, labels[-1].width) == size,
            lambda pixels=pixels: camera.shoot(image(pixels, 0)),
        )
    assert node.failure is None
    bench.close()


def test_stamps_that_jump_back_start_all_tracks_anew(make_node: MakeNode) -> None:
    node = make_node()
    bench = Bench(node)
    instances = bench.listen("/panoptic/instance")
    camera = Camera(bench)
    node.start()
    bench.until(lambda: len(instances) > 3, camera.shoot)
    assert all(ids(message) == {0, 1, 2} for message in instances)
    camera.stamp_ns = SECOND
    bench.until(lambda: instances[-1].header.stamp.sec < 50, camera.shoot)
    assert ids(instances[-1]) == {0, 3, 4}
    bench.close()


def test_a_stamp_of_zero_is_a_stamp(make_node: MakeNode) -> None:
    node = make_node()
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    camera = Camera(bench)
    camera.stamp_ns = 0
    node.start()
    bench.until(lambda: labels, lambda: camera.shoot(step_ns=0))
    assert (labels[-1].header.stamp.sec, labels[-1].header.stamp.nanosec) == (0, 0)
    assert node.failure is None
    bench.close()


def test_an_engine_that_fails_ends_the_node(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make_node()
    bench = Bench(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    camera = Camera(bench)
    node.start()

    def fail(image: Any) -> None:
        raise EngineRunError("the device is lost")

    monkeypatch.setattr(node.engine, "infer", fail)
    bench.until(lambda: node.failure is not None, camera.shoot)
    assert isinstance(node.failure, EngineRunError)
    bench.until(lambda: any("lost" in row.message for row in reports[-1].status))
    bench.close()


def test_a_silent_camera_is_reported(make_node: MakeNode) -> None:
    node = make_node(stale_after_s=0.3)
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    camera = Camera(bench)
    node.start()
    bench.until(lambda: any("no image yet" in row.message for row in last(reports)))
    bench.until(lambda: labels, camera.shoot)
    bench.until(lambda: any("per second" in row.message for row in last(reports)), camera.shoot)
    bench.until(lambda: any("no image on /image for" in row.message for row in last(reports)))
    bench.close()


@pytest.mark.vision
def test_label_info_waits_for_late_listeners(make_node: MakeNode) -> None:
    node = make_node()
    bench = Bench(node)
    node.start()
    bench.spin(0.2)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    infos = bench.listen("/panoptic/label_info", "vision_msgs/msg/LabelInfo", latched)
    bench.until(lambda: infos)
    assert [entry.class_name for entry in infos[0].class_map] == ["road", "car"]
    bench.close()
