# SPDX-License-Identifier: Apache-2.0
"""Which segment is which track: masks first, then outlines of the hidden, then boxes.

The order is that of "ByteTrack" (Zhang et al. 2022, arXiv 2110.06864) in that what is left over by
one kind of evidence is tried with the next; the first is the overlap of masks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_OTHER_CLASS_PENALTY = 0.05
_OTHER_GROUP_IOU = 0.5
_MIN_COVER = 0.5
_MAX_DISTANCE = 1.0
_MAX_SIZE_RATIO = 2.5
_SIZE_PENALTY = 0.2
_MARGIN, _MARGIN_PX = 0.3, 2.0
"""What comes out of hiding may stick out of its box by this share of it plus these pixels."""
_PIECE_MARGIN, _PIECE_MARGIN_PX = 0.04, 2.0
"""Likewise a piece out of its object's box."""
_MIN_PIECE_COVER = 0.25
_GAP_SHARE, _GAP_PX = 0.2, 1.0
"""What hides the middle of an object is at most this share of it plus these pixels wide."""
_SCRAP_COVER, _SCRAP_SHARE = 0.7, 0.2
"""A scrap lies inside by this share of itself, and is at most this share of the main segment."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What speaks for every pair of a track (row) and a segment (column).

    Attributes:
        common: Pixels that the segment shares with what was visible of the track, (n, m).
        outline: Likewise with all of the track, hidden parts included, (n, m).
        track_area: Visible pixels of the track, as far as they are in the map, (n,).
        segment_area: Pixels of the segment, (m,).
        same_class: (n, m).
        same_group: Whether the two classes may be one object's, (n, m).
        center: Middle of each track, (n, 2).
        size: Size of each track, (n, 2).
        seen_center: Middle of each segment's box, (m, 2).
        seen_size: Its size, (m, 2).
        is_cut: Whether the image's border cut the track when it was last seen, by axis, (n, 2).
        seen_cut: Whether it cuts the segment, (m, 2).
        is_lost: Tracks that the frame before did not show, (n,).
        is_hidden_in_part: Tracks of which something covers a part, (n,).
        may_shed: Tracks that the network has not cut up for long, (n,).
    """

    common: Floats
    outline: Floats
    track_area: Floats
    segment_area: Floats
    same_class: Flags
    same_group: Flags
    center: Floats
    size: Floats
    seen_center: Floats
    seen_size: Floats
    is_cut: Flags
    seen_cut: Flags
    is_lost: Flags
    is_hidden_in_part: Flags
    may_shed: Flags


