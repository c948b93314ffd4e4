# SPDX-License-Identifier: Apache-2.0
"""Score the label files of many single images in processes instead of threads.

The fast PNG decoder keeps Python's lock, so that threads would wait for each other. The
processes are not forks of this one, so the caller's main module must be importable, as that of
every command is.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.context import BaseContext

import cv2

from panoptic_ros.core.allocation import keep_freed_memory
from panoptic_ros.core.categories import Category
from panoptic_ros.data.label_files import Pair
from panoptic_ros.evaluation.evaluate import Evaluation, EvaluationResult, evaluate, from_files

CHUNK = 8
"""Images that a process takes at a time."""

FEWEST_IMAGES = 100
"""With fewer images, starting processes takes longer than they save."""


def evaluate_files(
    categories: Sequence[Category],
    metrics: Collection[str],
    pairs: Sequence[Pair],
    watch: Callable[[int], None] | None = None,
    workers: int = 0,
) -> EvaluationResult:
    """Score label files of single images; few are in memory at a time.

    Args:
        categories: The classes.
        metrics: Which scores, none of those over time.
        pairs: The images with their predictions.
        watch: Told how many images more are done.
        workers: Processes, 0 for one per core; with one, or few images, this process does it.

    Raises:
        DataError: A file is missing or damaged or does not fit; the message names it.
    """
    workers = workers or len(os.sched_getaffinity(0))
    total = Evaluation(categories, metrics, is_video=False)
    if workers == 1 or len(pairs) < FEWEST_IMAGES:
        told = watch or (lambda count: None)
        return evaluate(total, from_files(pairs), lambda _: told(1), workers)
    for count, part in _parts(categories, metrics, pairs, workers):
        total.merge(part)
        if watch is not None:
            watch(count)
    return total.result()


def _parts(
    categories: Sequence[Category],
    metrics: Collection[str],
    pairs: Sequence[Pair],
    workers: int,
) -> Iterator[tuple[int, Evaluation]]:
    """Score chunks; yields in order how many images there were, and their scores."""
    chunks = [pairs[start : start + CHUNK] for start in range(0, len(pairs), CHUNK)]
    waiting: deque[Future[tuple[int, Evaluation]]] = deque()
    with ProcessPoolExecutor(workers, _context(), _start) as pool:
        try:
            for chunk in chunks:
                waiting.append(pool.submit(_score, categories, metrics, chunk))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _context() -> BaseContext:
    """Start processes from one that has imported this module, where the system can."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _start() -> None:
    # There is a process for every core already.
    cv2.setNumThreads(1)
    keep_freed_memory()


def _score(
    categories: Sequence[Category], metrics: Collection[str], pairs: Sequence[Pair]
) -> tuple[int, Evaluation]:
    part = Evaluation(categories, metrics, is_video=False)
    for pair, prediction in from_files(pairs):
        part.add(part.compare(pair, prediction()))
    return len(pairs), part
