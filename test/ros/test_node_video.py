# SPDX-License-Identifier: Apache-2.0
"""The node on video topics: every codec, beginning anywhere, with a packet lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from panoptic_ros.messages.convert import COMPRESSED_IMAGE
from panoptic_ros.ros.node import PanopticNode
from test.drawn.drawn_camera import Camera, value
from test.drawn.drawn_video import packets
from test.drawn.graph import TYPES, Bench, header

pytestmark = pytest.mark.ros

DIAGNOSTICS = "diagnostic_msgs/msg/DiagnosticArray"
MakeNode = Callable[..., PanopticNode]


def endless(codec: str, first: int = 0, without: int = -1) -> Iterator[Any]:
    """CompressedImage messages of a video that begins anew and anew."""
    data = packets(codec)
    for number in count(first):
        if number % len(data) != without:
            packet = TYPES.payload(data[number % len(data)])
            yield TYPES.make(COMPRESSED_IMAGE, header=header(0), format=codec, data=packet)


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_a_video_topic_gives_results(make_node: MakeNode, codec: str) -> None:
    node = make_node(engine="drawn")
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    camera, video = Camera(bench), endless(codec)
    node.start()
    bench.until(lambda: len(labels) > 12, lambda: camera.shoot(next(video)))
    assert (labels[-1].height, labels[-1].width) == (48, 64)
    assert labels[-1].header.frame_id == "front_optical"
    stamps = [(one.header.stamp.sec, one.header.stamp.nanosec) for one in labels]
    assert len(set(stamps)) == len(stamps)
    assert node.failure is None
    bench.close()


def test_packets_that_give_no_image_are_counted(make_node: MakeNode) -> None:
    node = make_node(engine="drawn")
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    camera, video = Camera(bench), endless("h264", first=2, without=6)
    node.start()

    def dropped() -> int:
        return int(value(reports, "panoptic: camera", "dropped_before_key_frame") or 0)

    bench.until(lambda: labels and dropped() >= 6, lambda: camera.shoot(next(video)))
    assert node.failure is None
    bench.close()
