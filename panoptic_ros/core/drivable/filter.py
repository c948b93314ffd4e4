# SPDX-License-Identifier: Apache-2.0
"""The surface to drive on: confident drivable pixels that are connected to the ego vehicle."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DrivableConfig
from panoptic_ros.core.decoding.bonnet import find_bonnet
from panoptic_ros.core.drivable.evidence import SurfaceRules, surface_evidence
from panoptic_ros.core.drivable.free_space import ego_foot, ending_classes, free_space_boundary
from panoptic_ros.core.drivable.temporal import TemporalFilter
from panoptic_ros.core.tracking.camera_motion import UNKNOWN, CameraMotion
from panoptic_ros.core.types import VOID, Drivable, Panoptic


class DrivableFilter:
    """Finds the surface of one camera from frame to frame; used by one thread.

    Args:
        labels: Says which classes are drivable and which are things.
        config: Thresholds.

    Raises:
        ConfigError: ``optional_classes`` does not fit the label set.
    """

    def __init__(self, labels: LabelSet, config: DrivableConfig) -> None:
        self._labels = labels
        self._memory = TemporalFilter()
        self.configure(config)

    def configure(self, config: DrivableConfig) -> None:
        """Replace the thresholds; what is remembered is kept.

        Raises:
            ConfigError: ``optional_classes`` does not fit the label set.
        """
        self._rules = SurfaceRules.of(self._labels, config)
        self._config = config

    def update(
        self,
        panoptic: Panoptic,
        stamp_ns: int,
        motion: CameraMotion = UNKNOWN,
        is_new_stream: bool = False,
    ) -> Drivable:
        """Find the surface in the next frame.

        Args:
            panoptic: The frame's map; of the same size as the one before in the same stream.
            stamp_ns: Its time; not before that of the frame before in the same stream.
            motion: How the image moved since the frame before, in map pixels.
            is_new_stream: Whether the frame has nothing to do with the one before; forgets what
                was before.

        Returns:
            The pieces of drivable surface that touch the strip at the lower edge, or in front of
            the ego vehicle there (its mask, or what looks like its bonnet), with small holes
            closed. Neither a thing pixel nor its margin nor the ego vehicle is ever drivable.
        """
        config, rules = self._config, self._rules
        panoptic = self._without_bonnet(panoptic)
        evidence = surface_evidence(panoptic, rules, config)
        probability = self._memory.update(
            evidence, stamp_ns, config.memory_s, motion, is_new_stream
        )
        height, width = probability.shape
        foot = np.full(width, height, np.int32)
        if panoptic.ego is not None:
            foot = ego_foot(panoptic.ego)
            probability = np.where(panoptic.ego, np.uint8(0), probability)
        mask = _touching_ego(probability, foot, config)
        if config.max_hole_area > 0.0:
            _close_holes(mask, evidence.open, config.max_hole_area * mask.size)
        shown = mask.view(np.uint8)
        # What closes a hole is as sure as the least sure pixel that needs no closing.
        # With a number in place of an array NumPy takes five times as long.
        least = np.full_like(probability, _level(config.min_confidence))
        sure = np.maximum(probability, least)
        confidence = np.asarray(cv2.multiply(sure, shown), np.uint8)
        boundary = free_space_boundary(_with_ego(mask, foot))
        reach = math.ceil(max(config.thing_margin, config.person_margin) * mask.shape[1])
        ends = ending_classes(boundary, panoptic.labels, rules.weight > 0, reach)
        return Drivable(mask, confidence, boundary, ends, foot)

    def _without_bonnet(self, panoptic: Panoptic) -> Panoptic:
        """Make the own bonnet void where the camera has no mask of the ego vehicle."""
        if panoptic.ego is not None or not self._config.above_bonnet:
            return panoptic
        bonnet = find_bonnet(panoptic.labels, panoptic.ids, self._labels.vehicles)
        if bonnet is None:
            return panoptic
        labels = np.where(bonnet, np.uint8(VOID), panoptic.labels)
        return replace(panoptic, labels=labels, ego=bonnet)


def find_drivable(panoptic: Panoptic, labels: LabelSet, config: DrivableConfig) -> Drivable:
    """Find the surface in a single frame; see ``DrivableFilter.update``.

    Raises:
        ConfigError: ``optional_classes`` does not fit the label set.
    """
    return DrivableFilter(labels, config).update(panoptic, 0)


def _level(probability: float) -> int:
    """At least 1: what nothing speaks for is no surface, whatever the threshold."""
    return max(1, round(probability * 255.0))


def _with_ego(mask: NDArray[np.bool_], foot: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Take the ego vehicle at the lower edge for surface, as the free space begins behind it."""
    if (foot == mask.shape[0]).all():
        return mask
    return mask | (np.arange(mask.shape[0])[:, None] >= foot)


def _touching_ego(
    probability: NDArray[np.uint8], foot: NDArray[np.int32], config: DrivableConfig
) -> NDArray[np.bool_]:
    """Keep the pieces that reach the lowest rows in front of the camera and are sure somewhere."""
    height, width = probability.shape
    seen = probability >= _level(config.min_confidence)
    mask = np.zeros_like(seen)
    # Nothing is connected above the highest pixel.
    top = int(seen.any(axis=1).argmax())
    count, found = cv2.connectedComponents(seen[top:].view(np.uint8), connectivity=4)
    pieces = np.asarray(found, np.int32)
    margin = min(round(width * (1.0 - config.ego_width) / 2.0), (width - 1) // 2)
    columns = np.arange(margin, width - margin)
    rows = np.maximum(foot[columns] - 1 - np.arange(max(1, height // 16))[:, None] - top, 0)
    strip = pieces[rows, columns]
    kept = np.zeros(count, np.bool_)
    kept[strip] = True
    kept[0] = False
    is_sure = probability[top:] >= _level(max(config.sure_confidence, config.min_confidence))
    sure = np.zeros(count, np.bool_)
    sure[strip[is_sure[rows, columns]]] = True
    # Most often the strip alone says that its pieces are sure.
    if (kept & ~sure).any():
        sure[pieces[is_sure]] = True
    mask[top:] = _chosen(pieces, kept & sure)
    return mask


def _chosen(pieces: NDArray[np.int32], chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where the pieces are that are chosen by number."""
    numbers = np.flatnonzero(chosen)
    # Most often there is one: a comparison is faster than a look-up.
    return pieces == numbers[0] if numbers.size == 1 else chosen.take(pieces, mode="clip")


def _close_holes(mask: NDArray[np.bool_], is_open: NDArray[np.uint8], max_area_px: float) -> None:
    """Fill, in place, small holes in which nothing says that they must stay open."""
    # Nothing is enclosed above the surface's highest row.
    top = int(mask.any(axis=1).argmax())
    whole, is_open = mask[top:], is_open[top:]
    # Areas alone are wanted: bincount has them sooner than connectedComponentsWithStats.
    count, found = cv2.connectedComponents((~whole).view(np.uint8), connectivity=8)
    pieces = np.asarray(found, np.int32)
    fill = np.ones(count, np.bool_)
    fill[0] = False
    # What touches the rim of the image is not enclosed.
    for rim in (pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]):
        fill[rim] = False
    if fill.any():
        fill &= np.bincount(pieces.ravel(), minlength=count) <= max_area_px
    if not fill.any():
        return
    closed = _chosen(pieces, fill)
    # Things are looked up in small holes only: most of an image's things stand elsewhere.
    must_stay = pieces[closed & is_open.view(np.bool_)]
    if must_stay.size:
        fill[must_stay] = False
        closed = _chosen(pieces, fill)
    whole |= closed
