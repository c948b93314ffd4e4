# SPDX-License-Identifier: Apache-2.0
"""Who a track is: its number, since when, the classes it was called, how sure the network was."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

from panoptic_ros.core.classes.class_votes import Votes, shares
from panoptic_ros.core.types import VOID, Segment

MAX_ID = 65_535
_SCORE_MEMORY = 0.8


@dataclass
class TrackRecord:
    """What stays with one object over its life.

    Attributes:
        id: 1..65535.
        born_ns: Stamp of the frame that started it.
        seen_ns: Stamp of the frame that showed it last.
        score: 0..1, smoothed over its life.
        label: Class with the most votes, the lowest of equals.
        votes: Sum of scores of every class it was called.
        part_votes: Likewise of the classes that only a part of its pixels was given.
        is_lost: Whether the last frame did not show it.
        divided_s: Seconds for which it has been seen in pieces.
    """

    id: int
    born_ns: int
    seen_ns: int
    score: float
    label: int
    votes: dict[int, float] = field(default_factory=dict)
    part_votes: dict[int, float] = field(default_factory=dict)
    is_lost: bool = False
    divided_s: float = 0.0

    @classmethod
    def begin(cls, number: int, segment: Segment, stamp_ns: int) -> TrackRecord:
        """Start a track with the segment that showed it first."""
        record = cls(number, stamp_ns, stamp_ns, segment.score, segment.label)
        record.vote(segment)
        return record

    @property
    def shares(self) -> Votes:
        """Share of each class in all votes; empty where all are for ``label``."""
        if len(self.votes) == 1 and not self.part_votes:
            return ()
        all_votes = dict(self.votes)
        for label, vote in self.part_votes.items():
            all_votes[label] = all_votes.get(label, 0.0) + vote
        return shares(all_votes)

    def vote(self, segment: Segment) -> None:
        """Count what the network says of it in one frame."""
        label = segment.label
        self.votes[label] = self.votes.get(label, 0.0) + segment.score
        if segment.votes:
            for other, probability in segment.probabilities.items():
                if other not in (label, VOID):
                    self.part_votes[other] = self.part_votes.get(other, 0.0) + probability
        if label != self.label or len(self.votes) > 1:
            self.label = min(self.votes, key=lambda one: (-self.votes[one], one))

    def see(self, segment: Segment, stamp_ns: int) -> None:
        """Take in one more segment."""
        self.vote(segment)
        self.score = _SCORE_MEMORY * self.score + (1.0 - _SCORE_MEMORY) * segment.score
        self.seen_ns, self.is_lost = stamp_ns, False


class IdAllocator:
    """Gives out ids: the one that was given longest ago comes first, those in use never."""

    def __init__(self) -> None:
        self._next = 1

    def take(self, used: Container[int]) -> int:
        """Give the next id.

        Args:
            used: Ids of the objects that are followed.
        """
        for _ in range(MAX_ID):
            number = self._next
            self._next = number % MAX_ID + 1
            if number not in used:
                return number
        raise RuntimeError("more objects than ids")
