# SPDX-License-Identifier: Apache-2.0
"""Which object of one part is which object of the next: by their masks where both have seen it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from panoptic_ros.core.result import Result
from panoptic_ros.core.tracking.track_record import IdAllocator, TrackRecord
from panoptic_ros.core.types import NO_ID, Track
from panoptic_ros.metrics.intersections import intersect

LEAST_IOU = 0.5
"""Masks that overlap more are one object: no mask can overlap two others as much."""

Identity = tuple[int, int]
"""Id of a track and the stamp of its birth; ids alone are given again some day."""


def identity(track: Track) -> Identity:
    """Name a track within its part."""
    return track.id, track.born_ns


class IdJoin:
    """Compares two parts frame by frame; the last frame in which two masks match decides."""

    def __init__(self) -> None:
        self._later: dict[Identity, Identity] = {}
        self._earlier: dict[Identity, Identity] = {}

    def update(self, earlier: Result, later: Result) -> None:
        """Compare the results of both parts for one frame.

        Args:
            earlier: Of the part that comes first.
            later: Of the part that comes next; may be of another size, then it says nothing.
        """
        if earlier.track_ids().shape != later.track_ids().shape:
            return
        shared = intersect(earlier.track_ids(), later.track_ids())
        areas, later_areas = shared.truth_areas(), shared.predicted_areas()
        names = {track.id: identity(track) for track in earlier.tracks}
        later_names = {track.id: identity(track) for track in later.tracks}
        for one, other, pixels in zip(shared.truth, shared.predicted, shared.pixels, strict=True):
            union = areas[int(one)] + later_areas[int(other)] - pixels
            if NO_ID not in (one, other) and pixels > LEAST_IOU * union:
                self._link(names[int(one)], later_names[int(other)])

    def result(self) -> Mapping[Identity, Identity]:
        """Give the identity in the earlier part for identities of the later one."""
        return self._earlier

    def _link(self, one: Identity, other: Identity) -> None:
        if one in self._later:
            del self._earlier[self._later.pop(one)]
        if other in self._earlier:
            del self._later[self._earlier.pop(other)]
        self._later[one], self._earlier[other] = other, one


class JoinedTracks:
    """Makes the tracks of all parts of one camera what they would be in one piece.

    Ids, and what is gathered over the life of a track: age, score and voted class.

    Args:
        lost_after_s: How long an object may be unseen and keep its id.
    """

    def __init__(self, lost_after_s: float) -> None:
        self._lost_ns = round(lost_after_s * 1e9)
        self._allocator = IdAllocator()
        self._known: dict[Identity, TrackRecord] = {}
        self._living: dict[Identity, TrackRecord] = {}

    def start(self, joined: Mapping[Identity, Identity]) -> None:
        """Go on with the next part.

        Args:
            joined: For its objects those of the part before, as they were joined.
        """
        self._known = {
            later: self._living[earlier]
            for later, earlier in joined.items()
            if earlier in self._living
        }

    def renumber(self, result: Result) -> Result:
        """Give a result of the part the joined tracks."""
        stamp_ns = result.frame.stamp_ns
        tracks = [self._joined(track, stamp_ns) for track in result.tracks]
        return replace(result, tracks=tuple(sorted(tracks, key=lambda track: track.id)))

    def _joined(self, track: Track, stamp_ns: int) -> Track:
        record = self._known.get(identity(track))
        if record is None:
            record = self._spawned(track, stamp_ns)
        else:
            record.see(track.segment, stamp_ns)
        return replace(
            track,
            id=record.id,
            born_ns=record.born_ns,
            age_s=(stamp_ns - record.born_ns) * 1e-9,
            score=record.score,
            label=record.label,
            votes=record.shares,
        )

    def _spawned(self, track: Track, stamp_ns: int) -> TrackRecord:
        """Start a track that the part before has not seen."""
        self._living = {
            name: record
            for name, record in self._living.items()
            if abs(stamp_ns - record.seen_ns) <= self._lost_ns
        }
        number = self._allocator.take({record.id for record in self._living.values()})
        record = TrackRecord(number, track.born_ns, stamp_ns, track.score, track.label)
        record.vote(track.segment)
        self._living[record.id, record.born_ns] = record
        self._known[identity(track)] = record
        return record
