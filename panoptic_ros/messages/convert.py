# SPDX-License-Identifier: Apache-2.0
"""Messages to values and back; duck-typed, so that it serves rclpy and bags read without ROS."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import FrameError
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.labels import LabelSet
from panoptic_ros.core.overlay import OverlayStyle, draw_overlay
from panoptic_ros.core.remap import Remap
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import Frame
from panoptic_ros.messages.autoware import ROIS, autoware_mask, autoware_rois
from panoptic_ros.messages.compressed import compress, decompress
from panoptic_ros.messages.encodings import Packed, is_known, to_rgb
from panoptic_ros.messages.label_png import png_image
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.vision import DETECTION_ARRAY, detections

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
    image = _decompressed(message) if hasattr(message, "format") else _unpacked(message)
    return Frame(image, stamp_ns(message.header), str(message.header.frame_id))


def stamp_ns(header: Any) -> int:
    """Stamp of a header in ns."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)


def _decompressed(message: Any) -> NDArray[np.uint8]:
    if "compressedDepth" in str(message.format):
        raise FrameError(f"format {message.format!r} holds depth; needs a jpeg or png image")
    return decompress(_as_bytes(message.data))


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


def from_result(
    result: Result,
    labels: LabelSet,
    wanted: Collection[str],
    types: MessageTypes,
    header: Any,
    style: OverlayStyle | None = None,
    jpeg_quality: int = 80,
    remaps: Mapping[str, Remap] | None = None,
) -> dict[str, Any]:
    """Build the messages that somebody wants, at camera size.

    Args:
        result: One frame's result.
        labels: Classes of the model.
        wanted: Names out of ``RESULT_TOPICS``; nothing else is computed.
        types: Message classes.
        header: The input's header, put into every message as it is.
        style: How the overlay looks.
        jpeg_quality: 1..100, of the compressed overlay.
        remaps: Into the consumer's classes, by topic.

    Returns:
        Messages by topic name, in order of ``RESULT_TOPICS``; a topic is left out where ``types``
        lacks its message or ``remaps`` its classes.

    Raises:
        KeyError: ``wanted`` names a topic that there is not.
    """
    unknown = set(wanted) - set(RESULT_TOPICS)
    if unknown:
        raise KeyError(f"no topic {sorted(unknown)}; there are: {', '.join(RESULT_TOPICS)}")
    images = _Images(result, labels, style or OverlayStyle(), jpeg_quality, remaps or {})
    made = {
        name: _message(name, images, types, header) for name in RESULT_TOPICS if name in wanted
    }
    return {name: message for name, message in made.items() if message is not None}


def _message(name: str, images: _Images, types: MessageTypes, header: Any) -> Any:
    if name in _IMAGES:
        encoding, draw = _IMAGES[name]
        return image_message(draw(images), encoding, types, header)
    if not types.has(MESSAGE_TYPES.get(name, IMAGE)):
        return None
    if name in _REMAPPED:
        remap = images.remaps.get(name)
        return remap and _REMAPPED[name](images.result, remap, types, header)
    return _OTHERS[name](images, types, header)


def image_message(pixels: NDArray[Any], encoding: str, types: MessageTypes, header: Any) -> Any:
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
    rgb: NDArray[np.uint8], quality: int, types: MessageTypes, header: Any
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


@dataclass
class _Images:
    """Camera-sized images of one result, each made at most once."""

    result: Result
    labels: LabelSet
    style: OverlayStyle
    jpeg_quality: int = 80
    remaps: Mapping[str, Remap] = field(default_factory=dict)

    @cached_property
    def overlay(self) -> NDArray[np.uint8]:
        return draw_overlay(self.result, self.labels, self.style)

    @cached_property
    def label(self) -> NDArray[np.uint8]:
        return self.result.semantic()

    @cached_property
    def instance(self) -> NDArray[np.uint16]:
        return self.result.instance_ids()

    def drivable(self) -> NDArray[np.uint8]:
        mask = self.result.drivable.mask.view(np.uint8) * np.uint8(255)
        return enlarge(mask, self.result.camera_size)


_IMAGES: dict[str, tuple[str, Callable[[_Images], NDArray[Any]]]] = {
    "label": ("mono8", lambda images: images.label),
    "instance": ("16UC1", lambda images: images.instance),
    "panoptic": ("16UC2", lambda images: images.result.two_channel()),
    "confidence": ("mono8", lambda images: images.result.confidence()),
    "drivable": ("mono8", _Images.drivable),
    "overlay": ("rgb8", lambda images: images.overlay),
}


def _remapped_image(result: Result, remap: Remap, types: MessageTypes, header: Any) -> Any:
    values = remap.apply(result.track_labels())
    return image_message(enlarge(values, result.camera_size), "mono8", types, header)


_REMAPPED: dict[str, Callable[[Result, Remap, MessageTypes, Any], Any]] = {
    "remapped/label": _remapped_image,
    "dynamic_mask": _remapped_image,
    "autoware_mask": autoware_mask,
    "autoware_rois": autoware_rois,
}

_OTHERS: dict[str, Callable[[_Images, MessageTypes, Any], Any]] = {
    "label/compressed": lambda p, types, header: png_image(p.label, "mono8", types, header),
    "instance/compressed": lambda p, types, header: png_image(p.instance, "16UC1", types, header),
    "overlay/compressed": lambda p, types, header: compressed_image(
        p.overlay, p.jpeg_quality, types, header
    ),
    "detections": lambda p, types, header: detections(p.result, p.labels, types, header),
}

MESSAGE_TYPES = {
    "label/compressed": COMPRESSED_IMAGE,
    "instance/compressed": COMPRESSED_IMAGE,
    "overlay/compressed": COMPRESSED_IMAGE,
    "detections": DETECTION_ARRAY,
    "autoware_rois": ROIS,
}
"""Message of each topic that is no Image."""

RESULT_TOPICS = (*_IMAGES, *_OTHERS, *_REMAPPED)
"""Topics that ``from_result`` can fill."""
