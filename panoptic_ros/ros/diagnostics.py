# SPDX-License-Identifier: Apache-2.0
"""The numbers of the node as ``/diagnostics`` wants them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from panoptic_ros.core.model import Engine
from panoptic_ros.ros.message_types import MessageTypes
from panoptic_ros.ros.tally import Report

OK, WARN, ERROR = bytes([0]), bytes([1]), bytes([2])


def camera_status(
    name: str, report: Report, topic: str, stale_after_s: float, types: MessageTypes
) -> Any:
    """Build the DiagnosticStatus of one camera.

    Args:
        name: ``<node>: <camera>``.
        report: Its numbers.
        topic: Where its pictures come from.
        stale_after_s: Silence that makes it a warning.
        types: Message classes.
    """
    level, message = _judge(report, topic, stale_after_s)
    return status(name, level, message, _camera_values(report, topic), types)


def engine_values(engine: Engine | None) -> dict[str, str]:
    """Facts of the engine."""
    if engine is None:
        return {}
    spec = engine.spec
    return {
        "engine": engine.description,
        "model": spec.name,
        "decoder": spec.decoder,
        "network_size": f"{spec.width}x{spec.height}",
        "label_set": f"{spec.labels.name} ({len(spec.labels)} classes)",
        "license": spec.license,
    }


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


def _judge(report: Report, topic: str, stale_after_s: float) -> tuple[bytes, str]:
    if report.silent_s is None:
        return WARN, f"no picture yet on {topic}"
    if report.silent_s > stale_after_s:
        return WARN, f"no picture on {topic} for {report.silent_s:.1f} s"
    if report.last_refusal:
        return WARN, f"unusable pictures: {report.last_refusal}"
    return OK, f"{report.published / report.seconds:.1f} results per second"


def _camera_values(report: Report, topic: str) -> dict[str, str]:
    values = {
        "topic": topic,
        "input_hz": f"{report.received / report.seconds:.2f}",
        "output_hz": f"{report.published / report.seconds:.2f}",
        **{key: str(count) for key, count in report.total.items()},
    }
    for title, value in zip(("p50", "p95", "p99"), report.latency_ms, strict=False):
        values[f"latency_{title}_ms"] = f"{value:.2f}"
    values.update({f"{stage}_ms": f"{ms:.2f}" for stage, ms in report.stages_ms.items()})
    values["tracks"] = str(report.tracks)
    return values
