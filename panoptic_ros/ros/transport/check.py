# SPDX-License-Identifier: Apache-2.0
"""Send real images from one process to another and count what arrives: ``panoptic doctor``."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.ros.transport import profile as transport

TOPIC = "panoptic_transport_check/image"
WIDTH_PX, HEIGHT_PX, RATE_HZ = 1280, 720, 25.0
_PATIENCE_S = 20.0


@dataclass(frozen=True)
class TransportCheck:
    """What came of sending images.

    Attributes:
        sent: Images that were published after both ends had found each other.
        received: How many of them arrived.
        latency_ms: From publish to callback of each image that arrived.
        rmw: Middleware of the two processes.
        has_profile: Whether transports were chosen for them.
    """

    sent: int
    received: int
    latency_ms: list[float] = field(default_factory=list)
    rmw: str = ""
    has_profile: bool = False

    @property
    def is_good(self) -> bool:
        """Whether nine images out of ten arrive."""
        return self.sent > 0 and self.received >= 0.9 * self.sent

    def explain(self) -> str:
        """Say in a sentence or two what was found and what to do."""
        found = (
            f"{self.received} of {self.sent} images of {WIDTH_PX}x{HEIGHT_PX} bgr8 crossed "
            f"between two processes ({self.rmw}, best effort, {RATE_HZ:g} Hz)"
        )
        if self.is_good:
            middle = sorted(self.latency_ms)[len(self.latency_ms) // 2]
            return f"{found}, {middle:.1f} ms each (median)."
        if not self.sent:
            return (
                f"{found}: the processes did not find each other within {_PATIENCE_S:g} s; "
                "look at ROS_DOMAIN_ID, ROS_AUTOMATIC_DISCOVERY_RANGE and the firewall."
            )
        if "fastrtps" in self.rmw and not self.has_profile:
            return f"{found}. {transport.warning()}"
        return (
            f"{found}: the transports in force lose images; look at the size of /dev/shm, at the "
            "processor's load and at the profile in use (docs/transport.md)."
        )


def check_transport(
    count: int = 50, use_profile: bool = True, environment: Mapping[str, str] | None = None
) -> TransportCheck:
    """Publish images in one process and receive them in another.

    Args:
        count: Images to send.
        use_profile: Whether the processes get our transport profile where the user has none.
        environment: Of the two processes; this process's environment by default.

    Raises:
        ConfigError: ROS is not installed, or a process failed; the message says how.
    """
    env = dict(os.environ if environment is None else environment)
    if use_profile:
        env = transport.with_profile(env)
    command = [sys.executable, "-m", "panoptic_ros.ros.transport.check"]
    # In sessions of their own, as Ctrl-C is for this process alone: it ends them.
    receiver = subprocess.Popen(
        [*command, "receive", str(count)],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        sender = subprocess.run(
            [*command, "send", str(count)],
            env=env,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            timeout=2 * _PATIENCE_S + count,
        )
        heard, _ = receiver.communicate(timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"the transport check did not end within {error.timeout:g} s") from error
    finally:
        receiver.kill()
        receiver.wait()
    said, arrived = _report("sender", sender.stdout), _report("receiver", heard)
    return TransportCheck(
        sent=said["sent"],
        received=len(arrived["latency_ms"]),
        latency_ms=arrived["latency_ms"],
        rmw=said["rmw"],
        has_profile=said["has_profile"],
    )


def _report(who: str, text: str) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise ConfigError(
            f"the {who} of the transport check failed, see its words above; is ROS 2 installed "
            "and sourced (rclpy, sensor_msgs)?"
        ) from error
    return report


def _send(count: int) -> dict[str, Any]:
    """Publish once a subscriber is there; the receiver stops when it has gone quiet."""
    import numpy as np
    import rclpy
    from rclpy.qos import qos_profile_sensor_data
    from rclpy.utilities import get_rmw_implementation_identifier

    from panoptic_ros.messages.convert import IMAGE, image_message
    from panoptic_ros.messages.message_types import rclpy_types

    rclpy.init()
    node = rclpy.create_node("panoptic_transport_check_sender")
    types = rclpy_types()
    publisher = node.create_publisher(types.find(IMAGE), TOPIC, qos_profile_sensor_data)
    sent = 0
    if _waited(lambda: publisher.get_subscription_count() > 0):
        time.sleep(0.5)  # The other side may need a moment longer to see us.
        pixels = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
        header = types.make("std_msgs/msg/Header")
        message = image_message(pixels, "bgr8", types, header)
        for _ in range(count):
            message.header.stamp = _stamp(types)
            publisher.publish(message)
            sent += 1
            time.sleep(1 / RATE_HZ)
        time.sleep(0.5)
    rmw = get_rmw_implementation_identifier()
    node.destroy_node()
    rclpy.shutdown()
    return {"sent": sent, "rmw": rmw, "has_profile": transport.is_taken_care_of()}


def _stamp(types: Any) -> Any:
    now_ns = time.time_ns()
    return types.make("builtin_interfaces/msg/Time", sec=now_ns // 10**9, nanosec=now_ns % 10**9)


def _receive(count: int) -> dict[str, Any]:
    """Collect until all have come or the sender has left."""
    import rclpy
    from rclpy.qos import qos_profile_sensor_data

    from panoptic_ros.messages.convert import IMAGE, stamp_ns
    from panoptic_ros.messages.message_types import rclpy_types

    rclpy.init()
    node = rclpy.create_node("panoptic_transport_check_receiver")
    latency_ms: list[float] = []

    def note(message: Any) -> None:
        latency_ms.append((time.time_ns() - stamp_ns(message.header)) / 1e6)

    kind = rclpy_types().find(IMAGE)
    subscription = node.create_subscription(kind, TOPIC, note, qos_profile_sensor_data)

    def has_sender() -> bool:
        rclpy.spin_once(node, timeout_sec=0.05)
        return node.count_publishers(TOPIC) > 0

    if _waited(has_sender):
        _waited(lambda: not has_sender() or len(latency_ms) >= count, _PATIENCE_S + count)
    node.destroy_subscription(subscription)
    node.destroy_node()
    rclpy.shutdown()
    return {"latency_ms": latency_ms}


def _waited(condition: Callable[[], bool], patience_s: float = _PATIENCE_S) -> bool:
    end = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def main() -> None:
    """Be one end of the check and print what came of it as JSON."""
    parser = argparse.ArgumentParser(prog="panoptic_ros.ros.transport.check")
    parser.add_argument("end", choices=("send", "receive"))
    parser.add_argument("count", type=int)
    args = parser.parse_args()
    report = _send(args.count) if args.end == "send" else _receive(args.count)
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
