# SPDX-License-Identifier: Apache-2.0
"""What is known about one output topic; the kinds differ in what a message is built from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from panoptic_ros.core.classes.label_table import LabelTable
from panoptic_ros.messages.context import CloudContext, FrameContext, GroundContext, LabelContext
from panoptic_ros.messages.convert import IMAGE, image_message


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A row of the table of topics.

    Attributes:
        name: Below the node's name, or below node and camera where there are several.
        type: Full name of the message.
        meaning: One phrase for the docs.
        encoding: Of an image, as the message says it; empty where it is none.
        other_encoding: That a parameter may choose instead.
        is_latched: Whether late listeners get the newest message.
        needs: What must be there beside the message's package, in words; often empty.
    """

    name: str
    type: str
    meaning: str
    encoding: str = ""
    other_encoding: str = ""
    is_latched: ClassVar[bool] = False
    needs: ClassVar[str] = ""

    @property
    def encodings(self) -> tuple[str, ...]:
        """All that an image of the topic may have."""
        return tuple(filter(None, (self.encoding, self.other_encoding)))


@dataclass(frozen=True, kw_only=True)
class FrameTopic(Topic, ABC):
    """A topic with at most one message per frame."""

    @abstractmethod
    def message(self, context: FrameContext) -> Any:
        """Build the message of a frame; None where the context lacks what the topic needs."""


@dataclass(frozen=True, kw_only=True)
class ResultTopic(FrameTopic):
    """A topic that the result alone can fill.

    Attributes:
        build: Makes the message; None where it cannot be made here.
    """

    build: Callable[[FrameContext], Any]

    def message(self, context: FrameContext) -> Any:
        """Build the message."""
        return self.build(context)


@dataclass(frozen=True, kw_only=True)
class ImageTopic(FrameTopic):
    """A topic of images at camera size, without padding.

    Attributes:
        pixels: Draws them, (H, W) or (H, W, C) in this machine's byte order.
    """

    pixels: Callable[[FrameContext], NDArray[Any]]
    type: str = IMAGE

    def message(self, context: FrameContext) -> Any:
        """Build the Image."""
        pixels = self.pixels(context)
        return image_message(pixels, self.encoding, context.types, context.header)


@dataclass(frozen=True, kw_only=True)
class RemappedTopic(FrameTopic):
    """A topic in the classes of its consumer.

    Attributes:
        build: Makes the message with the consumer's classes; None where it cannot be made here.
    """

    build: Callable[[FrameContext, LabelTable], Any]
    needs: ClassVar[str] = "a remap file that knows the model's classes"

    def message(self, context: FrameContext) -> Any:
        """Build the message; None without the consumer's classes."""
        remap = context.remaps.get(self.name)
        return None if remap is None else self.build(context, remap)


@dataclass(frozen=True, kw_only=True)
class GroundTopic(FrameTopic):
    """A topic in metres.

    Attributes:
        build: Makes the message.
    """

    build: Callable[[GroundContext], Any]
    needs: ClassVar[str] = "a camera_info, and the camera's pose"

    def message(self, context: FrameContext) -> Any:
        """Build the message; None where the camera's pose is not known."""
        on_ground = context.on_ground
        return None if on_ground is None else self.build(on_ground)


@dataclass(frozen=True, kw_only=True)
class CloudTopic(Topic):
    """A topic with at most one message per point cloud.

    Attributes:
        build: Makes the message.
    """

    build: Callable[[CloudContext], Any]
    needs: ClassVar[str] = "`cloud_topics`, a camera_info, TF from the cloud to the camera"


@dataclass(frozen=True, kw_only=True)
class CameraInfoTopic(ResultTopic):
    """The topic that carries the camera's own CameraInfo."""

    needs: ClassVar[str] = "a camera_info of the image's size"


@dataclass(frozen=True, kw_only=True)
class LabelTopic(Topic):
    """A topic about classes, published when they are known and when they change.

    Attributes:
        build: Makes the message; None where the context lacks what it needs.
    """

    build: Callable[[LabelContext], Any]
    is_latched: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class RemappedLabelTopic(LabelTopic):
    """A topic about the classes of a consumer."""

    needs: ClassVar[str] = RemappedTopic.needs
