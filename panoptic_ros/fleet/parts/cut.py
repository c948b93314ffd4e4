# SPDX-License-Identifier: Apache-2.0
"""Where a long bag is cut: parts of equal length that begin where a chunk of the bag begins."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.recordings.source import ReceiptRange

LEAST_PARTS_OVERLAP = 4
"""A part is at least so many times as long as what it shares with the one before."""

_SNAP_SHARE = 0.1
"""A cut moves to a chunk that begins so near, as a share of the length of a part."""


@dataclass(frozen=True)
class Cut:
    """How bags are cut.

    Attributes:
        cut_s: Bags longer than that are cut into parts that are about so long at most.
        overlap_s: A part begins so much earlier than its first frame of results, so that tracks
            and surface are known by then and ids can be compared.
    """

    cut_s: float
    overlap_s: float

    def check(self, lost_after_s: float) -> None:
        """Refuse lengths with which ids would be lost.

        Args:
            lost_after_s: How long an object may be unseen and keep its id.

        Raises:
            ConfigError: They make no sense.
        """
        if not lost_after_s < self.overlap_s < math.inf:
            raise ConfigError(
                f"--overlap-s is {self.overlap_s:g}, needs more than tracking.lost_after_s "
                f"({lost_after_s:g}), so that what is out of sight at a cut is known after it"
            )
        if not LEAST_PARTS_OVERLAP * self.overlap_s <= self.cut_s < math.inf:
            raise ConfigError(
                f"--cut-s is {self.cut_s:g}, needs {LEAST_PARTS_OVERLAP} times --overlap-s "
                f"({self.overlap_s:g}) or more, as the overlap is labelled twice"
            )


@dataclass(frozen=True)
class Part:
    """A part of a bag, in times at which the bag received its messages.

    Attributes:
        number: From 0 on.
        start_ns: First time of its results.
        end_ns: First time of the next part, None for the last part.
        read_from_ns: First time that it reads.
    """

    number: int
    start_ns: int
    end_ns: int | None
    read_from_ns: int

    @property
    def span(self) -> ReceiptRange:
        """What it reads."""
        return ReceiptRange(start_ns=self.read_from_ns, end_ns=self.end_ns)


def parts_of(
    span_ns: tuple[int, int] | None, breaks_ns: Collection[int], cut: Cut | None
) -> tuple[Part, ...]:
    """Cut a bag; who asks again gets the same parts.

    Args:
        span_ns: Time of the first and of the last message; None where that is not known.
        breaks_ns: Times at which chunks begin; may be empty.
        cut: How; None for not at all.

    Returns:
        Its parts, at least two; empty for a bag that is not cut.
    """
    if cut is None or span_ns is None:
        return ()
    first_ns, last_ns = span_ns
    count = math.ceil((last_ns - first_ns) / (cut.cut_s * 1e9))
    if count < 2:
        return ()
    length_ns = (last_ns - first_ns) // count
    even = [first_ns + number * length_ns for number in range(1, count)]
    borders = [_snapped(time_ns, breaks_ns, round(_SNAP_SHARE * length_ns)) for time_ns in even]
    overlap_ns = round(cut.overlap_s * 1e9)
    starts = [0, *borders]
    return tuple(
        Part(number, start_ns, end_ns, max(0, start_ns - overlap_ns))
        for number, (start_ns, end_ns) in enumerate(zip(starts, [*borders, None], strict=True))
    )


def _snapped(time_ns: int, breaks_ns: Collection[int], within_ns: int) -> int:
    """Move a time to the nearest chunk, if one begins near."""
    nearest = min(breaks_ns, key=lambda start_ns: abs(start_ns - time_ns), default=time_ns)
    return nearest if abs(nearest - time_ns) <= within_ns else time_ns
