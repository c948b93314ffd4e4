# SPDX-License-Identifier: Apache-2.0
"""The stages of the newest frames of all cameras in a file, as the parameter ``trace`` says."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.output import check_writable, write_text
from panoptic_ros.core.files.stage_trace import StageTrace
from panoptic_ros.core.result import Result
from panoptic_ros.ros.protocols import Logger


class TraceFile:
    """Collects what ran when; written once, as a whole.

    Args:
        path: The file.

    Raises:
        ConfigError: It cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path).expanduser().absolute()
        self._trace = StageTrace()
        try:
            check_writable(self._path)
        except OSError as error:
            raise ConfigError(f"{_refusal(self._path, error)}, and configure again") from error

    def add_inference(
        self, camera: str, result: Result, stages_ms: Mapping[str, float], ended_s: float
    ) -> None:
        """Note the stages of one frame; those of frames in one batch are drawn to end together.

        Args:
            camera: Name of the camera.
            result: Of the frame.
            stages_ms: Milliseconds by stage, in their order.
            ended_s: When the last one ended, in steady time.
        """
        self._add(camera, "frame", result, stages_ms, ended_s)

    def add_publishing(self, camera: str, result: Result, stages_ms: Mapping[str, float]) -> None:
        """Note the publishing of one frame, which ends now; it may run beside the next frame."""
        self._add(f"{camera}: publishing", "publish", result, stages_ms, time.monotonic())

    def write(self, log: Logger) -> None:
        """Write the file, unless there is nothing to be written; an error is logged."""
        if not self._trace:
            return
        try:
            write_text(self._path, self._trace.text())
        except OSError as error:
            log.error(f"{_refusal(self._path, error)}; this run's trace is lost")
        else:
            log.info(f"the stages of the newest frames are in {self._path}")

    def _add(
        self,
        row: str,
        name: str,
        result: Result,
        stages_ms: Mapping[str, float],
        ended_s: float,
    ) -> None:
        told = {"stamp_ns": str(result.frame.stamp_ns), "objects": len(result.tracks)}
        start_s = ended_s - sum(stages_ms.values()) / 1e3
        self._trace.add(row, name, start_s, stages_ms, told)


def _refusal(path: Path, error: OSError) -> str:
    return (
        f"trace: {path} cannot be written ({error.strerror}); set the parameter to a file (.json) "
        "in a folder that this process may write to, as /tmp/trace.json, or to '' for none"
    )
