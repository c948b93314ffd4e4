# SPDX-License-Identifier: Apache-2.0
"""One camera while the node is active: everything that is its own stands in one object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from panoptic_ros.core.camera.rate_limit import RateLimit
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.stream_state import StreamState
from panoptic_ros.messages.clouds.cloud_stage import CloudStage
from panoptic_ros.messages.clouds.cloud_statistics import CloudStatistics
from panoptic_ros.messages.convert import stamp_ns
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.ros.camera.camera_input import CameraInput
from panoptic_ros.ros.camera.camera_output import CameraOutput
from panoptic_ros.ros.camera.cloud_input import CloudInput
from panoptic_ros.ros.camera.cloud_output import CloudOutput
from panoptic_ros.ros.camera.dark_warning import DarkWarning
from panoptic_ros.ros.camera.ground_output import GroundOutput
from panoptic_ros.ros.camera.loss_watch import LossWatch
from panoptic_ros.ros.camera.publisher import ResultPublisher
from panoptic_ros.ros.camera.silence_watch import SilenceWatch
from panoptic_ros.ros.camera.stamps import StampClock
from panoptic_ros.ros.camera.statistics import CameraStatistics
from panoptic_ros.ros.camera.watchdog import Watchdog
from panoptic_ros.ros.protocols import PublishingNode, SubscribingNode
from panoptic_ros.ros.transforms import Transforms
from panoptic_ros.ros.transport import profile as transport

_QUIET_S = 5.0

Put = Callable[[str, Any], bool]
"""Takes a camera and its message, and says whether an older message was lost by that."""


@dataclass(frozen=True, eq=False)
class CameraStream:
    """One camera while the node is active.

    Made and closed by the executor's thread, which also owns ``input``, the watches and
    ``watchdog``; the worker's thread owns ``clock``, ``dark_warning`` and ``state``. Both may
    use ``publisher`` and ``statistics``.

    Attributes:
        name: The camera's.
        input: Its images.
        loss_watch: Says when many of them are lost on their way.
        silence_watch: Says when none come.
        clock: Its time.
        dark_warning: Looks at its brightness.
        state: What its frames leave behind.
        publisher: Where its results go.
        watchdog: Takes its last result back when it falls silent.
        statistics: What happened to its images; outlives the stream.
        clouds: Its point clouds, None where it has none.
        cloud_counts: What happened to them.
    """

    name: str
    input: CameraInput
    loss_watch: LossWatch
    silence_watch: SilenceWatch
    clock: StampClock
    dark_warning: DarkWarning
    state: StreamState
    publisher: ResultPublisher
    watchdog: Watchdog
    statistics: CameraStatistics
    clouds: CloudInput | None = None
    cloud_counts: CloudStatistics = field(default_factory=CloudStatistics)

    def look(self, image_topics: Callable[[], Sequence[str]]) -> None:
        """Look at the graph: where images and clouds come from, and whether they come.

        Args:
            image_topics: Lists those of other nodes; asked only where something is said.
        """
        self.input.look()
        if self.clouds is not None:
            self.clouds.look()
        topic, senders = self.input.topic, self.input.senders
        self.loss_watch.look(topic, senders)
        self.silence_watch.look(topic, senders, image_topics)

    def close(self) -> None:
        """Unsubscribe."""
        self.input.close()
        if self.clouds is not None:
            self.clouds.close()


@dataclass(frozen=True, eq=False)
class StreamHost:
    """What all cameras of a node share.

    Attributes:
        node: The lifecycle node.
        types: Message classes.
        transforms: Where cameras are that no parameter places.
        put: Takes the images.
        config: Gives the parameters in force.
    """

    node: SubscribingNode
    types: MessageTypes
    transforms: Transforms
    put: Put
    config: Callable[[], NodeConfig]


def open_outputs(
    node: PublishingNode, config: NodeConfig, types: MessageTypes
) -> dict[str, CameraOutput]:
    """Offer the topics of every camera; under the camera's name where there are several."""
    several = len(config.cameras) > 1
    return {
        name: CameraOutput(node, f"~/{name}/" if several else "~/", types)
        for name in config.cameras
    }


