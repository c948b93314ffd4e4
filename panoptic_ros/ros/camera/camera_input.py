# SPDX-License-Identifier: Apache-2.0
"""The images of one camera as they come from the graph: raw, compressed or as a video."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from panoptic_ros.messages.convert import COMPRESSED_IMAGE, IMAGE
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.protocols import CameraInfo
from panoptic_ros.messages.video.video_decoder import COMPRESSED_VIDEO, FFMPEG_PACKET
from panoptic_ros.ros.camera.info_input import InfoInput
from panoptic_ros.ros.camera.loss_counter import LossCounter
from panoptic_ros.ros.camera.qos import Quality
from panoptic_ros.ros.camera.video_input import VideoInput
from panoptic_ros.ros.protocols import SubscribingNode

KINDS = (IMAGE, COMPRESSED_IMAGE, COMPRESSED_VIDEO, FFMPEG_PACKET)
"""Message types that are read, in order of liking."""

BENEATH = (
    ("compressed", COMPRESSED_IMAGE),
    ("ffmpeg", FFMPEG_PACKET),
    ("foxglove", COMPRESSED_VIDEO),
)
"""Last names of image_transport's topics below an image topic, and their types."""

_NEWEST = Quality(depth=1)
_QUEUE = Quality(depth=60, least_depth=60)
"""Of videos: a decoder needs every packet."""


class CameraInput:
    """Subscribes to a camera's images and follows the type that is published.

    Used by the executor's thread only.

    Args:
        node: Who subscribes.
        topic: Image topic, not resolved.
        info_topic: CameraInfo topic, not resolved; empty for the one beside the image topic.
        types: Message classes.
        on_image: Called with every image, and how many messages were lost before it.
        on_drop: Called with the cause for every packet of a video that gives no image.

    Attributes:
        senders: Full names of the nodes that publish the images, as of the last look.
    """

    def __init__(
        self,
        node: SubscribingNode,
        topic: str,
        info_topic: str,
        types: MessageTypes,
        on_image: Callable[[Any, int], None],
        on_drop: Callable[[str], None] = lambda cause: None,
    ) -> None:
        self._node = node
        self._types = types
        self._video = VideoInput(on_image, on_drop)
        self._wanted: str = node.resolve_topic_name(topic)
        self._source = (self._wanted, IMAGE)
        self._publishers = 0
        self.senders: list[str] = []
        self._subscription = self._subscribed()
        self._other_type = ""
        self._info = InfoInput(node, self._wanted, info_topic, types)

    @property
    def camera_info(self) -> CameraInfo | None:
        """The newest CameraInfo of these images; None before the first."""
        return self._info.newest

    @property
    def topic(self) -> str:
        """Where images are expected or come from, with a hint where it carries other things."""
        topic = self._source[0]
        return f"{topic} (it carries {self._other_type})" if self._other_type else topic

    def look(self) -> None:
        """Look at the graph, and subscribe anew where images come in another way."""
        self._info.look()
        source = self._found() or self._source
        has_changed = source != self._source
        if not has_changed and (self._is_queued or not self._video.is_video):
            return
        self._node.destroy_subscription(self._subscription)
        if has_changed:
            self._source, self._video.is_video = source, False
            self._node.get_logger().info(f"images come on {source[0]} as {source[1]}")
        self._subscription = self._subscribed()

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)
        self._info.close()

    def _found(self) -> tuple[str, str] | None:
        """Topic and type of the images in the graph; raw is preferred, then what we have."""
        kinds = self._kinds(self._wanted)
        for kind in KINDS:
            if kind in kinds and self._types.has(kind):
                self._other_type = ""
                return self._wanted, kind
        self._other_type = next(map(self._described, kinds), "")
        for name, kind in BENEATH:
            beneath = f"{self._wanted}/{name}"
            if self._types.has(kind) and kind in self._kinds(beneath):
                return beneath, kind
        return None

    def _described(self, kind: str) -> str:
        """A type that is not read; of one that could be, what is missing."""
        package = kind.split("/")[0].replace("_", "-")
        return f"{kind}, install ros-<distro>-{package}" if kind in KINDS else kind

    def _kinds(self, topic: str) -> list[str]:
        ends = self._node.get_publishers_info_by_topic(topic)
        if topic == self._source[0]:
            self._publishers = len(ends)
            # Who sends something else there sends no images.
            fitting = [end for end in ends if end.topic_type == self._source[1]]
            self.senders = sorted({_full_name(end) for end in fitting})
        return sorted({str(end.topic_type) for end in ends})

    def _subscribed(self) -> Any:
        topic, kind = self._source
        # What passed before the subscription was not lost.
        self._loss_counter = LossCounter()
        self._video.restart()
        self._is_queued = self._video.is_video or kind in (COMPRESSED_VIDEO, FFMPEG_PACKET)
        quality = _QUEUE if self._is_queued else _NEWEST
        return self._node.create_subscription(
            self._types.find(kind),
            topic,
            self._take,
            quality.profile(),
            qos_overriding_options=quality.overrides(),
        )

    def _take(self, message: Any, info: Mapping[str, Any]) -> None:
        self._video.take(message, self._loss_counter.lost_before(info, self._publishers))


def image_topics(
    graph: Iterable[tuple[str, Sequence[str]]],
    own: str,
    publishers: Callable[[str], Sequence[Any]],
) -> list[str]:
    """List the topics on which somebody publishes images.

    Args:
        graph: Names of topics and their types; a subscription alone makes a topic.
        own: What the names of topics begin with that are left out.
        publishers: Lists the ends that publish on a topic.
    """
    return sorted(
        name
        for name, kinds in graph
        if set(kinds) & {*KINDS}
        and own not in name
        and any(end.topic_type in KINDS for end in publishers(name))
    )


def _full_name(end: Any) -> str:
    """Name of the node behind an end of a topic."""
    return f"{str(end.node_namespace).rstrip('/')}/{end.node_name}"
