# SPDX-License-Identifier: Apache-2.0
"""The numbers of the node as ``/diagnostics`` wants them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from panoptic_ros.core.model import Engine, FactualEngine
from panoptic_ros.messages.clouds.cloud_statistics import CloudStatistics
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.ros.camera.cloud_input import CloudInput
from panoptic_ros.ros.camera.statistics import CameraReport
from panoptic_ros.ros.camera.stream import CameraStream
from panoptic_ros.ros.engine_loader import EngineLoader as Supply

OK, WARN, ERROR = bytes([0]), bytes([1]), bytes([2])


@dataclass(frozen=True)
class Silence:
    """How long a camera gave no result, in seconds, and when that is too long."""

    seconds: float
    stale_after_s: float

    @property
    def is_stale(self) -> bool:
        """Whether its last result must not be relied on."""
        return self.seconds >= self.stale_after_s


def stream_statuses(
    node: str, streams: Iterable[CameraStream], stale_after_s: float, types: MessageTypes
) -> list[Any]:
    """Build the DiagnosticStatus messages of all cameras.

    Args:
        node: Name of the node.
        streams: The cameras.
        stale_after_s: See ``Silence``.
        types: Message classes.
    """
    rows = (_stream_statuses(node, stream, stale_after_s, types) for stream in streams)
    return list(chain.from_iterable(rows))


def _stream_statuses(
    node: str, stream: CameraStream, stale_after_s: float, types: MessageTypes
) -> list[Any]:
    name, problem = f"{node}: {stream.name}", stream.publisher.ground_problem
    silence = Silence(stream.publisher.silent_s, stale_after_s)
    report, topic = stream.statistics.report(), stream.input.topic
    row = camera_status(name, report, topic, silence, types, stream.loss_watch.problem)
    rows = [row]
    if problem:
        rows.append(status(f"{name}: ground", WARN, problem, {}, types))
    if stream.clouds is not None:
        rows.append(cloud_status(f"{name}: points", stream.clouds, stream.cloud_counts, types))
    return rows


def cloud_status(
    name: str, source: CloudInput, counts: CloudStatistics, types: MessageTypes
) -> Any:
    """Build the DiagnosticStatus of one camera's point clouds.

    Args:
        name: ``<node>: <camera>: points``.
        source: Where they come from.
        counts: What happened to them.
        types: Message classes.
    """
    totals, problem = counts.totals(), counts.problem
    if source.other_type:
        problem = f"{source.topic} carries {source.other_type}, needs PointCloud2 or Image"
    elif not totals["received"]:
        problem = f"no cloud on {source.topic}"
    values = {"topic": source.topic, **{name: str(count) for name, count in totals.items()}}
    return status(name, WARN if problem else OK, problem, values, types)


def camera_status(
    name: str,
    report: CameraReport,
    topic: str,
    silence: Silence,
    types: MessageTypes,
    losses: str = "",
) -> Any:
    """Build the DiagnosticStatus of one camera.

    Args:
        name: ``<node>: <camera>``.
        report: Its numbers.
        topic: Where its images come from.
        silence: How long nothing came out, and what that means.
        types: Message classes.
        losses: What is to be said about images lost on their way; empty where they are few.
    """
    level, message = _judge(report, topic, silence)
    if losses and level == OK:
        level, message = WARN, losses
    return status(name, level, message, _camera_values(report, topic), types)


def machine_status(node: str, values: Mapping[str, str], types: MessageTypes) -> Any:
    """Build the DiagnosticStatus of the machine; see ``telemetry`` for the values."""
    return status(f"{node}: machine", OK, "", values, types)


def name_statuses(node: str, problem: str, types: MessageTypes) -> list[Any]:
    """Build the DiagnosticStatus of the node's name; there is none where all is well.

    Args:
        node: Name of the node.
        problem: What is wrong with it, else empty.
        types: Message classes.
    """
    return [status(f"{node}: name", WARN, problem, {}, types)] if problem else []


def engine_status(
    node: str,
    is_active: bool,
    failure: str,
    supply: Supply,
    types: MessageTypes,
    refusal: str = "",
) -> Any:
    """Build the DiagnosticStatus of the engine.

    Args:
        node: Name of the node.
        is_active: Whether images are taken.
        failure: Why it stopped, empty while it has not.
        supply: The engine in use, and the plan in work.
        types: Message classes.
        refusal: Why the node could not be configured or activated, empty where it could.
    """
    engine = supply.engine
    level, message = OK, "running" if is_active else "ready" if engine else "not configured"
    meanwhile = f"; meanwhile {engine.description}" if engine is not None else ""
    if failure:
        level, message = ERROR, failure
    elif supply.progress is not None:
        done = f"{supply.progress.phase}, {supply.progress.share:.0%}"
        level, message = WARN, f"building a plan: {done}{meanwhile}"
    elif refusal:
        level, message = ERROR, f"start failed: {refusal}"
    elif supply.problem:
        level, message = WARN, f"there is no plan: {supply.problem}"
    values = _engine_values(engine, supply)
    return status(f"{node}: engine", level, message, values, types)


def _engine_values(engine: Engine | None, supply: Supply) -> dict[str, str]:
    values: dict[str, str] = {}
    if engine is not None:
        spec = engine.spec
        values = {
            "engine": engine.description,
            "model": spec.name,
            "decoder": spec.decoder,
            "network_size": f"{spec.width}x{spec.height}",
            "label_set": f"{spec.labels.name} ({len(spec.labels)} classes)",
            "license": spec.license,
        }
    if isinstance(engine, FactualEngine):
        values.update(engine.facts)
    if supply.progress is not None:
        values["build_phase"] = supply.progress.phase
        values["build_share"] = f"{supply.progress.share:.2f}"
    return values


def status(
    name: str, level: bytes, message: str, values: Mapping[str, str], types: MessageTypes
) -> Any:
    """Build a DiagnosticStatus."""
    pairs = [
        types.make("diagnostic_msgs/msg/KeyValue", key=key, value=value)
        for key, value in values.items()
    ]
    return types.make(
        "diagnostic_msgs/msg/DiagnosticStatus",
        level=level,
        name=name,
        message=message,
        hardware_id="panoptic_ros",
        values=pairs,
    )


def _judge(report: CameraReport, topic: str, silence: Silence) -> tuple[bytes, str]:
    lasting = f"{silence.seconds:.1f} s"
    if report.silent_s is None:
        return ERROR if silence.is_stale else WARN, f"no image yet on {topic}"
    if report.silent_s >= silence.stale_after_s:
        return ERROR, f"no image on {topic} for {report.silent_s:.1f} s"
    # A camera that begins late, or again after a pause, is no fault of the engine.
    is_overdue = report.waiting_s >= silence.stale_after_s
    if silence.is_stale and (report.last_refusal or is_overdue):
        reason = report.last_refusal or "the engine has not answered"
        return ERROR, f"images come, but no result for {lasting}: {reason}"
    if report.last_refusal:
        return WARN, f"unusable images: {report.last_refusal}"
    if silence.is_stale:
        return WARN, f"images have begun to come on {topic}, no result yet"
    return OK, f"{report.published / report.seconds:.1f} results per second"


def _camera_values(report: CameraReport, topic: str) -> dict[str, str]:
    values = {
        "topic": topic,
        "input_hz": f"{report.received / report.seconds:.2f}",
        "output_hz": f"{report.published / report.seconds:.2f}",
        **{key: str(count) for key, count in report.total.items()},
    }
    for title, value in zip(("p50", "p95", "p99"), report.latency_ms, strict=False):
        values[f"latency_{title}_ms"] = f"{value:.2f}"
    values.update({f"{stage}_ms": f"{ms:.2f}" for stage, ms in report.stages_ms.items()})
    if report.age_s is not None:
        values["age_ms"] = f"{report.age_s * 1e3:.1f}"
    values["tracks"] = str(report.tracks)
    return values
