# SPDX-License-Identifier: Apache-2.0
"""Why a surface stays empty: no class is drivable, or the network is never sure enough of it."""

from __future__ import annotations

import cv2
import numpy as np

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DrivableConfig
from panoptic_ros.core.drivable.evidence import SurfaceRules
from panoptic_ros.core.errors import listed
from panoptic_ros.core.types import Drivable, Panoptic


def no_class_warning(labels: LabelSet, config: DrivableConfig) -> str:
    """Say that no class counts for the surface, and what to do; nothing where one does.

    Raises:
        ConfigError: ``drivable.optional_classes`` does not fit the label set.
    """
    return "" if SurfaceRules.of(labels, config).weight.any() else _no_class(labels)


def _no_class(labels: LabelSet) -> str:
    surfaces = [label.name for label in labels.labels if not label.is_thing]
    name = surfaces[0] if surfaces else "road"
    return (
        f"none of the classes ({listed((label.name for label in labels.labels), 8)}) is drivable, "
        f"so the drivable surface stays empty; name one, as in drivable.optional_classes: "
        f"['{name}=1.0'], or give the model others with panoptic export --labels FILE "
        "(docs/own-classes.md)"
    )


class EmptySurface:
    """Watches a run for a surface that stays empty.

    Args:
        labels: Says which classes are drivable.
        config: Thresholds.

    Raises:
        ConfigError: ``drivable.optional_classes`` does not fit the label set.
    """

    def __init__(self, labels: LabelSet, config: DrivableConfig) -> None:
        self._labels, self._config = labels, config
        self._weight = SurfaceRules.of(labels, config).weight
        self._no_class = "" if self._weight.any() else _no_class(labels)
        self._is_found = False
        self._best, self._best_label = 0, 0

    def take(self, panoptic: Panoptic, drivable: Drivable) -> None:
        """Look at a frame.

        Args:
            panoptic: Its map.
            drivable: The surface that was found in it.
        """
        self._is_found = self._is_found or bool(drivable.mask.any())
        if self._is_found:
            return
        weight = cv2.LUT(panoptic.labels, self._weight)
        support = np.asarray(cv2.multiply(weight, panoptic.confidence, scale=1 / 255), np.uint8)
        best = int(support.argmax())
        if support.flat[best] > self._best:
            self._best = int(support.flat[best])
            self._best_label = int(panoptic.labels.flat[best])

    def warning(self) -> str:
        """Say why no frame had a surface.

        Nothing where one had, and where a drivable class was seen with confidence or not at all.
        """
        if self._is_found or not self._best:
            return self._no_class
        for name in ("min_confidence", "sure_confidence"):
            limit = getattr(self._config, name)
            if self._best < round(255.0 * limit):
                return (
                    "the drivable surface is empty: "
                    f"{self._labels.name_of(self._best_label)} never counts for more than "
                    f"{self._best / 255.0:.2f} (confidence times weight), and drivable.{name} is "
                    f"{limit:g}; lower it, or take a model that is surer of such images"
                )
        return ""
