# SPDX-License-Identifier: Apache-2.0
"""A real node with a camera before it and a bench of listeners behind it, over DDS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rclpy.parameter import Parameter

from panoptic_ros.ros.node import PanopticNode
from test.drawn.graph import Bench, image, ros
from test.drawn.street_scene import street

CARS = ((10, 10), (15, 40))
_STEP_NS = 50_000_000


class Camera:
    """Publishes images of two cars with growing stamps."""

    def __init__(self, bench: Bench, node: PanopticNode) -> None:
        self.bench = bench
        self.node = node
        self.stamp_ns = 100_123_456_789
        self.infos: Any = None

    def shoot(self) -> None:
        self.stamp_ns += _STEP_NS
        message = image(street(*CARS), self.stamp_ns)
        if self.infos is not None:
            self.infos.header = message.header
            self.bench.publish("/camera_info", self.infos)
        self.bench.publish("/image", message)


@contextmanager
def consuming(engine: Path | str, **parameters: Any) -> Iterator[tuple[Bench, Camera]]:
    """Run an active node; it and the bench live in contexts of their own."""
    values = {"engine": str(engine), **parameters}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    with ros():
        node = PanopticNode(parameter_overrides=overrides)
        bench = Bench(node)
        try:
            node.start()
            yield bench, Camera(bench, node)
        finally:
            node.close()
            bench.close()
            node.destroy_node()


def same_stamp(*topics: list[Any]) -> tuple[Any, ...]:
    """Newest messages of all topics under exactly one stamp, empty while there are none."""
    kept = [{(m.header.stamp.sec, m.header.stamp.nanosec): m for m in found} for found in topics]
    shared = set(kept[0]).intersection(*kept[1:])
    return tuple(entry[max(shared)] for entry in kept) if shared else ()
