# SPDX-License-Identifier: Apache-2.0
"""A process that a verb starts, watches and ends."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.ros.transport.profile import with_profile

STOP_S = 30.0
LAST_LINES = 5
LEAST_FREE_BYTES = 1_000_000


class Child:
    """Runs while its block runs; its words go to a file.

    Args:
        name: For messages.
        command: What to run, in the environment that images need.
        log: Where its output goes.
    """

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self._name = name
        self._log = log
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                command, stdout=stream, stderr=subprocess.STDOUT, env=with_profile()
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def check(self) -> None:
        """Make sure that it still runs.

        Raises:
            ConfigError: It has ended; the message holds its last words.
        """
        status = self._process.poll()
        if status is not None:
            raise ConfigError(f"the {self._name} ended with status {status}; {self.last_words()}")

    def last_words(self) -> str:
        """The end of its output."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if not lines and shutil.disk_usage(self._log.parent).free < LEAST_FREE_BYTES:
            return f"the disk of {self._log.parent} is full; name another folder with --out"
        return f"it said: {' / '.join(lines[-LAST_LINES:]) or 'nothing'} ({self._log})"

    def stop(self) -> None:
        """Ask it to end and wait; safe to call twice.

        Raises:
            ConfigError: It ended with another status than 0.
        """
        self._end(signal.SIGINT)
        status = self._process.returncode
        if status != 0:
            raise ConfigError(f"the {self._name} ended with status {status}; {self.last_words()}")

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(signal.SIGTERM)

    def _end(self, request: signal.Signals) -> None:
        """Send a signal, and kill a process that does not follow it within ``STOP_S``."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(request)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
