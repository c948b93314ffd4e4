# SPDX-License-Identifier: Apache-2.0
"""Whether the drivable surface can be trusted: overlap, dangerous mistakes, contour, flicker.

Source: precision, recall and MaxF as in the KITTI road benchmark (Fritsch et al. 2013), in the
image plane. The others are ours; each is said where it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.drivable.free_space import free_space_boundary
from panoptic_ros.core.types import NO_ID, VOID, Drivable
from panoptic_ros.metrics.drivable_shares import DrivableShare, DrivableShares
from panoptic_ros.metrics.intersections import intersect

_LEVELS = 256


@dataclass(frozen=True)
class DrivableResult:
    """What ``DrivableQuality`` found; a rate without anything to count is not a number.

    Attributes:
        iou: Overlap of predicted and true surface, 0..1.
        precision: Share of the predicted surface that is true, 0..1.
        recall: Share of the true surface that is predicted, 0..1.
        max_f: Best F1 score over all thresholds on the confidence, 0..1.
        max_f_confidence: The least threshold that gives it, 0..1.
        false_drivable: Share of obstacle and pavement pixels called drivable, 0..1.
        false_drivable_near: The same in the near field.
        missed_obstacles: Share of obstacles of which more than half is called drivable, 0..1.
        obstacles: How many obstacles there were.
        boundary_px: Mean distance between predicted and true boundary of a column, in pixels.
        boundary_m: The same on the ground, in metres; only with distances of the rows.
        flicker: Share of pixels whose truth stays and whose prediction changes from one frame to
            the next, 0..1.
        surface: Which true pixels the surface calls drivable.
        label_map: Which ones the predicted classes call drivable; not numbers where they are not
            given.
    """

    iou: float
    precision: float
    recall: float
    max_f: float
    max_f_confidence: float
    false_drivable: float
    false_drivable_near: float
    missed_obstacles: float
    obstacles: int
    boundary_px: float
    boundary_m: float
    flicker: float
    surface: DrivableShares
    label_map: DrivableShares


def _levels() -> NDArray[np.int64]:
    return np.zeros(_LEVELS, np.int64)


@dataclass(eq=False)
class _Counts:
    """Sums over frames; ``*_levels`` are pixels by confidence of the prediction."""

    right: int = 0
    wrong: int = 0
    missing: int = 0
    hazards: int = 0
    hazards_hit: int = 0
    hazards_near: int = 0
    hazards_near_hit: int = 0
    obstacles: int = 0
    obstacles_missed: int = 0
    columns: int = 0
    boundary_px: float = 0.0
    columns_m: int = 0
    boundary_m: float = 0.0
    steady: int = 0
    flickering: int = 0
    surface_levels: NDArray[np.int64] = field(default_factory=_levels)
    other_levels: NDArray[np.int64] = field(default_factory=_levels)

    def merge(self, other: _Counts) -> None:
        for entry in fields(self):
            setattr(self, entry.name, getattr(self, entry.name) + getattr(other, entry.name))


@dataclass(frozen=True, eq=False)
class _Seen:
    """What flicker needs to know of a frame."""

    known: NDArray[np.bool_]
    surface: NDArray[np.bool_]
    mask: NDArray[np.bool_]


class DrivableQuality:
    """Collects surfaces over frames. One thread at a time; merge the parts of several.

    Args:
        labels: Classes of the truth; drivable ones are surface, things are obstacles, and those
            and the pavement must not be called drivable.
        near: Lower part of the image that counts as near field, as a share of its height.
    """

    def __init__(self, labels: LabelSet, near: float = 0.4) -> None:
        self._surface = labels.drivable & ~labels.things
        self._things = labels.things
        self._hazard = labels.things | labels.pavement
        self._near = near
        self._surface_share, self._label_share = DrivableShare(labels), DrivableShare(labels)
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        self._counts = _Counts()
        self._last: dict[str, _Seen] = {}
        self._surface_share.reset()
        self._label_share.reset()

    def merge(self, other: DrivableQuality) -> None:
        """Add what another one collected from other sequences."""
        self._counts.merge(other._counts)
        self._surface_share.merge(other._surface_share)
        self._label_share.merge(other._label_share)

    def update(
        self,
        labels: NDArray[np.uint8],
        ids: NDArray[np.uint16],
        predicted: Drivable,
        sequence: str | None = None,
        rows_m: NDArray[np.float64] | None = None,
        predicted_labels: NDArray[np.uint8] | None = None,
    ) -> None:
        """Add one frame.

        Args:
            labels: True class of each pixel, 255 for unknown, (H, W).
            ids: True object of its class of each pixel, 0 for none, (H, W).
            predicted: The surface, at the same size.
            sequence: Whose next frame it is, for flicker; None for a single image.
            rows_m: Distance on the ground of each row, not finite where there is none, (H,).
            predicted_labels: Predicted class of each pixel among those of the truth, (H, W).

        Raises:
            ValueError: The maps differ in shape.
        """
        if not labels.shape == ids.shape == predicted.mask.shape:
            shapes = f"{labels.shape}, {ids.shape} and {predicted.mask.shape}"
            raise ValueError(f"shapes differ: {shapes}")
        seen = _Seen(labels != VOID, self._surface[labels], predicted.mask)
        self._surface_share.update(labels, predicted.mask)
        if predicted_labels is not None:
            self._label_share.update(labels, self._surface[predicted_labels])
        self._count_pixels(seen, predicted.confidence)
        self._count_hazards(labels, ids, predicted.mask)
        self._count_boundary(seen, rows_m)
        if sequence is not None:
            self._count_flicker(seen, sequence)

    def _count_pixels(self, seen: _Seen, confidence: NDArray[np.uint8]) -> None:
        counts, surface, other = self._counts, seen.surface, seen.known & ~seen.surface
        counts.right += int(np.count_nonzero(surface & seen.mask))
        counts.missing += int(np.count_nonzero(surface & ~seen.mask))
        counts.wrong += int(np.count_nonzero(other & seen.mask))
        sure = np.where(seen.mask, confidence, 0)
        counts.surface_levels += np.bincount(sure[surface], minlength=_LEVELS)
        counts.other_levels += np.bincount(sure[other], minlength=_LEVELS)

    def _count_hazards(
        self, labels: NDArray[np.uint8], ids: NDArray[np.uint16], mask: NDArray[np.bool_]
    ) -> None:
        counts, hazard = self._counts, self._hazard[labels]
        hit = hazard & mask
        counts.hazards += int(np.count_nonzero(hazard))
        counts.hazards_hit += int(np.count_nonzero(hit))
        first = labels.shape[0] - round(self._near * labels.shape[0])
        counts.hazards_near += int(np.count_nonzero(hazard[first:]))
        counts.hazards_near_hit += int(np.count_nonzero(hit[first:]))
        shared = intersect(self._obstacles(labels, ids), mask.astype(np.uint8))
        areas = shared.truth_areas()
        areas.pop(NO_ID, None)
        is_hit = (shared.predicted == 1) & (shared.truth != NO_ID)
        sizes = np.array([areas[key] for key in shared.truth[is_hit].tolist()], np.int64)
        counts.obstacles += len(areas)
        counts.obstacles_missed += int((2 * shared.pixels[is_hit] > sizes).sum())

    def _obstacles(self, labels: NDArray[np.uint8], ids: NDArray[np.uint16]) -> NDArray[np.uint32]:
        """Number of each pixel's obstacle, 0 for none: ids are told apart within a class only."""
        numbers: NDArray[np.uint32] = labels.astype(np.uint32) << np.uint32(16) | ids
        numbers[~self._things[labels] | (ids == NO_ID)] = NO_ID
        return numbers

    def _count_boundary(self, seen: _Seen, rows_m: NDArray[np.float64] | None) -> None:
        # The own bonnet is unknown and free; farther up, the truth must know what blocks.
        bonnet = np.logical_and.accumulate(~seen.known[::-1], axis=0)[::-1]
        true = free_space_boundary(seen.surface | bonnet)
        found = free_space_boundary(seen.mask | bonnet)
        columns = np.arange(true.size)
        counted = (true < 0) | seen.known[np.maximum(true, 0), columns]
        counts = self._counts
        counts.columns += int(counted.sum())
        counts.boundary_px += float(np.abs(true - found)[counted].sum())
        if rows_m is not None:
            # A boundary above the image is as far as the image's first row.
            true_m, found_m = (rows_m[np.maximum(rows, 0)] for rows in (true, found))
            measured = counted & np.isfinite(true_m) & np.isfinite(found_m)
            counts.columns_m += int(measured.sum())
            counts.boundary_m += float(np.abs(true_m[measured] - found_m[measured]).sum())

    def _count_flicker(self, seen: _Seen, sequence: str) -> None:
        last = self._last.get(sequence)
        self._last[sequence] = seen
        if last is None or last.mask.shape != seen.mask.shape:
            return
        steady = last.known & seen.known & (last.surface == seen.surface)
        self._counts.steady += int(np.count_nonzero(steady))
        self._counts.flickering += int(np.count_nonzero(steady & (last.mask != seen.mask)))

    def result(self) -> DrivableResult:
        """Compute the scores of all frames so far."""
        counts = self._counts
        max_f, level = _max_f(counts)
        return DrivableResult(
            iou=_share(counts.right, counts.right + counts.wrong + counts.missing),
            precision=_share(counts.right, counts.right + counts.wrong),
            recall=_share(counts.right, counts.right + counts.missing),
            max_f=max_f,
            max_f_confidence=level / (_LEVELS - 1),
            false_drivable=_share(counts.hazards_hit, counts.hazards),
            false_drivable_near=_share(counts.hazards_near_hit, counts.hazards_near),
            missed_obstacles=_share(counts.obstacles_missed, counts.obstacles),
            obstacles=counts.obstacles,
            boundary_px=_share(counts.boundary_px, counts.columns),
            boundary_m=_share(counts.boundary_m, counts.columns_m),
            flicker=_share(counts.flickering, counts.steady),
            surface=self._surface_share.result(),
            label_map=self._label_share.result(),
        )


def _share(part: float, whole: int) -> float:
    return part / whole if whole else math.nan


def _max_f(counts: _Counts) -> tuple[float, int]:
    """Best F1 score and the least confidence, from 1 on, of the pixels that then count."""
    surface = int(counts.surface_levels.sum())
    if not surface:
        return math.nan, 0
    right = counts.surface_levels[::-1].cumsum()[::-1][1:]
    wrong = counts.other_levels[::-1].cumsum()[::-1][1:]
    score = 2 * right / (right + wrong + surface)
    best = int(score.argmax())
    return float(score[best]), best + 1


def flat_ground_rows(
    height_px: int, focal_px: float, horizon_px: float, camera_height_m: float
) -> NDArray[np.float64]:
    """Distance on flat ground of each row, for a camera without roll.

    Args:
        height_px: Rows of the image.
        focal_px: Focal length.
        horizon_px: Row of the horizon.
        camera_height_m: Of the camera above the ground.

    Returns:
        Metres ahead of the camera, infinite at and above the horizon, (height_px,).
    """
    below = np.arange(height_px) + 0.5 - horizon_px
    rows = np.full(height_px, math.inf)
    np.divide(focal_px * camera_height_m, below, out=rows, where=below > 0)
    return rows
