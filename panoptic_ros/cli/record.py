# SPDX-License-Identifier: Apache-2.0
"""``panoptic record``: what the running node publishes as a bag, without ``ros2 bag``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panoptic_ros.cli.options.arguments import not_negative
from panoptic_ros.cli.printing.json_file import check_place
from panoptic_ros.cli.printing.outputs import add_out, is_file_name, print_written
from panoptic_ros.cli.replaying.outputs import TOPICS
from panoptic_ros.core.errors import ConfigError, DataError, counted
from panoptic_ros.recordings.result_bag import NODE

if TYPE_CHECKING:
    from panoptic_ros.ros.playback.published_topics import PublishedTopic
    from panoptic_ros.ros.playback.recorder import Recorder

DEFAULT_OUT = Path("out/record")
SETTLE_S = 1.0
"""The graph tells of topics one by one; all are there when none is added for so long."""

ALSO = ("camera_info", "label_info")
"""What is recorded besides the topics of ``panoptic replay``; the node works for each."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "topics",
        nargs="*",
        metavar="TOPIC",
        help="topics to record; the node's own also without its name in front, like label "
        f"(default: {', '.join((*TOPICS, *ALSO))} and the topics in metres of every camera of "
        "the node, and /diagnostics)",
    )
    parser.add_argument("--node", default=NODE, help="the node's full name (default: %(default)s)")
    parser.add_argument(
        "--duration", type=float, metavar="S", help="seconds to record (default: until Ctrl-C)"
    )
    parser.add_argument(
        "--wait",
        type=not_negative,
        default=10.0,
        metavar="S",
        help="wait at most this long for topics that are not there yet (default: %(default)s)",
    )
    add_out(parser, "result.mcap", DEFAULT_OUT, ".mcap")


def run(args: argparse.Namespace) -> int:
    """Record until the time is over or somebody stops it."""
    if args.duration is not None and not args.duration > 0:
        raise ConfigError(f"--duration is {args.duration}, needs more than 0")
    out = args.out or DEFAULT_OUT
    path = out if is_file_name(out, ".mcap") else out / "result.mcap"
    check_place(path, "--out")
    has_other = path.exists()
    with _node() as node, ExitStack() as stack:
        from panoptic_ros.ros.playback.recorder import Recorder

        found = _found(node, args)
        stop = stack.enter_context(_stopping())
        best_effort = {topic.name for topic in found if not topic.is_reliable}
        topics = {topic.name: topic.type for topic in found}
        latched = {topic.name for topic in found if topic.is_latched}
        recorder = Recorder(node, path, topics, best_effort, latched, keeps_unfinished=True)
        if recorder.unfinished is not None:
            print(
                "panoptic record: an earlier recording that was not finished is now "
                f"{recorder.unfinished}",
                file=sys.stderr,
            )
        print(f"recording {', '.join(topics)}; Ctrl-C ends", flush=True)
        _spin(node, stop, args.duration)
        recorder.close()
    _tell(recorder, topics)
    if has_other and not recorder.counts:
        print(f"panoptic record: {path} is still that of an earlier run", file=sys.stderr)
    else:
        print_written([path])
    return 0


def _tell(recorder: Recorder, topics: dict[str, str]) -> None:
    """Say how much was recorded; topics without a message are named."""
    total = sum(recorder.counts.values())
    print(f"{counted(total, 'message')} of {counted(len(recorder.counts), 'topic')}")
    silent = [name for name in topics if name not in recorder.counts]
    if silent:
        print(f"panoptic record: no messages arrived on {', '.join(silent)}", file=sys.stderr)


