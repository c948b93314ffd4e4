# SPDX-License-Identifier: Apache-2.0
"""Build a plan in a process of its own, beside a node that goes on working.

TensorRT builds for minutes, takes gigabytes, may crash, and before version 10 cannot be stopped.
In a process of its own none of that touches the one that drives.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from panoptic_ros.core.engine_config import ProgressCallback
from panoptic_ros.core.errors import ModelError, PanopticError
from panoptic_ros.engine.building.plans import PlanRequest, find_or_build

_NICENESS = 10
_PATIENCE_S = 5.0
_LEAST_STEP = 0.01


class BuildProcess:
    """Another Python that builds one plan into the cache; it ends when this process does.

    Started at once. One thread waits, any thread may cancel.

    Args:
        request: What to build.
        command: What to run, None for this module.
    """

    def __init__(self, request: PlanRequest, command: Sequence[str] = ()) -> None:
        self._request = request
        self._was_cancelled = False
        numbers = (str(request.batch), str(request.device))
        arguments = [str(request.model), request.precision, *numbers]
        self._process = subprocess.Popen(
            command or [sys.executable, "-m", "panoptic_ros.engine.building.process", *arguments],
            # The builder reads it to its end, which comes with the end of this process.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # In a session of its own, as Ctrl-C is for this process alone: it ends the builder.
            start_new_session=True,
        )

    def wait(self, report: ProgressCallback = lambda phase, share: None) -> None:
        """Wait for the plan.

        Args:
            report: Told how far it is.

        Raises:
            ModelError: There is no plan: it cannot be built, differs too much from ONNX Runtime,
                the builder died, or it was cancelled.
        """
        process, error = self._process, ""
        assert process.stdout is not None
        with process:
            for line in process.stdout:
                news = _understood(line)
                if "share" in news:
                    report(str(news["phase"]), float(news["share"]))
                error = str(news.get("error", error))
        if self._was_cancelled:
            raise ModelError(f"building a plan of {self._request.model.name} was cancelled")
        if error or process.returncode:
            raise ModelError(error or self._last_words(process.returncode))

    def cancel(self) -> None:
        """End the builder; ``wait`` raises then."""
        self._was_cancelled = True
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _last_words(self, status: int) -> str:
        how = f"signal {-status}" if status < 0 else f"status {status}"
        request = self._request
        return (
            f"the process that built a plan of {request.model.name} ended with {how}; "
            f"see why: {request.command}"
        )


def _understood(line: str) -> dict[str, Any]:
    """Read a line of the builder; libraries may write lines of their own between."""
    with contextlib.suppress(ValueError):
        news = json.loads(line)
        if isinstance(news, dict):
            return news
    return {}


class _Voice:
    """The builder's side of the pipe; a share is told when it has grown.

    Args:
        pipe: Where to.
    """

    def __init__(self, pipe: IO[str]) -> None:
        self._pipe = pipe
        self._told = -1.0

    def progress(self, phase: str, share: float) -> None:
        if share >= self._told + _LEAST_STEP:
            self._told = share
            self._say({"phase": phase, "share": share})

    def error(self, words: str) -> None:
        self._say({"error": words})

    def _say(self, news: dict[str, Any]) -> None:
        self._pipe.write(json.dumps(news) + "\n")
        self._pipe.flush()


def main(arguments: Sequence[str]) -> int:
    """Build the plan of ``MODEL PRECISION BATCH DEVICE`` and tell the parent how far it is."""
    voice = _Voice(_private_stdout())
    _follow_parent()
    model, precision, batch, device = arguments
    request = PlanRequest(Path(model), precision, int(batch), int(device))
    try:
        voice.progress("reading the model", 0.0)
        find_or_build(request, rebuild=True, report=voice.progress)
    except PanopticError as error:
        voice.error(str(error))
        return 1
    return 0


def _private_stdout() -> IO[str]:
    """Take the pipe away from the libraries, whose words go to the log instead."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return pipe


def _follow_parent() -> None:
    """Leave the cores to those who work, and end with the parent."""
    os.nice(_NICENESS)
    # Ctrl-C reaches the whole group of processes; the parent decides what becomes of us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # Not through sys.stdin, whose lock a daemon thread would hold while Python shuts down.
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
