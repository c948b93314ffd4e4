# SPDX-License-Identifier: Apache-2.0
"""Ids that stay with their object from frame to frame: online, deterministic, one camera.

First the masks decide: the segments of the frame before, moved by the camera's own motion, are
laid over this frame's, and one joint histogram of the thing pixels gives every mask IoU. What is
left, lost tracks among it, is matched by where its box should be by now. The order is that of
"ByteTrack" (Zhang et al. 2022, arXiv 2110.06864): weak objects may continue a track but never
start one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from panoptic_ros.core.camera_motion import UNKNOWN, CameraMotion, motion_between
from panoptic_ros.core.config import TrackConfig
from panoptic_ros.core.overlap import overlap
from panoptic_ros.core.types import Panoptic, Segment, Track

MAX_ID = 65_535
_OTHER_CLASS_PENALTY = 0.1
_SCORE_MEMORY = 0.8
_VELOCITY_MEMORY = 0.6
_MAX_DISTANCE = 1.0
_MAX_SIZE_RATIO = 2.5
_MIN_STEP_S = 0.01
"""Steps of time are taken as at least this long where a jump in place becomes a speed."""

Pairs = list[tuple[int, int]]


@dataclass
class _State:
    """What is remembered of one object; (y, x) in map pixels."""

    id: int
    born_ns: int
    seen_ns: int
    center: NDArray[np.float64]
    size: NDArray[np.float64]
    area: int
    score: float
    velocity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    votes: dict[int, float] = field(default_factory=dict)

    @property
    def label(self) -> int:
        """Class with the most votes, the lowest of equals."""
        return min(self.votes, key=lambda label: (-self.votes[label], label))


class Tracker:
    """Follows the objects of one camera; used by one thread.

    Args:
        config: Thresholds.
    """

    def __init__(self, config: TrackConfig) -> None:
        self._config = config
        self._next_id = 1
        self._states: dict[int, _State] = {}
        # The last frame's segment ids, and the track of each of those segments.
        self._ids: NDArray[np.uint16] | None = None
        self._owner = np.zeros(1, np.intp)
        self._thumbnail: NDArray[np.uint8] | None = None
        self._motion = UNKNOWN
        self._last_ns = 0

    def configure(self, config: TrackConfig) -> None:
        """Exchange the thresholds; ids are kept."""
        self._config = config

    def reset(self) -> None:
        """Forget all tracks; their ids are the last to be given again."""
        self._forget()

    @property
    def motion(self) -> CameraMotion:
        """How the camera moved into the last frame; unknown after the first one."""
        return self._motion

    def update(
        self,
        panoptic: Panoptic,
        stamp_ns: int,
        thumbnail: NDArray[np.uint8] | None = None,
        motion: CameraMotion | None = None,
    ) -> tuple[Track, ...]:
        """Follow the objects into the next frame.

        Args:
            panoptic: The frame's map.
            stamp_ns: Its time. One that runs backwards (a bag that starts again), a long gap or
                another map size forgets all tracks.
            thumbnail: Small grey picture of the frame, (h, w) uint8, any fixed size; gives the
                camera's motion. None takes the camera as still.
            motion: The camera's motion since the frame before, in map pixels, where odometry or
                an IMU knows it; None looks for it in the thumbnails.

        Returns:
            The tracks that are seen in this frame, ordered by id. Segments that are too weak to
            start a track have none.
        """
        self._reset_if_broken(panoptic.ids.shape, stamp_ns)
        shift = self._camera_shift(thumbnail, panoptic.ids.shape, motion)
        seconds = max(0.0, (stamp_ns - self._last_ns) * 1e-9) if self._last_ns else 0.0
        for state in self._states.values():
            state.center += shift + state.velocity * seconds
        self._drop_expired(stamp_ns)
        matched = self._match(panoptic, shift)
        seen = self._take(panoptic.segments, matched, stamp_ns)
        self._ids, self._owner = panoptic.ids, _owners(panoptic, seen)
        self._last_ns = stamp_ns
        return tuple(sorted(seen, key=lambda track: track.id))

    def _forget(self) -> None:
        self._states = {}
        self._ids = None
        self._thumbnail = None
        self._motion = UNKNOWN
        self._last_ns = 0

    def _reset_if_broken(self, shape: tuple[int, ...], stamp_ns: int) -> None:
        gap_s = (stamp_ns - self._last_ns) * 1e-9
        broken = self._ids is not None and (
            self._ids.shape != shape or gap_s < 0 or gap_s > self._config.reset_gap_s
        )
        if broken:
            self._forget()

    def _camera_shift(
        self,
        thumbnail: NDArray[np.uint8] | None,
        shape: tuple[int, ...],
        motion: CameraMotion | None,
    ) -> NDArray[np.float64]:
        """Find the motion and say how far (dy, dx) it takes the middle of the map."""
        before, self._thumbnail = self._thumbnail, thumbnail
        seen = motion_between(before, thumbnail, shape) if motion is None else motion
        self._motion = seen if self._ids is not None else UNKNOWN
        middle = np.array(shape, np.float64) / 2.0
        return self._motion.move(middle) - middle

    def _match(self, panoptic: Panoptic, shift: NDArray[np.float64]) -> dict[int, int]:
        """Find the track of each segment: ``{segment id: track id}``."""
        matched: dict[int, int] = {}
        if not self._states or not panoptic.segments:
            return matched
        self._match_masks(panoptic, shift, matched)
        self._match_boxes(panoptic.segments, matched)
        return matched

    def _match_masks(
        self, panoptic: Panoptic, shift: NDArray[np.float64], matched: dict[int, int]
    ) -> None:
        if self._ids is None:
            return
        states = list(self._states.values())
        row_of = {state.id: row for row, state in enumerate(states)}
        rows = np.array([row_of.get(number, len(states)) for number in self._owner.tolist()])
        before, now = _overlaid(self._ids, panoptic.ids, shift)
        here = np.flatnonzero(now.ravel() > 0)
        counts = overlap(rows[before.ravel()[here]], now.ravel()[here])
        common = np.zeros((len(states) + 1, len(panoptic.segments) + 1))
        common[: counts.shape[0], : counts.shape[1]] = counts
        common = common[:-1, 1:]
        ours = np.array([state.area for state in states])[:, None]
        theirs = np.array([segment.area for segment in panoptic.segments])[None]
        gain = np.where(common > 0, common / np.maximum(ours + theirs - common, 1), -1.0)
        gain = gain - _OTHER_CLASS_PENALTY * _differs(states, panoptic.segments)
        for row, column in _assign(gain, self._config.min_iou):
            matched[panoptic.segments[column].id] = states[row].id

    def _match_boxes(self, segments: tuple[Segment, ...], matched: dict[int, int]) -> None:
        taken = set(matched.values())
        states = [state for state in self._states.values() if state.id not in taken]
        left = [segment for segment in segments if segment.id not in matched]
        if not states or not left:
            return
        centers = np.array([_center(segment) for segment in left])
        sizes = np.array([_size(segment) for segment in left])
        where = np.array([state.center for state in states])
        extent = np.array([state.size for state in states])
        mean = 0.5 * (extent[:, None] + sizes[None])
        distance = np.abs((where[:, None] - centers[None]) / mean).max(axis=2)
        ratio = np.abs(np.log(extent[:, None] / sizes[None])).max(axis=2)
        gain = 1.0 - distance / _MAX_DISTANCE - 0.2 * ratio
        gain[(ratio > np.log(_MAX_SIZE_RATIO)) | _differs(states, left)] = -1.0
        for row, column in _assign(gain, 0.0):
            matched[left[column].id] = states[row].id

    def _drop_expired(self, stamp_ns: int) -> None:
        oldest_ns = stamp_ns - round(self._config.lost_after_s * 1e9)
        # Where time stands still, nothing would ever grow old: what is lost then is gone.
        moves = stamp_ns > self._last_ns
        seen_last = set(self._owner.tolist())
        self._states = {
            number: state
            for number, state in self._states.items()
            if number in seen_last or (moves and state.seen_ns >= oldest_ns)
        }

    def _take(
        self, segments: Iterable[Segment], matched: dict[int, int], stamp_ns: int
    ) -> list[Track]:
        seen = []
        for segment in segments:
            state = self._states.get(matched.get(segment.id, 0))
            if state is not None:
                _refresh(state, segment, stamp_ns)
            elif segment.score >= self._config.birth_score:
                state = self._start(segment, stamp_ns)
            else:
                continue
            seen.append(_track(state, segment, stamp_ns))
        return seen

    def _start(self, segment: Segment, stamp_ns: int) -> _State:
        state = _State(
            id=self._free_id(),
            born_ns=stamp_ns,
            seen_ns=stamp_ns,
            center=_center(segment),
            size=_size(segment),
            area=segment.area,
            score=segment.score,
            votes={segment.label: segment.score},
        )
        self._states[state.id] = state
        return state

    def _free_id(self) -> int:
        for number in self._ids_in_turn():
            if number not in self._states:
                self._next_id = number % MAX_ID + 1
                return number
        raise RuntimeError("more objects than ids")

    def _ids_in_turn(self) -> Iterator[int]:
        """All ids from the next one on: the one that was given longest ago comes first."""
        yield from range(self._next_id, MAX_ID + 1)
        yield from range(1, self._next_id)


def _assign(gain: NDArray[np.float64], least: float) -> Pairs:
    """Pair rows and columns for the largest sum of the gains that reach ``least``, 0 or more."""
    # A pair that does not count is worth 0: below it, weak pairs together beat a strong one.
    rows, columns = linear_sum_assignment(np.where(gain >= least, gain, 0.0), maximize=True)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if gain[r, c] >= least]


def _differs(states: list[_State], segments: Iterable[Segment]) -> NDArray[np.bool_]:
    ours = np.array([state.label for state in states])
    theirs = np.array([segment.label for segment in segments])
    return np.asarray(ours[:, None] != theirs[None])


def _refresh(state: _State, segment: Segment, stamp_ns: int) -> None:
    """Correct a state, which has been moved to where it was expected, by what was seen."""
    seconds = (stamp_ns - state.seen_ns) * 1e-9
    center = _center(segment)
    if seconds > 0:
        error = (center - state.center) / max(seconds, _MIN_STEP_S)
        state.velocity = state.velocity + (1.0 - _VELOCITY_MEMORY) * error
    state.center, state.size, state.seen_ns = center, _size(segment), stamp_ns
    state.area = segment.area
    state.score = _SCORE_MEMORY * state.score + (1.0 - _SCORE_MEMORY) * segment.score
    state.votes[segment.label] = state.votes.get(segment.label, 0.0) + segment.score


def _track(state: _State, segment: Segment, stamp_ns: int) -> Track:
    return Track(
        id=state.id,
        segment=segment,
        label=state.label,
        score=state.score,
        born_ns=state.born_ns,
        age_s=(stamp_ns - state.born_ns) * 1e-9,
        velocity=(float(state.velocity[0]), float(state.velocity[1])),
    )


def _center(segment: Segment) -> NDArray[np.float64]:
    x0, y0, x1, y1 = segment.box
    return np.array([(y0 + y1) / 2.0, (x0 + x1) / 2.0])


def _size(segment: Segment) -> NDArray[np.float64]:
    x0, y0, x1, y1 = segment.box
    return np.array([float(y1 - y0), float(x1 - x0)])


def _owners(panoptic: Panoptic, seen: list[Track]) -> NDArray[np.intp]:
    """Track id of each segment id, 0 for none."""
    owner = np.zeros(len(panoptic.segments) + 1, np.intp)
    for track in seen:
        owner[track.segment.id] = track.id
    return owner


def _overlaid(
    before: NDArray[np.uint16], now: NDArray[np.uint16], shift: NDArray[np.float64]
) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Cut out where two maps meet after the first has moved by whole pixels."""
    dy, dx = (round(float(value)) for value in shift)
    height, width = now.shape
    old = before[max(0, -dy) : height + min(0, -dy), max(0, -dx) : width + min(0, -dx)]
    return old, now[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)]
