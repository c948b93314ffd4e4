# SPDX-License-Identifier: Apache-2.0
"""Class and track id of every pixel in one image, in two channels or packed into one number.

Source of the packed form: MIT-SPARK/semantic_inference, ``models/instance_segmenter.py`` (class
in the upper 16 bits, instance from 1 in the lower ones, 0 for none); Hydra-ROS reads the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.geometry import enlarge, enlarge_pairs
from panoptic_ros.messages.context import FrameContext
from panoptic_ros.messages.convert import image_message

TWO_CHANNELS, PACKED = "16UC2", "32SC1"


def panoptic_image(context: FrameContext) -> Any:
    """Build the Image in the encoding that the context asks for.

    The classes are the model's, or those of the remap for ``panoptic``.
    """
    result, remap = context.result, context.remaps.get("panoptic")
    labels = result.track_labels() if remap is None else remap.apply(result.track_labels())
    pack = _packed if context.panoptic_encoding == PACKED else enlarge_pairs
    pixels = pack(labels, result.track_ids(), result.camera_size)
    return image_message(pixels, context.panoptic_encoding, context.types, context.header)


def unpack(pixels: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Split the pixels of either encoding into classes and track ids.

    Args:
        pixels: (H, W, 2) uint16 or (H, W) int32.

    Returns:
        Class of every pixel, (H, W) uint8, and its track id, (H, W) uint16.
    """
    if pixels.ndim == 3:
        return pixels[..., 0].astype(np.uint8), pixels[..., 1]
    return (pixels >> 16).astype(np.uint8), (pixels & 0xFFFF).astype(np.uint16)


def _packed(
    labels: NDArray[np.uint8], ids: NDArray[np.uint16], size: tuple[int, int]
) -> NDArray[np.int32]:
    values = np.asarray(labels.astype(np.uint32) << 16 | ids, np.uint32)
    # A class has 8 bits, so the sign bit stays 0.
    return enlarge(values, size).view(np.int32)
