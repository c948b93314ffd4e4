# SPDX-License-Identifier: Apache-2.0
"""A frame's result as images, plain and compressed: the short builders of the table of topics."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.label_table import LabelTable
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.messages.context import FrameContext
from panoptic_ros.messages.convert import compressed_image, image_message
from panoptic_ros.messages.label_png import png_image


def drivable_pixels(context: FrameContext) -> NDArray[np.uint8]:
    """Where one can drive, (H, W) uint8: 255 there, else 0."""
    mask = context.result.drivable.mask.view(np.uint8) * np.uint8(255)
    return enlarge(mask, context.result.camera_size)


def colored_pixels(context: FrameContext) -> NDArray[np.uint8]:
    """Colour of every pixel's class, RGB, (H, W, 3) uint8; void is black."""
    # A look-up in NumPy takes seven times as long.
    colors = cv2.applyColorMap(context.label_image, context.labels.palette[:, None])
    return np.asarray(colors, np.uint8)


def remapped_image(context: FrameContext, remap: LabelTable) -> Any:
    """Build the Image of the consumer's value of every pixel."""
    values = enlarge(remap.apply(context.result.track_labels()), context.result.camera_size)
    return image_message(values, "mono8", context.types, context.header)


def label_png(context: FrameContext) -> Any:
    """Build the CompressedImage of the labels, lossless."""
    return png_image(context.label_image, "mono8", context.types, context.header)


def instance_png(context: FrameContext) -> Any:
    """Build the CompressedImage of the track ids, lossless."""
    return png_image(context.instance_image, "16UC1", context.types, context.header)


def panoptic_png(context: FrameContext) -> Any:
    """Build the CompressedImage of class (red) and track id (green * 256 + blue), lossless.

    Source: the label images of KITTI-STEP.
    """
    ids = context.instance_image
    high, low = (ids >> 8).astype(np.uint8), (ids & 255).astype(np.uint8)
    pixels = np.stack((context.label_image, high, low), axis=-1)
    return png_image(pixels, "rgb8", context.types, context.header)


def drivable_png(context: FrameContext) -> Any:
    """Build the CompressedImage of the drivable surface, lossless."""
    return png_image(drivable_pixels(context), "mono8", context.types, context.header)


def overlay_jpeg(context: FrameContext) -> Any:
    """Build the CompressedImage of the overlay."""
    quality = context.jpeg_quality
    return compressed_image(context.overlay_image, quality, context.types, context.header)