@dataclass(eq=False)
class Matches:
    """Who is who.

    Attributes:
        track_of: Track of each segment, -1 for none, (m,).
        is_piece: Segments that belong to a track beside its main one, (m,).
    """

    track_of: NDArray[np.intp]
    is_piece: Flags
    _taken: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))

    @classmethod
    def none(cls, tracks: int, segments: int) -> Matches:
        """Start with nothing."""
        return cls(
            np.full(segments, -1, np.intp),
            np.zeros(segments, np.bool_),
            np.zeros(tracks, np.bool_),
        )

    @property
    def taken(self) -> Flags:
        """Tracks that have a segment, (n,)."""
        return self._taken

    @property
    def is_open(self) -> bool:
        """Whether there are both tracks and segments left."""
        return bool((self.track_of < 0).any() and not self._taken.all())

    def add(self, gain: Floats, least: float) -> None:
        """Pair what is left for the largest sum of the gains that reach ``least``, 0 or more."""
        open_rows = (~self._taken).nonzero()[0]
        open_columns = (self.track_of < 0).nonzero()[0]
        is_whole = gain.shape == (open_rows.size, open_columns.size)
        left = gain if is_whole else gain[open_rows[:, None], open_columns]
        good = left >= least
        choices = good.sum(axis=1), good.sum(axis=0)
        # Most have no choice; only the others take part in the assignment, which is cubic.
        is_sure = good & (choices[0] == 1)[:, None] & (choices[1] == 1)
        rows, columns = is_sure.nonzero()
        self._pair(open_rows[rows], open_columns[columns])
        rows = ((choices[0] > 0) & ~is_sure.any(axis=1)).nonzero()[0]
        columns = ((choices[1] > 0) & ~is_sure.any(axis=0)).nonzero()[0]
        if rows.size == 0:
            return
        left = left[rows[:, None], columns]
        # A pair that does not count is worth 0: below it, weak pairs together beat a strong one.
        chosen = linear_sum_assignment(np.where(left >= least, left, 0.0), maximize=True)
        counts = left[chosen] >= least
        self._pair(open_rows[rows[chosen[0][counts]]], open_columns[columns[chosen[1][counts]]])

    def _pair(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> None:
        self.track_of[columns] = rows
        self._taken[rows] = True


def associate(evidence: Evidence, min_iou: float) -> Matches:
    """Find the track of every segment.

    Args:
        evidence: About every pair.
        min_iou: Least mask overlap that continues a track.
    """
    found = Matches.none(*evidence.common.shape)
    iou = _mask_iou(evidence)
    found.add(_mask_gain(evidence, iou), min_iou)
    for gain, least in ((_cover_gain, _MIN_COVER), (_box_gain, 0.0), (_emerging_gain, 0.0)):
        if found.is_open:
            found.add(gain(evidence), least)
    _find_pieces(evidence, found)
    return found


def _mask_iou(evidence: Evidence) -> Floats:
    union = evidence.track_area[:, None] + evidence.segment_area[None] - evidence.common
    # Carried masks are estimates: what they share cannot be more than there is.
    return np.where(
        evidence.common > 0.0,
        np.minimum(evidence.common / np.maximum(union, 1.0), 1.0),
        -1.0,
    )


def _mask_gain(evidence: Evidence, iou: Floats) -> Floats:
    allowed = evidence.same_group | (iou >= _OTHER_GROUP_IOU)
    return np.where(allowed, iou - _OTHER_CLASS_PENALTY * ~evidence.same_class, -1.0)


def _cover_gain(evidence: Evidence) -> Floats:
    """How much of a segment lies in the outline: what comes out of hiding shows a sliver."""
    cover = evidence.outline / np.maximum(evidence.segment_area[None], 1.0)
    return np.where(evidence.same_group, np.minimum(cover, 1.0), -1.0)


def _box_gain(evidence: Evidence) -> Floats:
    """How near a segment's box is to where the track's should be, and how alike in size.

    What the border cuts on one of the two images grows or shrinks as it comes in or leaves.
    """
    size, seen = evidence.size[:, None], evidence.seen_size[None]
    away = np.abs(evidence.center[:, None] - evidence.seen_center[None])
    distance = (away / (0.5 * (size + seen))).max(axis=2)
    unlike = np.abs(np.log(np.maximum(size, 1e-3) / np.maximum(seen, 1e-3)))
    is_cut = evidence.is_cut[:, None] & evidence.seen_cut[None]
    ratio = np.where(is_cut, 0.0, unlike).max(axis=2)
    gain = 1.0 - distance / _MAX_DISTANCE - _SIZE_PENALTY * ratio
    gain = gain - _OTHER_CLASS_PENALTY * ~evidence.same_class
    allowed = evidence.same_group & (ratio <= np.log(_MAX_SIZE_RATIO))
    return np.asarray(np.where(allowed, gain, -1.0))


def _emerging_gain(evidence: Evidence) -> Floats:
    """How well a part fits into the box of a lost object: what comes out of hiding is small."""
    share = _outside(evidence, _MARGIN, _MARGIN_PX).max(axis=2)
    allowed = evidence.same_group & evidence.is_lost[:, None] & (share <= 1.0)
    return np.asarray(np.where(allowed, 1.0 - share, -1.0))


def _outside(evidence: Evidence, margin: float, margin_px: float) -> Floats:
    """How far each segment's box sticks out of each track's, in its margins, by axis."""
    low = (evidence.center - evidence.size / 2.0)[:, None]
    high = (evidence.center + evidence.size / 2.0)[:, None]
    half, middle = (evidence.seen_size / 2.0)[None], evidence.seen_center[None]
    outside = np.maximum(np.maximum(low - (middle - half), middle + half - high), 0.0)
    return np.asarray(outside / (margin * evidence.size + margin_px)[:, None])


def _find_pieces(evidence: Evidence, found: Matches) -> None:
    """Give segments that lie in the outline of a track that is seen elsewhere to that track.

    Either something hides what joins them, or it is a scrap that the network cut off and that
    will not last. They must not make the track larger than it was: that would be a neighbour that
    comes into sight.
    """
    left = (found.track_of < 0).nonzero()[0]
    if left.size == 0 or not found.taken.any():
        return
    main = np.zeros(len(found.taken), np.intp)
    columns = (found.track_of >= 0).nonzero()[0]
    main[found.track_of[columns]] = columns
    # How far an object goes on beyond the border is not known.
    is_cut = evidence.is_cut[:, None] & evidence.seen_cut[None]
    outside = np.where(is_cut, 0.0, _outside(evidence, _PIECE_MARGIN, _PIECE_MARGIN_PX))
    fits = outside.max(axis=2)[:, left] <= 1.0
    cover = _cover_gain(evidence)[:, left]
    is_hidden = evidence.is_hidden_in_part[:, None] & _apart(evidence, main, left)
    is_scrap = evidence.may_shed[:, None] & (cover >= _SCRAP_COVER)
    is_scrap &= evidence.segment_area[left] <= _SCRAP_SHARE * evidence.segment_area[main][:, None]
    gain = np.where(found.taken[:, None] & fits & (is_hidden | is_scrap), cover, -1.0)
    best = gain.argmax(axis=0)
    is_piece = gain[best, np.arange(left.size)] >= _MIN_PIECE_COVER
    found.track_of[left[is_piece]] = best[is_piece]
    found.is_piece[left[is_piece]] = True


def _apart(evidence: Evidence, main: NDArray[np.intp], left: NDArray[np.intp]) -> Flags:
    """Whether there is a narrow gap between the tracks' main segments and the others."""
    between = np.abs(evidence.seen_center[main][:, None] - evidence.seen_center[left][None])
    reach = (evidence.seen_size[main][:, None] + evidence.seen_size[left][None]) / 2.0
    gap = between - reach
    narrow = _GAP_SHARE * evidence.size[:, None] + _GAP_PX
    return np.asarray(((gap > 0.0) & (gap <= narrow)).any(axis=2) & (gap <= narrow).all(axis=2))
