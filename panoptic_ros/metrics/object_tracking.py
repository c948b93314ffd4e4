# SPDX-License-Identifier: Apache-2.0
"""Tracking of the objects of one class: CLEAR, HOTA and identity scores from id maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.metrics.clear import Clear, add_clear, clear
from panoptic_ros.metrics.frame_matches import FrameMatches, match_frame, tracking_sequence
from panoptic_ros.metrics.hota import Hota, add_hota, hota
from panoptic_ros.metrics.id_history import IdHistory, id_histories
from panoptic_ros.metrics.idf1 import Identity, add_identity, identity


@dataclass(frozen=True)
class ObjectTrackingResult:
    """What ``ObjectTracking`` found over all sequences."""

    clear: Clear
    hota: Hota
    identity: Identity


class ObjectTracking:
    """Collects who was where; keeps a few numbers per object and frame, no maps.

    One thread at a time; merge the parts of several.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all sequences."""
        self._sequences: dict[str, list[FrameMatches]] = {}

    def merge(self, other: ObjectTracking) -> None:
        """Add what another one collected.

        Raises:
            ValueError: Both have frames of the same sequence, whose order would be lost.
        """
        common = set(self._sequences) & set(other._sequences)
        if common:
            raise ValueError(f"both parts have frames of {', '.join(sorted(common))}")
        for name, frames in other._sequences.items():
            self._sequences[name] = list(frames)

    def update(
        self,
        truth: NDArray[np.integer],  # type: ignore[type-arg]
        predicted: NDArray[np.integer],  # type: ignore[type-arg]
        sequence: str = "",
        ignored: NDArray[np.bool_] | None = None,
    ) -> None:
        """Add the next frame of a sequence.

        Args:
            truth: Object of each pixel, 0 where the class is not, (H, W).
            predicted: Track of each pixel, 0 where the class is not, (H, W).
            sequence: Whose frame it is.
            ignored: Where the truth does not know its objects, (H, W).

        Raises:
            ValueError: The maps differ in shape.
        """
        self._sequences.setdefault(sequence, []).append(match_frame(truth, predicted, ignored))

    def result(self) -> ObjectTrackingResult:
        """Compute the scores of all sequences so far."""
        lines = [tracking_sequence(frames) for frames in self._sequences.values()]
        return ObjectTrackingResult(
            add_clear(clear(line) for line in lines),
            add_hota([hota(line) for line in lines]),
            add_identity(identity(line) for line in lines),
        )

    def id_histories(self) -> dict[str, list[IdHistory]]:
        """Say who was followed under which id when, by sequence."""
        return {
            name: id_histories(tracking_sequence(seen)) for name, seen in self._sequences.items()
        }
