# SPDX-License-Identifier: Apache-2.0
"""All tracks of one camera, seen and lost: who they are, how they move, which pixels they have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.camera_motion import CameraMotion
from panoptic_ros.core.tracking.association import Evidence, Matches
from panoptic_ros.core.tracking.footprints import Points, sample, shared
from panoptic_ros.core.tracking.identity import Identity, Numbers
from panoptic_ros.core.tracking.motion_model import MotionModel, cut_by_border
from panoptic_ros.core.tracking.sightings import Sightings
from panoptic_ros.core.types import Panoptic, Segment, Track, TrackState

_DIVIDED_S = 0.5
_HIDDEN_SHARE = 0.02


class Memory:
    """Rows of tracks; row i of every part is the same track."""

    def __init__(self) -> None:
        self._numbers = Numbers()
        self.forget()

    def forget(self) -> None:
        """Drop all tracks; ids go on behind the last one."""
        self._identities: list[Identity] = []
        self._model = MotionModel.of_boxes(np.zeros((0, 4)))
        self._visible = Points.none()
        self._hidden = Points.none()
        self._astray = np.zeros((0, 2))
        self._under = np.zeros(0, np.uint16)

    def __len__(self) -> int:
        return len(self._identities)

    def predict(self, motion: CameraMotion, seconds: float) -> None:
        """Move every track to where it should be now."""
        growth, before = self._model.predict(motion, seconds)
        self._under = np.zeros(0, np.uint16)
        self._astray = np.zeros((len(self), 2))
        self._visible, self._hidden = (
            points.carried(motion, growth, before, self._model.center)
            for points in (self._visible, self._hidden)
        )

    def drop_expired(self, stamp_ns: int, seconds: float, lost_after_s: float) -> None:
        """Forget what has been lost for too long."""
        oldest_ns = stamp_ns - round(lost_after_s * 1e9)
        # Where time stands still, nothing would ever grow old: what is lost then is gone.
        kept = np.array(
            [
                not one.is_lost or (seconds > 0.0 and one.seen_ns >= oldest_ns)
                for one in self._identities
            ],
            np.bool_,
        )
        if kept.all():
            return
        table = np.where(kept, np.cumsum(kept) - 1, -1)
        self._model.keep(kept)
        self._identities = [self._identities[row] for row in np.flatnonzero(kept).tolist()]
        self._astray = self._astray[kept]
        self._visible = self._visible.renumbered(table)
        self._hidden = self._hidden.renumbered(table)

    def evidence(
        self, panoptic: Panoptic, seen: Sightings, groups: NDArray[np.intp]
    ) -> Evidence:
        """Compare every track with every segment.

        Args:
            panoptic: The frame's map.
            seen: Its segments.
            groups: Group of every class, (256,).
        """
        counts = len(self), len(seen)
        self._under, inside = self._visible.on(panoptic.ids)
        common = shared(self._visible, self._under, *counts)
        behind, _ = self._hidden.on(panoptic.ids)
        labels = np.array([one.label for one in self._identities])
        weight = self._visible.weight * inside
        area = np.bincount(self._visible.row, weight, counts[0]).astype(np.float64)
        return Evidence(
            common=common,
            outline=common + shared(self._hidden, behind, *counts),
            track_area=area,
            segment_area=seen.area,
            same_class=labels[:, None] == seen.label[None],
            same_group=groups[labels][:, None] == groups[seen.label][None],
            center=self._model.center,
            size=self._model.size,
            seen_center=seen.center,
            seen_size=seen.size,
            is_cut=self._model.is_cut,
            seen_cut=np.asarray(cut_by_border(seen.boxes, panoptic.ids.shape).any(axis=0)),
            is_lost=np.array([one.is_lost for one in self._identities], np.bool_),
            is_hidden_in_part=self._hidden_area() >= _HIDDEN_SHARE * area,
            may_shed=np.array([one.divided_s < _DIVIDED_S for one in self._identities], np.bool_),
        )

    def _hidden_area(self) -> NDArray[np.float64]:
        """Pixels of each track that something covers, (n,)."""
        hidden = np.bincount(self._hidden.row, self._hidden.weight, len(self))
        return hidden.astype(np.float64)

    def learn(
        self,
        panoptic: Panoptic,
        seen: Sightings,
        found: Matches,
        stamp_ns: int,
        seconds: float,
    ) -> list[Track]:
        """Correct the tracks that were found and list them."""
        rows, whole = _put_together(seen, found)
        boxes = np.array([s.box for s, _ in whole], np.float64).reshape(-1, 4)[:, (1, 0, 3, 2)]
        self._astray[rows] = self._model.correct(rows, boxes, panoptic.ids.shape, seconds)
        tracks = []
        is_seen = set(rows.tolist())
        for row, (segment, pieces) in zip(rows.tolist(), whole, strict=True):
            one = self._identities[row]
            state: TrackState = "refound" if one.is_lost else "tracked"
            one.see(segment.label, segment.score, stamp_ns)
            one.divided_s = one.divided_s + seconds if pieces else 0.0
            tracks.append(self._track(row, segment, stamp_ns, state, pieces))
        for row, one in enumerate(self._identities):
            one.is_lost = row not in is_seen
        return tracks

    def start(
        self,
        panoptic: Panoptic,
        seen: Sightings,
        found: Matches,
        stamp_ns: int,
        birth_score: float,
    ) -> list[Track]:
        """Start tracks of what nobody claims and what is sure enough."""
        columns = [
            column
            for column in np.flatnonzero(found.track_of < 0).tolist()
            if seen.segments[column].score >= birth_score
        ]
        if not columns:
            return []
        first = len(self)
        used = {one.id for one in self._identities}
        self._model.append(MotionModel.of_boxes(seen.boxes[columns], panoptic.ids.shape))
        tracks = []
        for row, column in enumerate(columns, start=first):
            segment = seen.segments[column]
            number = self._numbers.take(used)
            used.add(number)
            one = Identity(number, stamp_ns, stamp_ns, segment.score, segment.label)
            one.vote(segment.label, segment.score)
            self._identities.append(one)
            found.track_of[column] = row
            tracks.append(self._track(row, segment, stamp_ns, "new"))
        return tracks

    def remember_pixels(
        self, panoptic: Panoptic, found: Matches, hiding: NDArray[np.bool_]
    ) -> None:
        """Take the pixels of this frame; keep those of tracks that are hidden, in part or all.

        Args:
            panoptic: The frame's map.
            found: Whose its segments are.
            hiding: Classes that can hide an object, (256,).
        """
        row_of = np.concatenate(([-1], found.track_of))
        is_seen = np.zeros(len(self), np.bool_)
        is_seen[row_of[row_of >= 0]] = True
        self._hidden = self._covered(panoptic, row_of, is_seen, hiding)
        unseen = self._visible.where(~is_seen[self._visible.row])
        self._visible = sample(panoptic, row_of).and_(unseen)

    def _covered(
        self,
        panoptic: Panoptic,
        row_of: NDArray[np.intp],
        is_seen: NDArray[np.bool_],
        hiding: NDArray[np.bool_],
    ) -> Points:
        """Find the points of tracks in sight that something covers: they may come out again."""
        row = self._visible.row
        if len(self._under) != len(row):
            return Points.none()
        # What was expected in sight and is there need not be looked at again.
        gone = self._visible.where((row_of[self._under] != row) & is_seen[row])
        old = gone.and_(self._hidden.where(is_seen[self._hidden.row]))
        # Predicted places become true ones.
        old = old.shifted(self._astray)
        place, inside = old.places(panoptic.ids.shape)
        is_other = row_of[panoptic.ids.ravel().take(place)] != old.row
        old = old.where(inside & is_other & hiding[panoptic.labels.ravel().take(place)])
        away_y, away_x = (
            np.abs(place - self._model.center[old.row, axis]) - self._model.size[old.row, axis] / 2
            for axis, place in enumerate((old.y, old.x))
        )
        return old.where((away_y <= 0.5) & (away_x <= 0.5))

    def _track(
        self,
        row: int,
        segment: Segment,
        stamp_ns: int,
        state: TrackState,
        pieces: tuple[int, ...] = (),
    ) -> Track:
        one, velocity = self._identities[row], self._model.velocity[row].tolist()
        return Track(
            id=one.id,
            segment=segment,
            label=one.label,
            score=one.score,
            born_ns=one.born_ns,
            age_s=(stamp_ns - one.born_ns) * 1e-9,
            velocity=(velocity[0], velocity[1]),
            state=state,
            pieces=pieces,
        )


def _put_together(
    seen: Sightings, found: Matches
) -> tuple[NDArray[np.intp], list[tuple[Segment, tuple[int, ...]]]]:
    """List the tracks that were found, each with its segment and the ids of its other pieces."""
    columns = np.flatnonzero((found.track_of >= 0) & ~found.is_piece)
    whole: dict[int, tuple[Segment, tuple[int, ...]]] = {
        int(found.track_of[column]): (seen.segments[column], ()) for column in columns
    }
    for column in np.flatnonzero(found.is_piece).tolist():
        row, piece = int(found.track_of[column]), seen.segments[column]
        main, others = whole[row]
        whole[row] = _joined(main, piece), (*others, piece.id)
    return np.array(list(whole), np.intp), list(whole.values())


def _joined(main: Segment, piece: Segment) -> Segment:
    (a0, b0, a1, b1), (c0, d0, c1, d1) = main.box, piece.box
    box = min(a0, c0), min(b0, d0), max(a1, c1), max(b1, d1)
    return replace(main, area=main.area + piece.area, box=box)
