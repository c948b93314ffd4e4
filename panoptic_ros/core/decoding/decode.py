# SPDX-License-Identifier: Apache-2.0
"""Heads to a panoptic map, whatever kind of network they come from."""

from __future__ import annotations

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.boxes import bounding_boxes
from panoptic_ros.core.decoding.kinds import kind_of
from panoptic_ros.core.types import Heads, Panoptic

__all__ = ["bounding_boxes", "decode"]


def decode(heads: Heads, labels: LabelSet, config: DecodeConfig) -> Panoptic:
    """Turn what the network says into labels, ids and segments.

    Args:
        heads: Its output; not kept, the result owns its arrays.
        labels: Its classes.
        config: Thresholds.

    Returns:
        The panoptic map. Ids run from the strongest object to the weakest, ties by position, so
        that equal heads give equal ids.

    Raises:
        EngineRunError: The heads do not fit each other or the label set.
    """
    return kind_of(heads).decode(heads, labels, config)