def _found(node: Any, args: argparse.Namespace) -> list[PublishedTopic]:
    """Wait for the topics that are wanted.

    Raises:
        DataError: One that was named is not published, or none of the node.
    """
    from panoptic_ros.messages.message_types import rclpy_types
    from panoptic_ros.recordings.bag_writer import bag_types
    from panoptic_ros.ros.playback.published_topics import is_below, published_topics

    args.topics = _recordable([_full_name(topic, args.node) for topic in args.topics], args.node)
    there, missing = _waited_for(node, args)
    if missing and (args.topics or not _prefixes(there, args.node)):
        graph = [topic.name for topic in published_topics(node)]
        has_node = any(is_below(name, args.node) for name in graph)
        hint = "" if has_node else "; is the node running, in the same ROS_DOMAIN_ID?"
        raise DataError(
            f"nobody publishes {', '.join(missing)}{_meant(missing, args.node, graph)}{hint}"
        )
    if missing:
        _say_left_out(", ".join(missing), "not published")
    unknown = {
        topic
        for topic in there
        if not (bag_types().has(topic.type) and rclpy_types().has(topic.type))
    }
    for topic in unknown:
        _say_left_out(topic.name, f"{topic.type} is not known here")
    return [topic for topic in there if topic not in unknown]


def _full_name(topic: str, node: str) -> str:
    """Name of a topic as the graph has it; ``label`` and ``~/label`` are the node's own.

    >>> [_full_name(topic, "/panoptic") for topic in ("label", "~/overlay", "tf", "/label")]
    ['/panoptic/label', '/panoptic/overlay', '/tf', '/label']
    """
    if topic.startswith("/"):
        return topic
    is_own = topic.startswith("~/") or _row(f"/{topic}")
    return f"{node if is_own else ''}/{topic.removeprefix('~/')}"


def _recordable(names: list[str], node: str) -> list[str]:
    """Leave out topics of the node whose messages are not installed here, and say so.

    Raises:
        DataError: None is left of those that were named.
    """
    from panoptic_ros.messages.message_types import rclpy_types
    from panoptic_ros.messages.topics import TOPICS as ALL
    from panoptic_ros.ros.playback.published_topics import is_below

    types = rclpy_types()
    rows = {name: _row(name) for name in names if is_below(name, node)}
    unknown = {name: ALL[row].type for name, row in rows.items() if row}
    unknown = {name: kind for name, kind in unknown.items() if not types.has(kind)}
    reasons = {
        name: f"{kind} is not known here; install {kind.partition('/')[0]}"
        for name, kind in unknown.items()
    }
    if names and len(unknown) == len(names):
        name, reason = next(iter(reasons.items()))
        raise DataError(f"{name} cannot be recorded: {reason}")
    for name, reason in reasons.items():
        _say_left_out(name, reason)
    return [name for name in names if name not in unknown]


def _meant(missing: Iterable[str], node: str, graph: Sequence[str] = ()) -> str:
    """Say which topic may have been meant by one that nobody publishes.

    Args:
        missing: Names of topics.
        node: Name of the node.
        graph: Names of the topics that are published.

    >>> _meant(["/labl"], "/panoptic"), _meant(["/panoptic/label", "/tf"], "/panoptic")
    ("; the nearest topic of the node is 'label'", '')
    >>> _meant(["/panoptic/remaped/label"], "/panoptic")
    "; the nearest topic of the node is 'remapped/label'"
    >>> _meant(["/camera/image_row"], "/panoptic", ["/camera/image_raw"])
    "; the nearest is '/camera/image_raw'"
    """
    from panoptic_ros.messages.topics import TOPICS as ALL

    # What stands before a row may be a camera's name; before others it is part of the row.
    rows = {f"{node}/{row}": row for row in ALL if "/" in row}
    for name in missing:
        own = name.removeprefix(f"{node}/")
        if own in ALL:
            continue
        if near := get_close_matches(name, [*graph, *rows], n=1, cutoff=0.85):
            row = rows.get(near[0])
            of_node = " topic of the node" if row else ""
            return f"; the nearest{of_node} is {row or near[0]!r}"
        if not _row(name) and (near := get_close_matches(own.lstrip("/"), ALL, n=1)):
            return f"; the nearest topic of the node is {near[0]!r}"
    return ""


