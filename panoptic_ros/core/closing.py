# SPDX-License-Identifier: Apache-2.0
"""``with`` for everything that is opened and must be closed by its owner."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

Opened = TypeVar("Opened", bound="Closing")


class Closing(ABC):
    """Something that holds a file, a process or device memory until it is closed."""

    def __enter__(self: Opened) -> Opened:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def abandon(self) -> None:
        """Free what is held where the block that owns it failed: as ``close`` does."""
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Free what is held; safe to call twice."""
