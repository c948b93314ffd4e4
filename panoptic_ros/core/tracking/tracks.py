# SPDX-License-Identifier: Apache-2.0
"""All tracks of one camera, seen and lost: who they are, how they move, which pixels they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.tracking.association import Evidence, Matches
from panoptic_ros.core.tracking.camera_motion import CameraMotion
from panoptic_ros.core.tracking.masks import MaskPoints, sample, shared
from panoptic_ros.core.tracking.motion_model import MotionModel, cut_by_border
from panoptic_ros.core.tracking.segment_table import SegmentTable
from panoptic_ros.core.tracking.track_record import IdAllocator, TrackRecord
from panoptic_ros.core.types import Panoptic, Segment, Track, TrackState

_DIVIDED_S = 0.5
_HIDDEN_SHARE = 0.02


class Tracks:
    """Rows of tracks; row i of every part is the same track."""

    def __init__(self) -> None:
        self._numbers = IdAllocator()
        self.clear()

    def clear(self) -> None:
        """Drop all tracks; ids go on behind the last one."""
        self._identities: list[TrackRecord] = []
        self._model = MotionModel.of_boxes(np.zeros((0, 4)))
        # Points in sight when last looked for come first, then those that something covers.
        self._points, self._in_sight = MaskPoints.none(), 0
        self._astray = np.zeros((0, 2))
        self._under: NDArray[np.uint16] | None = None

    def __len__(self) -> int:
        return len(self._identities)

    def predict(self, motion: CameraMotion, seconds: float) -> None:
        """Move every track to where it should be now."""
        growth, before = self._model.predict(motion, seconds)
        self._under = None
        self._astray = np.zeros((len(self), 2))
        self._points = self._points.carried(motion, growth, before, self._model.center)

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
        self._identities = [self._identities[row] for row in kept.nonzero()[0].tolist()]
        self._astray = self._astray[kept]
        parts = [part.renumbered(table) for part in self._points.split(self._in_sight)]
        self._points, self._in_sight = MaskPoints.joined(*parts), len(parts[0])

    def evidence(
        self, panoptic: Panoptic, seen: SegmentTable, groups: NDArray[np.intp]
    ) -> Evidence:
        """Compare every track with every segment.

        Args:
            panoptic: The frame's map.
            seen: Its segments.
            groups: Group of every class, (256,).
        """
        counts = len(self), len(seen)
        place, inside = self._points.places(panoptic.ids.shape)
        under = self._under = panoptic.ids.ravel().take(place) * inside
        visible, hidden = self._points.split(self._in_sight)
        common = shared(visible, under[: self._in_sight], *counts)
        labels = np.array([one.label for one in self._identities])
        weight = visible.weight * inside[: self._in_sight]
        area = np.bincount(visible.row, weight, counts[0]).astype(np.float64)
        hidden_area = np.bincount(hidden.row, hidden.weight, counts[0])
        return Evidence(
            common=common,
            outline=common + shared(hidden, under[self._in_sight :], *counts),
            track_area=area,
            segment_area=seen.area,
            same_class=labels[:, None] == seen.label[None],
            same_group=groups[labels][:, None] == groups[seen.label][None],
            center=self._model.center,
            size=self._model.size,
            seen_center=seen.center,
            seen_size=seen.size,
            is_cut=self._model.is_cut,
            seen_cut=np.logical_or(*cut_by_border(seen.boxes, panoptic.ids.shape)),
            is_lost=np.array([one.is_lost for one in self._identities], np.bool_),
            is_hidden_in_part=hidden_area >= _HIDDEN_SHARE * area,
            may_shed=np.array([one.divided_s < _DIVIDED_S for one in self._identities], np.bool_),
        )

    def update(
        self,
        panoptic: Panoptic,
        seen: SegmentTable,
        found: Matches,
        stamp_ns: int,
        seconds: float,
    ) -> list[Track]:
        """Correct the tracks that were found and list them."""
        rows, boxes, whole = _put_together(seen, found)
        self._astray[rows] = self._model.correct(rows, boxes, panoptic.ids.shape, seconds)
        is_lost = np.ones(len(self), np.bool_)
        is_lost[rows] = False
        identities, velocity = self._identities, self._model.velocity.tolist()
        tracks = []
        for row, (segment, pieces) in zip(rows.tolist(), whole, strict=True):
            one = identities[row]
            state: TrackState = "refound" if one.is_lost else "tracked"
            one.see(segment, stamp_ns)
            one.divided_s = one.divided_s + seconds if pieces else 0.0
            tracks.append(_track(one, segment, stamp_ns, velocity[row], state, pieces))
        for row in is_lost.nonzero()[0].tolist():
            identities[row].is_lost = True
        return tracks

    def spawn(
        self,
        panoptic: Panoptic,
        seen: SegmentTable,
        found: Matches,
        stamp_ns: int,
        birth_score: float,
    ) -> list[Track]:
        """Start tracks of what nobody claims and what is sure enough."""
        columns = [
            column
            for column in (found.track_of < 0).nonzero()[0].tolist()
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
            one = TrackRecord.begin(number, segment, stamp_ns)
            self._identities.append(one)
            found.track_of[column] = row
            tracks.append(_track(one, segment, stamp_ns, (0.0, 0.0), "new"))
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
        parts = [sample(panoptic, row_of)]
        if not is_seen.all():
            visible, _ = self._points.split(self._in_sight)
            parts.append(visible.where(~is_seen.take(visible.row)))
        in_sight = sum(map(len, parts))
        parts.append(self._covered(panoptic, row_of, is_seen, hiding))
        self._points, self._in_sight = MaskPoints.joined(*parts), in_sight

    def _covered(
        self,
        panoptic: Panoptic,
        row_of: NDArray[np.intp],
        is_seen: NDArray[np.bool_],
        hiding: NDArray[np.bool_],
    ) -> MaskPoints:
        """Find the points of tracks in sight that something covers: they may come out again."""
        if self._under is None:
            return MaskPoints.none()
        # What was expected in sight and is there need not be looked at again.
        row = self._points.row
        is_due = row_of.take(self._under) != row
        is_due[self._in_sight :] = True
        old = self._points.where(is_due & is_seen.take(row)).shifted(self._astray)
        place, inside = old.places(panoptic.ids.shape)
        is_other = row_of.take(panoptic.ids.ravel().take(place)) != old.row
        is_other &= inside & hiding.take(panoptic.labels.ravel().take(place))
        reach = (self._model.size / 2.0 + 0.5).astype(np.float32)
        middle = self._model.center.astype(np.float32)
        for axis, coordinate in enumerate((old.y, old.x)):
            away = np.abs(coordinate - middle[:, axis].take(old.row))
            is_other &= away <= reach[:, axis].take(old.row)
        return old.where(is_other)


def _track(
    one: TrackRecord,
    segment: Segment,
    stamp_ns: int,
    velocity: Sequence[float],
    state: TrackState,
    pieces: tuple[int, ...] = (),
) -> Track:
    """List a track as it is seen now."""
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
        votes=one.shares,
    )


def _put_together(
    seen: SegmentTable, found: Matches
) -> tuple[NDArray[np.intp], NDArray[np.float64], list[tuple[Segment, tuple[int, ...]]]]:
    """List the tracks found: rows, boxes around all of each, its segment and other pieces."""
    columns = ((found.track_of >= 0) & ~found.is_piece).nonzero()[0]
    rows, boxes = found.track_of[columns], seen.boxes[columns]
    whole: list[tuple[Segment, tuple[int, ...]]] = [
        (seen.segments[column], ()) for column in columns.tolist()
    ]
    for column in found.is_piece.nonzero()[0].tolist():
        place = int((rows == found.track_of[column]).nonzero()[0][0])
        (main, others), piece = whole[place], seen.segments[column]
        main = _joined(main, piece)
        whole[place] = main, (*others, piece.id)
        boxes[place] = main.box[1], main.box[0], main.box[3], main.box[2]
    return rows, boxes, whole


def _joined(main: Segment, piece: Segment) -> Segment:
    (a0, b0, a1, b1), (c0, d0, c1, d1) = main.box, piece.box
    box = min(a0, c0), min(b0, d0), max(a1, c1), max(b1, d1)
    return replace(main, area=main.area + piece.area, box=box)
