# SPDX-License-Identifier: Apache-2.0
"""What became of every true object: under which id it was found, when it was missed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from panoptic_ros.metrics.clear import matches
from panoptic_ros.metrics.frame_matches import TrackingSequence

MISSED = 0


@dataclass(frozen=True)
class Span:
    """Frames in a row in which an object was found under one id, or was missed.

    Attributes:
        first: Number of the first frame in its sequence, from 0 on.
        last: Number of the last one.
        predicted: The id; 0 where it was missed.
    """

    first: int
    last: int
    predicted: int


@dataclass(frozen=True)
class IdHistory:
    """One true object.

    Attributes:
        id: In the truth.
        spans: In order; frames in which it is not in the image are in none.
        switches: Numbers of the frames in which its id was another than the last one it had.
    """

    id: int
    spans: tuple[Span, ...]
    switches: tuple[int, ...]

    @property
    def frames(self) -> int:
        """In how many frames it is."""
        return sum(span.last - span.first + 1 for span in self.spans)


def id_histories(sequence: TrackingSequence) -> list[IdHistory]:
    """Follow every object of one sequence, matched as for MOTSA.

    Returns:
        One history per true object, in the order of their ids.
    """
    seen: list[list[tuple[int, int]]] = [[] for _ in range(sequence.truth_count)]
    pairs = zip(sequence.frames, matches(sequence), strict=True)
    for index, (frame, (true, predicted)) in enumerate(pairs):
        found = dict(zip(true.tolist(), sequence.predicted_ids[predicted].tolist(), strict=True))
        for number in frame.truth.tolist():
            seen[number].append((index, found.get(number, MISSED)))
    return [
        IdHistory(int(key), _spans(frames), _switches(frames))
        for key, frames in zip(np.asarray(sequence.truth_ids).tolist(), seen, strict=True)
    ]


def _spans(frames: list[tuple[int, int]]) -> tuple[Span, ...]:
    found: list[Span] = []
    for frame, key in frames:
        if found and found[-1].predicted == key and found[-1].last == frame - 1:
            found[-1] = Span(found[-1].first, frame, key)
        else:
            found.append(Span(frame, frame, key))
    return tuple(found)


def _switches(frames: list[tuple[int, int]]) -> tuple[int, ...]:
    known = [(frame, key) for frame, key in frames if key != MISSED]
    return tuple(frame for (_, before), (frame, key) in pairwise(known) if key != before)