def open_stream(
    host: StreamHost,
    index: int,
    output: CameraOutput,
    statistics: CameraStatistics,
    state: StreamState,
) -> CameraStream:
    """Subscribe to a camera and make what belongs to it.

    Args:
        host: What it shares with the others.
        index: Which camera.
        output: Its topics.
        statistics: Goes on counting.
        state: Of a camera that has not sent anything yet.
    """
    config, node = host.config(), host.node
    name = config.cameras[index]
    log, clock = node.get_logger(), node.get_clock()
    loss_watch = LossWatch(name, transport.cure(), log.warning)
    silence_watch = SilenceWatch(name, log.warning, log.info)
    source = _open_input(host, index, statistics, loss_watch, silence_watch)
    ground = GroundOutput(name, host.transforms, log)
    counts = CloudStatistics()
    stage = CloudStage(host.transforms.tree, counts)
    clouds = _open_clouds(host, config, index, stage)
    cloud_output = None
    if clouds is not None:
        cloud_output = CloudOutput(name, stage, counts, output, host.types, log)
    publisher = ResultPublisher(name, source, output, ground, host.types, log, cloud_output)
    return CameraStream(
        name=name,
        input=source,
        loss_watch=loss_watch,
        silence_watch=silence_watch,
        clock=StampClock(name, lambda: int(clock.now().nanoseconds), log.warning),
        dark_warning=DarkWarning(name, log.warning),
        state=state,
        publisher=publisher,
        watchdog=Watchdog(name, publisher, statistics, lambda: clock.now().to_msg(), log.warning),
        statistics=statistics,
        clouds=clouds,
        cloud_counts=counts,
    )


def _open_clouds(
    host: StreamHost, config: NodeConfig, index: int, stage: CloudStage
) -> CloudInput | None:
    """Wait for the clouds of a camera, where a parameter names their topic."""
    topics = config.cloud_topics
    if not any(topics) or not topics[index]:
        return None
    return CloudInput(host.node, topics[index], host.types, stage.put)


def _open_input(
    host: StreamHost,
    index: int,
    statistics: CameraStatistics,
    loss_watch: LossWatch,
    silence_watch: SilenceWatch,
) -> CameraInput:
    config, log = host.config(), host.node.get_logger()
    name = config.cameras[index]
    admits = _rate_limit(host, name)

    def take(message: Any, lost: int) -> None:
        loss_watch.note(lost)
        silence_watch.note()
        if admits(message):
            statistics.receive(host.put(name, message), lost)
        else:
            statistics.leave_out(lost)

    def drop(cause: str) -> None:
        silence_watch.note()
        statistics.refuse_packet(cause)
        log.warning(f"{name}: image dropped: {cause}", throttle_duration_sec=_QUIET_S)

    topic = config.camera_topic(index, "image_topics", "image")
    info_topic = _info_topic(host.node, config, index)
    return CameraInput(host.node, topic, info_topic, host.types, take, drop)


def _rate_limit(host: StreamHost, name: str) -> Callable[[Any], bool]:
    """Give what says whether an image is taken; it follows the parameter."""
    clock, limit = host.node.get_clock(), RateLimit()

    def admits(message: Any) -> bool:
        nonlocal limit
        rate_hz = host.config().camera(name).max_rate_hz
        if rate_hz != limit.rate_hz:
            limit = RateLimit(rate_hz)
        return limit.admits(stamp_ns(message.header) or int(clock.now().nanoseconds))

    return admits


def _info_topic(node: SubscribingNode, config: NodeConfig, index: int) -> str:
    """CameraInfo topic where parameter or remapping names it, else empty."""
    usual = config.camera_topic(index, "camera_info_topics", "camera_info")
    said = config.camera_info_topics
    plain = node.resolve_topic_name(usual, only_expand=True)
    is_remapped = node.resolve_topic_name(usual) != plain
    return usual if is_remapped or (any(said) and said[index]) else ""
