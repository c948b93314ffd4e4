# SPDX-License-Identifier: Apache-2.0
"""All cameras of the node: their topics while it is configured, their streams while active."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from panoptic_ros.core.camera.view import CameraView
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.errors import ConfigError, FrameError
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.ros.camera.camera_output import CameraOutput
from panoptic_ros.ros.camera.statistics import CameraStatistics
from panoptic_ros.ros.camera.stream import (
    CameraStream,
    Put,
    StreamHost,
    open_outputs,
    open_stream,
)
from panoptic_ros.ros.protocols import CameraNode
from panoptic_ros.ros.transforms import Transforms


class Cameras:
    """The cameras of a node, by name; used from the executor's thread.

    What was counted of a camera outlives ``unsubscribe`` and ``withdraw``.

    Args:
        node: The lifecycle node.
        types: Message classes.
        config: Gives the parameters in force.
    """

    def __init__(
        self, node: CameraNode, types: MessageTypes, config: Callable[[], NodeConfig]
    ) -> None:
        self._node, self._types, self._config = node, types, config
        self._outputs: dict[str, CameraOutput] = {}
        self._statistics: dict[str, CameraStatistics] = {}
        self._streams: dict[str, CameraStream] = {}

    @property
    def outputs(self) -> Collection[CameraOutput]:
        """The topics of every camera; none while the node is unconfigured."""
        return self._outputs.values()

    @property
    def streams(self) -> Mapping[str, CameraStream]:
        """What comes from each camera; empty unless the node is active.

        Every activation makes a new mapping, so a worker that ends late keeps its own.
        """
        return self._streams

    def offer(self) -> None:
        """Advertise the topics of every camera that the parameters name."""
        self._outputs = open_outputs(self._node, self._config(), self._types)

    def publish_labels(self, labels: LabelSet) -> None:
        """Publish the classes of every camera.

        Args:
            labels: Those of the engine.
        """
        for output in self._outputs.values():
            output.publish_labels(labels)

    def subscribe(self, pipeline: Pipeline, transforms: Transforms, put: Put) -> None:
        """Take the images of every camera that was offered, each with a state of its own.

        Args:
            pipeline: Makes the states.
            transforms: Where cameras are that no parameter places.
            put: Takes the images.
        """
        host = StreamHost(self._node, self._types, transforms, put, self._config)
        self._streams = {}
        for index, (name, output) in enumerate(self._outputs.items()):
            statistics = self._statistics.setdefault(name, CameraStatistics())
            statistics.begin()
            state = pipeline.new_state(self._config().camera(name))
            self._streams[name] = open_stream(host, index, output, statistics, state)

    def check(self, config: NodeConfig) -> None:
        """Refuse what does not fit the images that the cameras send.

        Args:
            config: To be in force; what it says of a camera that has sent nothing is not judged.

        Raises:
            ConfigError: A region reaches beyond them, or a mask is for another size.
        """
        for name, stream in self._streams.items():
            camera, size = config.camera(name), stream.state.view.camera_size
            if size is None or camera == stream.state.view.config:
                continue
            try:
                CameraView(camera).check(size)
            except FrameError as error:
                raise ConfigError(f"{name}: {error}") from error

    def look(self, image_topics: Callable[[], Sequence[str]]) -> None:
        """Follow the graph: where images come from, and whether they come.

        Args:
            image_topics: Lists those of other nodes; asked only where something is said.
        """
        for stream in self._streams.values():
            stream.look(image_topics)

    def watch(self) -> None:
        """Take back the last result of a camera that has fallen silent."""
        config = self._config()
        for stream in self._streams.values():
            stream.watchdog.look(config)

    def unsubscribe(self) -> None:
        """Take no more images; a worker that still works keeps the streams that it was given."""
        for stream in self._streams.values():
            stream.close()
        self._streams = {}

    def withdraw(self) -> None:
        """Take the topics back."""
        for output in self._outputs.values():
            output.close()
        self._outputs.clear()
