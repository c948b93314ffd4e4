# SPDX-License-Identifier: Apache-2.0
"""All parameters of the node, declared once; files of them are read by the verbs as well."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from panoptic_ros.core.camera.camera_config import CameraConfig, CameraLists
from panoptic_ros.core.classes.remap import RemapConfig
from panoptic_ros.core.config import (
    DecodeConfig,
    DrivableConfig,
    GroundConfig,
    PipelineConfig,
    PointsConfig,
    TrackConfig,
)
from panoptic_ros.core.engine_config import EngineConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.overlay import OverlayStyle
from panoptic_ros.core.parameters import Parameter, param, parameters

OVERLAPS = ("auto", "always", "never")
NODE_NAME = "panoptic"
"""The node's name where nobody chooses another."""
TRANSPORTS = ("compressed", "ffmpeg", "foxglove", "theora")
"""Last names of image_transport's topics below an image topic."""


@dataclass(frozen=True)
class NodeConfig:
    """All parameters of ``panoptic_node``."""

    engine: EngineConfig = field(default_factory=EngineConfig)
    autostart: bool = param(
        True, "Configure and activate at start, without a lifecycle manager.", live=False
    )
    cameras: tuple[str, ...] = param(
        ("camera",),
        "Names of the cameras. One: topics ~/label, ...; several: ~/<name>/label, ...",
        live=False,
    )
    image_topics: tuple[str, ...] = param(
        ("",),
        "Image topic of each camera, in their order; '' is 'image' for a single camera, "
        "'<name>/image' among several. Image or CompressedImage, detected.",
        live=False,
    )
    camera_info_topics: tuple[str, ...] = param(
        ("",),
        "CameraInfo topic of each camera; '' is 'camera_info' beside the image topic.",
        live=False,
    )
    of_cameras: CameraLists = field(default_factory=CameraLists)
    cloud_topics: tuple[str, ...] = param(
        ("",),
        "Point cloud of each camera, in their order, or its depth image with the camera_info "
        "beside it; '' for none. PointCloud2 or Image, detected.",
        live=False,
    )
    overlap: str = param(
        "auto",
        "Whether a thread beside the worker encodes and publishes a result while the network "
        "computes the next frame: auto where the network leaves the CPU free, always or never.",
        choices=OVERLAPS,
        live=False,
    )
    stale_after_s: float = param(
        2.0,
        "Without a result for so long a camera is stale: an error on /diagnostics.",
        low=0.1,
        high=3600.0,
    )
    stale_action: str = param(
        "none",
        "What a stale camera publishes, every stale_after_s: none, or void for labels of void, no "
        "objects and no drivable surface, so that no consumer acts on stale data.",
        choices=("none", "void"),
    )
    diagnostics_period_s: float = param(
        1.0, "Seconds between two messages on /diagnostics.", low=0.1, high=60.0, live=False
    )
    trace: str = param(
        "",
        "File (.json) for when every stage of the newest frames ran, for Perfetto; written when "
        "the node is cleaned up or ends. '' for none.",
        live=False,
    )
    panoptic_encoding: str = param(
        "16UC2",
        "Encoding of ~/panoptic: 16UC2, class and track id in two channels, or 32SC1, "
        "class * 65536 + track id, as Hydra reads it.",
        choices=("16UC2", "32SC1"),
    )
    jpeg_quality: int = param(80, "Quality of ~/overlay/compressed.", low=1, high=100)
    overlay: OverlayStyle = field(default_factory=OverlayStyle)
    remap: RemapConfig = field(default_factory=RemapConfig)
    decode: DecodeConfig = field(default_factory=DecodeConfig)
    tracking: TrackConfig = field(default_factory=TrackConfig)
    drivable: DrivableConfig = field(default_factory=DrivableConfig)
    ground: GroundConfig = field(default_factory=GroundConfig)
    points: PointsConfig = field(default_factory=PointsConfig)

    @property
    def pipeline(self) -> PipelineConfig:
        """The part that shapes results."""
        return PipelineConfig(self.decode, self.tracking, self.drivable)

    def camera(self, name: str) -> CameraConfig:
        """What is said about one camera.

        Raises:
            ConfigError: An entry is refused, or a list has too few or too many.
        """
        return self.of_cameras.of(self.cameras.index(name), len(self.cameras))

    def every_camera(self) -> tuple[CameraConfig, ...]:
        """What is said about each camera, in their order.

        Raises:
            ConfigError: There is no camera, an entry is refused, or a list has too few or too
                many.
        """
        count = len(self.cameras)
        if not count:
            raise ConfigError("cameras is empty; name at least one")
        return tuple(self.of_cameras.of(index, count) for index in range(count))

    def check_topic_count(self, title: str) -> None:
        """Refuse a list of topics that does not fit the cameras.

        Raises:
            ConfigError: Topics are named, and not one per camera.
        """
        topics: tuple[str, ...] = getattr(self, title)
        if any(topics) and len(topics) != len(self.cameras):
            raise ConfigError(
                f"{title} has {len(topics)} entries for {len(self.cameras)} cameras; "
                "give one per camera, '' for the usual name"
            )

    def camera_topic(self, index: int, title: str, usual: str) -> str:
        """Topic of a camera as the parameters say it, not resolved yet.

        Args:
            index: Which camera.
            title: ``image_topics`` or ``camera_info_topics``, as checked before.
            usual: Last name of the topic where nothing is said.
        """
        topics: tuple[str, ...] = getattr(self, title)
        if any(topics) and topics[index]:
            return topics[index]
        return usual if len(self.cameras) == 1 else f"{self.cameras[index]}/{usual}"

    def resolved(self, node: str) -> NodeConfig:
        """Name images and point clouds as they are on the graph, which a recording has.

        Args:
            node: Name of the node with its namespace, e.g. ``/robot1/panoptic``.

        Returns:
            The parameters with absolute names in ``cloud_topics`` and ``image_topics``; there
            ``''`` stays for a single camera, as that is the camera of any topic.
        """
        images = self.image_topics if any(self.image_topics) else ("",) * len(self.cameras)
        # Too few or too many are refused where they are needed.
        if len(self.cameras) > 1 and len(images) == len(self.cameras):
            images = tuple(
                topic or f"{name}/image" for topic, name in zip(images, self.cameras, strict=True)
            )
        return replace(
            self,
            image_topics=tuple(_on_the_graph(topic, node) for topic in images),
            cloud_topics=tuple(_on_the_graph(topic, node) for topic in self.cloud_topics),
        )

    def recorded_camera(self, topic: str) -> CameraConfig:
        """What is said about the camera of a recording.

        Args:
            topic: Image topic of the recording, empty where it has none; see ``recorded_index``.

        Raises:
            ConfigError: An entry is refused, a list has too few or too many, or it differs
                between cameras and none has the topic.
        """
        every = self.every_camera()
        return every[self.recorded_index(topic) if len(set(every)) > 1 else 0]

    def recorded_cloud_topic(self, topic: str) -> str:
        """Topic of the point clouds beside a recorded image topic, empty for none.

        Raises:
            ConfigError: There are some, and no camera has the topic.
        """
        self.check_topic_count("cloud_topics")
        return self.cloud_topics[self.recorded_index(topic)] if any(self.cloud_topics) else ""

    def recorded_index(self, topic: str) -> int:
        """Which camera a recording is of.

        Args:
            topic: Its image topic, raw or below it as image_transport names it. A single camera,
                and the first for a recording without topics, has any.

        Raises:
            ConfigError: None of several cameras has the topic.
        """
        if len(self.cameras) == 1 or not topic:
            return 0
        self.check_topic_count("image_topics")
        told = [
            self.camera_topic(index, "image_topics", "image") for index in range(len(self.cameras))
        ]
        # The topic as it is comes first, as a camera may have a name like a transport's.
        for same in (_without_slash, _of_any_transport):
            for index, name in enumerate(told):
                if same(name) == same(topic):
                    return index
        raise ConfigError(
            f"{topic} is the image topic of no camera: the parameters' image_topics are "
            f"{', '.join(told)}; name the recorded topic there"
        )


def _on_the_graph(topic: str, node: str) -> str:
    """Resolve a name as ROS does; empty stays empty.

    >>> [_on_the_graph(name, "/robot1/panoptic") for name in ("front/image", "~/image", "/image")]
    ['/robot1/front/image', '/robot1/panoptic/image', '/image']
    """
    if not topic or topic.startswith("/"):
        return topic
    if topic.startswith("~/"):
        return f"{node}{topic[1:]}"
    return f"{node.rpartition('/')[0]}/{topic}"


def _without_slash(topic: str) -> str:
    return topic.strip("/")


def _of_any_transport(topic: str) -> str:
    return without_transport(f"/{_without_slash(topic)}")


def without_transport(topic: str) -> str:
    """Image topic, resolved, without the transport behind it.

    >>> without_transport("/front/image_raw/ffmpeg"), without_transport("/compressed")
    ('/front/image_raw', '/compressed')
    """
    folder, _, last = topic.rpartition("/")
    return folder if last in TRANSPORTS and folder.count("/") > 0 else topic


DECLARED: dict[str, Parameter] = {entry.name: entry for entry in parameters(NodeConfig())}
"""Every parameter by its dotted name, in order."""
