# SPDX-License-Identifier: Apache-2.0
"""Between the threads: each camera's newest item waits, older ones are dropped and counted."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """One slot per camera; many threads put, one takes.

    A camera that was served goes to the end of the line, so no camera starves another.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, Item] = {}
        self._served: dict[str, int] = {}
        self._turn = 0
        self._drops: dict[str, int] = {}
        self._closed = False

    def put(self, camera: str, item: Item) -> bool:
        """Leave an item.

        Returns:
            Whether it took the place of an older one, which is dropped. After ``close`` the item
            itself is dropped, uncounted.
        """
        with self._changed:
            if self._closed:
                return False
            replaced = camera in self._waiting
            if replaced:
                self._drops[camera] = self._drops.get(camera, 0) + 1
            self._waiting[camera] = item
            self._changed.notify()
            return replaced

    def take(self, timeout_s: float | None = None) -> tuple[str, Item] | None:
        """Take the item of the camera that has waited longest for service.

        Args:
            timeout_s: How long to wait for one; None waits until ``close``.

        Returns:
            Camera and item; None after the time or after ``close``.
        """
        taken = self.take_batch(1, timeout_s)
        return taken[0] if taken else None

    def take_batch(self, limit: int, timeout_s: float | None = None) -> list[tuple[str, Item]]:
        """Take what is there of several cameras, without waiting for more than one of them.

        Args:
            limit: Most cameras to take, at least 1.
            timeout_s: How long to wait for the first; None waits until ``close``.

        Returns:
            Cameras and items, the camera that has waited longest for service first; empty after
            the time or after ``close``.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout_s)
            if self._closed:
                return []
            line = sorted(self._waiting, key=lambda name: self._served.get(name, -1))
            return [(camera, self._serve(camera)) for camera in line[:limit]]

    def _serve(self, camera: str) -> Item:
        self._served[camera] = self._turn
        self._turn += 1
        return self._waiting.pop(camera)

    def drops(self, camera: str) -> int:
        """Items of a camera that were replaced before they were taken."""
        with self._changed:
            return self._drops.get(camera, 0)

    def close(self) -> None:
        """Wake the taker for good and drop what waits."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
