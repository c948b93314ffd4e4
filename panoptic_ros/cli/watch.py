# SPDX-License-Identifier: Apache-2.0
"""``panoptic watch``: the running node in a browser, for machines without RViz or Foxglove."""

from __future__ import annotations

import argparse
import sys
import threading
from typing import TYPE_CHECKING

from panoptic_ros.recordings.result_bag import NODE

if TYPE_CHECKING:
    from panoptic_ros.ros.playback.watcher import Watcher

LOCAL = "127.0.0.1"
TELL_AFTER_S = 5.0
"""Without a topic of the node for so long is told; the page says it from the start."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--node", default=NODE, help="the node's full name (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="default: %(default)s; 0: any free")
    parser.add_argument(
        "--host",
        default=LOCAL,
        help="address to listen on (default: %(default)s, this machine alone); 0.0.0.0 shows the "
        "camera to everybody in the network",
    )


def run(args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    from panoptic_ros.cli.watching.page import watch_page
    from panoptic_ros.cli.watching.server import WatchServer
    from panoptic_ros.ros.playback.published_topics import open_context

    # Both say in one line what is missing, before anything is started.
    watch_page({"node": args.node, "cameras": [], "statuses": [], "topics": []})
    open_context().try_shutdown()
    from panoptic_ros.ros.playback.watcher import Watcher

    with (
        Watcher(args.node) as watcher,
        WatchServer(watcher, args.host, args.port, watch_page) as server,
    ):
        print(f"watching {args.node} at {server.url} (Ctrl-C ends)", flush=True)
        threading.Thread(target=_tell_if_absent, args=(watcher,), daemon=True).start()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


def _tell_if_absent(watcher: Watcher) -> None:
    """Say once that nobody publishes a topic of the node."""
    if not watcher.wait_for_topics(TELL_AFTER_S):
        print(
            f"panoptic watch: nobody publishes a topic of {watcher.node_name}; is the node "
            "running and active, in the same ROS_DOMAIN_ID? --node names another one",
            file=sys.stderr,
        )
