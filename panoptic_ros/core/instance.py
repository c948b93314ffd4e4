# SPDX-License-Identifier: Apache-2.0
"""One tracked object of one frame at camera size: what a detector or an instance network gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.files import rle
from panoptic_ros.core.types import Box


@dataclass(frozen=True, eq=False)
class Instance:
    """One object.

    Attributes:
        id: Its track's number, 1..65535; its value in ``Result.instance_ids()``.
        label: Class index, voted over the track's life.
        name: Name of that class.
        score: 0..1, smoothed over the track's life.
        box: (x0, y0, x1, y1) around its pixels, half open, in camera pixels.
        mask: Its pixels, (H, W) bool, at camera size.
        probabilities: Probability of each class that it may be, by name: its own first, up to two
            others, then "void" for what is left to one. The first is ``score``, or less where the
            network is divided about its class.
    """

    id: int
    label: int
    name: str
    score: float
    box: Box
    mask: NDArray[np.bool_]
    probabilities: dict[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Say number, class, score and box; the mask would fill the screen."""
        return f"<Instance {self.id} {self.name} {self.score:.2f} at {self.box}>"

    @property
    def box_midpoint(self) -> tuple[float, float, float, float]:
        """(x, y, w, h): midpoint, width and height of the box in camera pixels.

        The half-open box (0, 0, 4, 2) has its midpoint at (2.0, 1.0), the corner that its four
        middle pixels share; this is how vision_msgs counts.
        """
        x0, y0, x1, y1 = self.box
        return (x0 + x1) / 2.0, (y0 + y1) / 2.0, float(x1 - x0), float(y1 - y0)

    @property
    def area(self) -> int:
        """Number of its pixels."""
        return int(np.count_nonzero(self.mask))

    def rle(self) -> dict[str, Any]:
        """Its mask as COCO's compressed run lengths: ``{"size": [H, W], "counts": str}``."""
        return {"size": list(self.mask.shape), "counts": rle.encode(self.mask)}

    def to_coco(self, image_id: int) -> dict[str, Any]:
        """Write one entry of a COCO result file for detection and instance segmentation.

        Source: the result format at https://cocodataset.org/#format-results; ``bbox`` is
        [x0, y0, w, h] there. ``category_id`` is our class index; ``track_id`` and
        ``probabilities`` by class name are additions.
        """
        x0, y0, x1, y1 = self.box
        return {
            "image_id": image_id,
            "category_id": self.label,
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "segmentation": self.rle(),
            "area": self.area,
            "score": self.score,
            "track_id": self.id,
            "probabilities": dict(self.probabilities),
        }
