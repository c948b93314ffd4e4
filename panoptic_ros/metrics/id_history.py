# SPDX-License-Identifier: Apache-2.0
"""What became of every true object: under which id it was found, when it was missed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from panoptic_ros.metrics.clear import matches
from panoptic_ros.metrics.frame_matches import Timeline

MISSED = 0


@dataclass(frozen=True)
class Stretch:
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
class Life:
    """One true object.

    Attributes:
        id: In the truth.
        stretches: In order; frames in which it is not in the picture are in none.
        switches: Numbers of the frames in which its id was another than the last one it had.
    """

    id: int
    stretches: tuple[Stretch, ...]
    switches: tuple[int, ...]

    @property
    def frames(self) -> int:
        """In how many frames it is."""
        return sum(stretch.last - stretch.first + 1 for stretch in self.stretches)


def lives(line: Timeline) -> list[Life]:
    """Follow every object of one sequence, matched as for MOTSA.

    Returns:
        One life per true object, in the order of their ids.
    """
    seen: list[list[tuple[int, int]]] = [[] for _ in range(line.truth_count)]
    pairs = zip(line.sightings, matches(line), strict=True)
    for frame, (sighting, (true, predicted)) in enumerate(pairs):
        found = dict(zip(true.tolist(), line.predicted_ids[predicted].tolist(), strict=True))
        for number in sighting.truth.tolist():
            seen[number].append((frame, found.get(number, MISSED)))
    return [
        Life(int(key), _stretches(frames), _switches(frames))
        for key, frames in zip(np.asarray(line.truth_ids).tolist(), seen, strict=True)
    ]


def _stretches(frames: list[tuple[int, int]]) -> tuple[Stretch, ...]:
    found: list[Stretch] = []
    for frame, key in frames:
        if found and found[-1].predicted == key and found[-1].last == frame - 1:
            found[-1] = Stretch(found[-1].first, frame, key)
        else:
            found.append(Stretch(frame, frame, key))
    return tuple(found)


def _switches(frames: list[tuple[int, int]]) -> tuple[int, ...]:
    known = [(frame, key) for frame, key in frames if key != MISSED]
    return tuple(frame for (_, before), (frame, key) in pairwise(known) if key != before)
