# SPDX-License-Identifier: Apache-2.0
"""The thread that encodes and publishes results while the network computes the next frame."""

from __future__ import annotations

import threading
from collections.abc import Callable

Work = Callable[[], None]


class Sender:
    """Does one piece of work at a time, in the order in which they are given.

    Nothing queues up: whoever gives work waits for the piece before. Given and closed by one
    thread.

    Attributes:
        failure: What a piece of work raised; the thread ends with it.
    """

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self._changed = threading.Condition()
        self._work: Work | None = None
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="panoptic_sender", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def give(self, work: Work) -> None:
        """Let a piece of work be done, once the one before it is.

        Raises:
            Exception: What an earlier piece of work raised.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._work is None)
            if self.failure is not None:
                raise self.failure
            self._work = work
            self._changed.notify_all()

    def finish(self) -> None:
        """Wait for the piece of work that was given last.

        Raises:
            Exception: What it, or an earlier one, raised.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._work is None)
            if self.failure is not None:
                raise self.failure

    def close(self) -> None:
        """Finish the work that was given, and end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._work is not None or self._is_closed)
                work = self._work
            if work is None:
                return
            try:
                work()
            except Exception as error:  # handed to whoever gives work, and to the main thread
                self.failure = error
            with self._changed:
                self._work = None
                self._changed.notify_all()
            if self.failure is not None:
                return
