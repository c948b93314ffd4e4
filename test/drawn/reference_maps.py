# SPDX-License-Identifier: Apache-2.0
"""Maps as transformers' own post-processing makes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.types import VOID

Maps = tuple[NDArray[np.int64], NDArray[np.int64]]


def reference_map(
    family: str,
    logits: Any,
    side: int,
    stuff: NDArray[np.bool_],
    thresholds: tuple[float, float],
) -> Maps:
    """Run ``post_process_panoptic_segmentation``.

    Args:
        family: Of the network.
        logits: What the network says.
        side: Of the square map.
        stuff: Which classes are stuff, (256,).
        thresholds: Least class probability and least share of a mask that must be kept.

    Returns:
        Class of every pixel, 255 void, and number of its object, 0 for none.
    """
    names = {"threshold": thresholds[0], "overlap_mask_area_threshold": thresholds[1]}
    classes = np.flatnonzero(stuff[:VOID]).tolist()
    maker = {"eomt": _eomt, "mask2former": _mask2former, "oneformer": _oneformer}[family]
    return _maps(maker(logits, side, classes, names), stuff)


def _eomt(logits: Any, side: int, stuff: list[int], names: dict[str, float]) -> Any:
    from transformers.models.eomt.image_processing_pil_eomt import EomtImageProcessorPil

    size = {"shortest_edge": 4 * logits.masks_queries_logits.shape[-1]}
    size["longest_edge"] = size["shortest_edge"]
    return EomtImageProcessorPil(size=size).post_process_panoptic_segmentation(
        logits, target_sizes=[(side, side)], stuff_classes=stuff, size=size, **names
    )[0]


def _mask2former(logits: Any, side: int, stuff: list[int], names: dict[str, float]) -> Any:
    from transformers.models.mask2former.image_processing_pil_mask2former import (
        Mask2FormerImageProcessorPil,
    )

    # Without fusing: transformers' count of ids steps back after a fused segment and then gives
    # two objects one id. Fusing stuff is done by class in ``_maps``.
    return Mask2FormerImageProcessorPil().post_process_panoptic_segmentation(
        logits, target_sizes=[(side, side)], label_ids_to_fuse=set(), **names
    )[0]


def _oneformer(logits: Any, side: int, stuff: list[int], names: dict[str, float]) -> Any:
    from transformers.models.oneformer.image_processing_pil_oneformer import (
        OneFormerImageProcessorPil,
    )

    assert logits.masks_queries_logits.shape[-1] == side
    process = OneFormerImageProcessorPil.post_process_panoptic_segmentation
    return process(None, logits, label_ids_to_fuse=set(), **names)[0]


def _maps(said: Any, stuff: NDArray[np.bool_]) -> Maps:
    segmentation = said["segmentation"].numpy().astype(np.int64)
    labels = np.full(segmentation.shape, VOID, np.int64)
    ids = np.zeros(segmentation.shape, np.int64)
    for number, segment in enumerate(said["segments_info"], start=1):
        inside = segmentation == segment["id"]
        labels[inside] = segment["label_id"]
        if not stuff[segment["label_id"]]:
            ids[inside] = number
    return labels, ids
