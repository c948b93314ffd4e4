# SPDX-License-Identifier: Apache-2.0
"""Messages to values and back; duck-typed, so that it serves rclpy and bags read without ROS."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.types import Frame
from panoptic_ros.messages.compressed import compress, decompress
from panoptic_ros.messages.encodings import Packed, is_known, to_rgb
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.protocols import Header

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"

_IS_BIGENDIAN = int(sys.byteorder == "big")


def to_frame(message: Any) -> Frame:
    """Read a camera's message.

    Args:
        message: ``sensor_msgs`` Image or CompressedImage of rclpy or of ``rosbags``.

    Returns:
        The frame; its image is a view of the message where the encoding allows it.

    Raises:
        FrameError: The message holds no image that can be read; it says why.
    """
    if hasattr(message, "format"):
        image = decompress(_as_bytes(message.data), str(message.format))
    else:
        image = _unpacked(message)
    return Frame(image, stamp_ns(message.header), str(message.header.frame_id))


def stamp_ns(header: Header) -> int:
    """Stamp of a header in ns."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)


def _unpacked(message: Any) -> NDArray[np.uint8]:
    encoding = str(message.encoding)
    packed = Packed(
        _as_bytes(message.data),
        int(message.height),
        int(message.width),
        int(message.step),
        encoding,
        bool(message.is_bigendian),
    )
    if not is_known(encoding):
        image = _through_cv_bridge(message)
        if image is not None:
            return image
    return to_rgb(packed)


def _as_bytes(data: Any) -> NDArray[np.uint8]:
    """View ``array.array``, bytes or an array as (n,) uint8."""
    return np.frombuffer(data, np.uint8)


def _through_cv_bridge(message: Any) -> NDArray[np.uint8] | None:
    """Let cv_bridge convert; None where it is not installed or cannot."""
    try:
        from cv_bridge import CvBridge, CvBridgeError
    except ImportError:
        return None
    try:
        return np.asarray(CvBridge().imgmsg_to_cv2(message, "rgb8"), np.uint8)
    except (CvBridgeError, ValueError, TypeError):
        return None


def image_message(pixels: NDArray[Any], encoding: str, types: MessageTypes, header: Header) -> Any:
    """Build an Image without padding.

    Args:
        pixels: (H, W) or (H, W, C), in this machine's byte order.
        encoding: What the pixels are.
        types: Message classes.
        header: Put into the message as it is.
    """
    height, width = pixels.shape[:2]
    return types.make(
        IMAGE,
        header=header,
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=_IS_BIGENDIAN,
        step=pixels.nbytes // height,
        data=types.payload(pixels),
    )


def compressed_image(
    rgb: NDArray[np.uint8], quality: int, types: MessageTypes, header: Header
) -> Any:
    """Build a CompressedImage as image_transport writes it.

    Args:
        rgb: (H, W, 3) uint8.
        quality: 1..100.
        types: Message classes.
        header: Put into the message as it is.
    """
    return types.make(
        COMPRESSED_IMAGE,
        header=header,
        format="rgb8; jpeg compressed bgr8",
        data=types.payload(compress(rgb, quality)),
    )
