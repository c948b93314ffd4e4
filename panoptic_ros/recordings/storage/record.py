# SPDX-License-Identifier: Apache-2.0
"""What a storage file of a bag holds: records of topics, in the order of time."""

from __future__ import annotations

import heapq
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from panoptic_ros.core.closing import Closing

NEVER_NS = (1 << 63) - 1
"""Later than every time of a bag."""


@dataclass(frozen=True)
class Topic:
    """A topic of a bag.

    Attributes:
        name: Full name.
        type: In ROS 2 spelling (``sensor_msgs/msg/Image``); other schemas as the file names them.
        count: Messages.
        encoding: How they are serialised: ``cdr``, ``ros1``, ``protobuf``, ``json``, ...
        qos: Quality of service of its publishers in the YAML of rosbag2; empty where unknown.
    """

    name: str
    type: str
    count: int
    encoding: str = "cdr"
    qos: str = ""


@dataclass(frozen=True, eq=False)
class Record:
    """One message as the bag holds it.

    Attributes:
        topic: Name of its topic.
        type: As ``Topic.type``.
        time_ns: When the bag received it.
        data: The serialised message.
        encoding: As ``Topic.encoding``.
    """

    topic: str
    type: str
    time_ns: int
    data: bytes
    encoding: str = "cdr"


class StorageFile(Closing):
    """One file of a bag, open for reading; its owner closes it.

    Attributes:
        path: The file.
        topics: What it holds; a name occurs once for each type.
        start_ns: Time of its first message, ``NEVER_NS`` where there is none.
        end_ns: Time of its last message, None where only reading would tell.
        breaks_ns: Times at which what is read as a whole begins, such as the chunks of a file.
    """

    path: Path
    topics: tuple[Topic, ...] = ()
    start_ns: int = NEVER_NS
    end_ns: int | None = None
    breaks_ns: tuple[int, ...] = ()

    @abstractmethod
    def records(
        self, topics: Collection[str], start_ns: int, end_ns: int | None
    ) -> Iterator[Record]:
        """Yield the records of these topics with start <= time < end by time; damage is noted."""


def merged(
    streams: Iterable[tuple[int, Callable[[], Iterator[Record]]]],
) -> Iterator[Record]:
    """Yield the records of several streams in the order of time.

    Args:
        streams: Time of the first record, and what opens the stream; it is opened when its time
            has come, so that only streams that overlap are open together.
    """
    waiting = sorted(enumerate(streams), key=lambda entry: entry[1][0], reverse=True)
    heads: list[tuple[int, int, Record, Iterator[Record]]] = []

    def push(number: int, stream: Iterator[Record]) -> None:
        record = next(stream, None)
        if record is not None:
            heapq.heappush(heads, (record.time_ns, number, record, stream))

    while heads or waiting:
        if waiting and (not heads or waiting[-1][1][0] <= heads[0][0]):
            number, (_, opened) = waiting.pop()
            push(number, opened())
            continue
        _, number, record, stream = heapq.heappop(heads)
        yield record
        push(number, stream)
