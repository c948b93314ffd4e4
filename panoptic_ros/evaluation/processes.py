# SPDX-License-Identifier: Apache-2.0
"""Score the label files of many single images in processes instead of threads.

The fast PNG decoder keeps Python's lock, so that threads would wait for each other. The
processes are not forks of this one, so the caller's main module must be importable, as that of
every command is.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import BaseContext

import cv2

from panoptic_ros.core.allocation import keep_freed_memory
from panoptic_ros.core.classes.categories import Category
from panoptic_ros.data.label_files import Pair
from panoptic_ros.evaluation.evaluate import Evaluation, EvaluationResult, evaluate
from panoptic_ros.evaluation.in_order import in_order
from panoptic_ros.evaluation.prediction import from_files

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
    by: str | None = None,
) -> EvaluationResult:
    """Score label files of single images; few are in memory at a time.

    Args:
        categories: The classes.
        metrics: Which scores, none of those over time.
        pairs: The images with their predictions.
        watch: Told how many images more are done.
        workers: Processes, 0 for one per core; with one, or few images, this process does it.
        by: Field of the images; those of one value are scored by themselves, too.

    Raises:
        DataError: A file is missing or damaged or does not fit; the message names it.
    """
    workers = workers or len(os.sched_getaffinity(0))
    total = Evaluation(categories, metrics, is_video=False, by=by)
    told = watch or (lambda count: None)
    if workers == 1 or len(pairs) < FEWEST_IMAGES:
        return evaluate(total, from_files(pairs), lambda _: told(1), workers)
    chunks = [pairs[start : start + CHUNK] for start in range(0, len(pairs), CHUNK)]
    score = partial(_score, categories, metrics, by)
    with ProcessPoolExecutor(workers, preloaded_context(__name__), _start) as pool:
        for count, part in in_order(pool, score, chunks, 2 * workers):
            total.merge(part)
            told(count)
    return total.result()


def preloaded_context(module: str) -> BaseContext:
    """Start processes from one that has imported a module, where the system can.

    None of them hears Ctrl-C, which reaches the whole group: the caller ends them.

    Args:
        module: Its full name.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    # Starting it takes back what is blocked.
    resource_tracker.ensure_running()
    # What is blocked stays so in a new process; for the caller it waits until it is not.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context


def _start() -> None:
    # There is a process for every core already.
    cv2.setNumThreads(1)
    keep_freed_memory()


def _score(
    categories: Sequence[Category],
    metrics: Collection[str],
    by: str | None,
    pairs: Sequence[Pair],
) -> tuple[int, Evaluation]:
    """Score a chunk; says how many images there were."""
    part = Evaluation(categories, metrics, is_video=False, by=by)
    for pair, prediction in from_files(pairs):
        part.add(part.compare(pair, prediction()))
    return len(pairs), part
