# SPDX-License-Identifier: Apache-2.0
"""Batches of crops that processes of their own draw, and how these end with the trainer."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from multiprocessing.synchronize import Event
from types import TracebackType
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader

from panoptic_ros.core.errors import DataError
from panoptic_ros.model.training.crops import Crops


def batches(
    crops: Crops, size: int, workers: int, ended: Event, is_pinned: bool
) -> Iterator[list[Tensor]]:
    """Draw crops batch by batch.

    Args:
        crops: What is drawn.
        size: Crops in a batch.
        workers: Processes that draw; 0 draws in this one.
        ended: Set when the trainer has saved its state, so that they may end by a signal.
        is_pinned: Whether batches lie in memory from which a GPU copies beside its work.

    Yields:
        Image and targets, each with the crops in its first dimension.

    Raises:
        DataError: An image or its truth cannot be used.
    """
    loader: DataLoader[Any] = DataLoader(
        crops,
        batch_size=size,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        pin_memory=is_pinned,
        worker_init_fn=partial(_leave_signals_to_the_trainer, ended),
    )
    try:
        yield from loader
    except DataError as error:
        # From another process torch hands over the whole traceback as text.
        _, _, words = str(error).rpartition(f"{DataError.__name__}: ")
        raise DataError(words.strip()) from None


def _leave_signals_to_the_trainer(ended: Event, worker: int) -> None:
    """Let a loading process live until the trainer, which ends it, has saved its state.

    Ctrl-C, ``timeout`` and systemd signal the whole group of processes.

    Args:
        ended: Set when the trainer has saved: its signal to end counts.
        worker: Number of the process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0) if ended.is_set() else None)
    sys.excepthook = _tell_unless_the_trainer_left


def _tell_unless_the_trainer_left(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    # Raised where crops are handed over; errors of loading reach the trainer on another way.
    if not issubclass(kind, (ConnectionError, EOFError)):
        sys.__excepthook__(kind, error, trace)
