# SPDX-License-Identifier: Apache-2.0
"""Ask /diagnostics whether the node is well; the health check of the containers.

Ends with 0 where every status of the node is OK or WARN, with 1 where one is an ERROR or nothing
comes within the time.

Usage: healthcheck.py [--node panoptic] [--seconds 8]. /robot1/panoptic is that one node, panoptic
one of this name in any namespace.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

ERROR = 2


def worst(statuses: list[Any], node: str) -> tuple[int, str]:
    """Find the worst level among a node's statuses, and its line; -1 where it has none."""
    found = (-1, f"no status of {node}")
    for status in statuses:
        level = status.level[0] if isinstance(status.level, bytes) else int(status.level)
        if is_of(status.name, node) and level > found[0]:
            found = (level, f"{status.name}: {status.message}")
    return found


def is_of(status: str, node: str) -> bool:
    """Tell whether a status is of a node; a name without a namespace may be in any.

    >>> [is_of(name, "panoptic") for name in ("robot1/panoptic: camera", "panoptic2: camera")]
    [True, False]
    """
    full = "/" + status.partition(":")[0]
    return full == f"/{node.strip('/')}" or ("/" not in node and full.endswith(f"/{node}"))


def ask(node: str, seconds: float) -> tuple[int, str]:
    """Wait for one message of the node's diagnostics."""
    import rclpy
    from diagnostic_msgs.msg import DiagnosticArray

    rclpy.init()
    found = (-1, f"/diagnostics was silent for {seconds:g} s")
    try:
        asker = rclpy.create_node("panoptic_healthcheck")

        def take(message: Any) -> None:
            nonlocal found
            found = max(found, worst(message.status, node))

        asker.create_subscription(DiagnosticArray, "/diagnostics", take, 10)
        end = time.monotonic() + seconds
        while found[0] < 0 and time.monotonic() < end:
            rclpy.spin_once(asker, timeout_sec=0.2)
        asker.destroy_node()
    finally:
        rclpy.try_shutdown()
    return found


def main() -> int:
    """Print the worst line and end with 1 where the container is not well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--node", default="panoptic")
    parser.add_argument("--seconds", type=float, default=8.0)
    args = parser.parse_args()
    level, line = ask(args.node, args.seconds)
    sys.stdout.write(f"{line}\n")
    return int(not 0 <= level < ERROR)


if __name__ == "__main__":
    sys.exit(main())