def _say_left_out(names: str, reason: str) -> None:
    print(f"panoptic record: left out {names} ({reason})", file=sys.stderr)


def _waited_for(node: Any, args: argparse.Namespace) -> tuple[list[PublishedTopic], list[str]]:
    """Wait until all that is wanted is there, or for as long as ``--wait`` says.

    Returns:
        What is there, and the names of what is not.
    """
    from panoptic_ros.ros.playback.published_topics import published_topics

    end_s = time.monotonic() + args.wait
    known: set[str] = set()
    while True:
        there = [topic for topic in published_topics(node) if _is_wanted(topic.name, args)]
        names = {topic.name for topic in there}
        missing = sorted(set(args.topics) - names if args.topics else _lacking(there, args.node))
        is_settled = not missing and names == known
        if is_settled or time.monotonic() > end_s:
            return there, missing
        known = names
        time.sleep(SETTLE_S)


def _prefixes(there: Iterable[PublishedTopic], node: str) -> set[str]:
    """What stands before the names of topics, for each camera of a node that shows in them."""
    from panoptic_ros.ros.playback.published_topics import is_below

    return {
        topic.name.removesuffix(_row(topic.name)) for topic in there if is_below(topic.name, node)
    }


def _lacking(there: list[PublishedTopic], node: str) -> set[str]:
    """Which topics are not there that a node offers at once for every camera it has."""
    from panoptic_ros.messages.message_types import rclpy_types
    from panoptic_ros.messages.topics import TOPICS as ALL
    from panoptic_ros.ros.playback.published_topics import DIAGNOSTICS

    prefixes = _prefixes(there, node)
    if not prefixes:
        return {f"a topic of {node}"}
    # Without vision_msgs the node lacks some, too, and nothing here could record them.
    types = rclpy_types()
    rows = [row for row in usual_rows() if types.has(ALL[row].type)]
    usual = {f"{prefix}{row}" for prefix in prefixes for row in rows} | {DIAGNOSTICS}
    return usual - {topic.name for topic in there}


def _is_wanted(name: str, args: argparse.Namespace) -> bool:
    from panoptic_ros.ros.playback.published_topics import DIAGNOSTICS, is_below

    if args.topics:
        return name in args.topics
    return name == DIAGNOSTICS or (is_below(name, args.node) and _is_usual(name))


def _is_usual(name: str) -> bool:
    """Whether a topic of the node is recorded when nobody names any."""
    return _row(name) in usual_rows()


def _row(name: str) -> str:
    """The row of the table of topics that a topic is of, empty where it is of none."""
    from panoptic_ros.messages.topics import TOPICS as ALL

    # The name of a camera may stand before it; "remapped/label" is no label of a camera.
    return max((row for row in ALL if name.endswith(f"/{row}")), key=len, default="")


def usual_rows() -> set[str]:
    """Rows of the table of topics that are recorded of each camera when nobody names any."""
    from panoptic_ros.messages.topic import GroundTopic
    from panoptic_ros.messages.topics import rows_of

    return {*TOPICS, *ALSO, *rows_of(GroundTopic)}


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Give an event that SIGINT and SIGTERM set, in place of an exception."""
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stop.set()) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def _node() -> Iterator[Any]:
    from panoptic_ros.ros.playback.published_topics import open_context

    context = open_context()
    try:
        import rclpy

        yield rclpy.create_node("panoptic_record", context=context)
    finally:
        context.try_shutdown()


def _spin(node: Any, stop: threading.Event, duration_s: float | None) -> None:
    from rclpy.executors import SingleThreadedExecutor

    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    end_s = None if duration_s is None else time.monotonic() + duration_s
    while not stop.is_set() and (end_s is None or time.monotonic() < end_s):
        executor.spin_once(timeout_sec=0.1)
