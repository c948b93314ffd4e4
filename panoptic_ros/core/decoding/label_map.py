# SPDX-License-Identifier: Apache-2.0
"""What decoders do to a map of classes before they look for objects in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.errors import EngineRunError
from panoptic_ros.core.runs import runs
from panoptic_ros.core.types import VOID


def check_classes(classes: NDArray[np.uint8], labels: LabelSet) -> None:
    """Refuse class indices that the label set does not have; void is allowed.

    Args:
        classes: Class indices, any shape.
        labels: The model's classes.

    Raises:
        EngineRunError: There is such an index.
    """
    # Void, the largest value, wraps to 0 and so hides no other.
    highest = int((classes + np.uint8(1)).max(initial=0)) - 1
    if highest >= len(labels):
        raise EngineRunError(
            f"the network says class {highest}, its label set {labels.name} has {len(labels)}"
        )


def confident_labels(
    classes: NDArray[np.uint8], confidence: NDArray[np.uint8], config: DecodeConfig
) -> NDArray[np.uint8]:
    """Copy a map of classes with void where it is not sure enough.

    Args:
        classes: Class index, (h, w).
        confidence: Probability times 255, (h, w).
        config: Its ``min_confidence`` counts.
    """
    sure: NDArray[np.uint8] = classes.copy()
    if config.min_confidence > 0.0:
        sure[confidence < round(config.min_confidence * 255.0)] = VOID
    return sure


def drop_small_stuff(classes: NDArray[np.uint8], labels: LabelSet, config: DecodeConfig) -> None:
    """Make void of stuff classes that cover too little, in place.

    Args:
        classes: Class index, (h, w).
        labels: Tells stuff from things.
        config: Its ``min_stuff_area`` counts.
    """
    # There are a hundred times as many pixels as runs of them.
    first, length = runs(classes)
    label = classes.ravel().take(first)
    # A share that is a whole number of pixels, say 0.07 of 100, is one in float32 alone.
    totals = np.bincount(label, length, minlength=256).astype(np.float32)
    small = (totals > 0) & (totals < config.min_stuff_area * classes.size) & ~labels.things
    small[VOID] = False
    dropped = np.flatnonzero(small[label])
    for start, count in zip(first[dropped].tolist(), length[dropped].tolist(), strict=True):
        classes.flat[start : start + count] = VOID
