# SPDX-License-Identifier: Apache-2.0
"""Several cameras of different size, rate and encoding through one engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.messages.convert import COMPRESSED_IMAGE
from panoptic_ros.ros.node import PanopticNode
from test.drawn.drawn_camera import Camera, ids, value
from test.drawn.graph import TYPES, Bench, header, image
from test.drawn.street_scene import CAMERA_SIZE, street

pytestmark = pytest.mark.ros

DIAGNOSTICS = "diagnostic_msgs/msg/DiagnosticArray"
MakeNode = Callable[..., PanopticNode]
CARS = street((10, 10), (15, 40))


def front() -> Any:
    return image(CARS, 0)


def left() -> Any:
    small = np.ascontiguousarray(CARS[::2, ::2, ::-1])
    return image(small, 0, "bgr8")


def rear() -> Any:
    tall = np.ascontiguousarray(CARS.repeat(2, axis=0)[..., ::-1])
    png = TYPES.payload(cv2.imencode(".png", tall)[1])
    return TYPES.make(COMPRESSED_IMAGE, header=header(0), format="bgr8; png", data=png)


PICTURES = {"front": front, "left": left, "rear": rear}
SIZES = {
    "front": CAMERA_SIZE,
    "left": (CAMERA_SIZE[0] // 2, CAMERA_SIZE[1] // 2),
    "rear": (CAMERA_SIZE[0] * 2, CAMERA_SIZE[1]),
}


def test_sizes_and_encodings_of_cameras_do_not_mix(make_node: MakeNode) -> None:
    node = make_node(cameras=list(PICTURES))
    bench = Bench(node)
    heard = {name: bench.listen(f"/panoptic/{name}/instance") for name in PICTURES}
    cameras = {name: Camera(bench, f"/{name}/image") for name in PICTURES}
    node.start()

    def shoot() -> None:
        for name, camera in cameras.items():
            camera.shoot(PICTURES[name]())

    bench.until(lambda: all(len(messages) > 4 for messages in heard.values()), shoot)
    for name, messages in heard.items():
        for message in messages:
            assert (message.height, message.width) == SIZES[name]
            assert ids(message) == {0, 1, 2}, "every camera counts its own objects from 1"
    bench.close()


def test_a_fast_camera_leaves_a_slow_one_its_turn(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make_node(cameras=["front", "rear"])
    bench = Bench(node)
    heard = {name: bench.listen(f"/panoptic/{name}/label") for name in ("front", "rear")}
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    fast, slow = Camera(bench, "/front/image"), Camera(bench, "/rear/image")
    node.start()
    assert node.engine is not None
    infer = node.engine.infer

    def take_time(image: Any) -> Any:
        time.sleep(0.05)
        return infer(image)

    monkeypatch.setattr(node.engine, "infer", take_time)
    bench.until(lambda: all(heard.values()), lambda: (fast.shoot(), slow.shoot()))
    for _ in range(8):
        slow.shoot()
        # The fast one always has an image waiting; the slow one's is served all the same.
        wanted = len(heard["rear"]) + 1
        bench.until(lambda wanted=wanted: len(heard["rear"]) >= wanted, fast.shoot)
    bench.until(
        lambda: int(value(reports, "panoptic: front", "dropped_busy") or 0) > 0, fast.shoot
    )
    assert value(reports, "panoptic: rear", "dropped_unusable") == "0"
    bench.close()
