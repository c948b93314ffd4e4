# SPDX-License-Identifier: Apache-2.0
"""Truth, a predictor and a score: the one way for label files, engines and bags."""

from __future__ import annotations

from collections.abc import Callable, Collection

from panoptic_ros.core.errors import counted, listed
from panoptic_ros.evaluation.evaluate import Comparison, Evaluation, EvaluationResult, evaluate
from panoptic_ros.evaluation.predictor import Predictor
from panoptic_ros.evaluation.processes import evaluate_files
from panoptic_ros.evaluation.selection import check_field


def open_evaluation(
    predictor: Predictor, metrics: Collection[str], by: str | None = None
) -> Evaluation:
    """Prepare to collect scores.

    Args:
        predictor: What is scored.
        metrics: Some of ``selection.METRICS``.
        by: Field of the images; those of one value are scored by themselves, too.

    Raises:
        DataError: The data set lacks what a metric needs, or the field.
    """
    truth = predictor.truth
    if by is not None:
        check_field(truth, by)
    return Evaluation(truth.categories, metrics, truth.is_video, by)


def score(
    predictor: Predictor,
    metrics: Collection[str] = ("pq", "miou"),
    by: str | None = None,
    watch: Callable[[Comparison], None] | None = None,
) -> EvaluationResult:
    """Score what a predictor says.

    Args:
        predictor: What is scored; its tasks are done afterwards.
        metrics: Some of ``selection.METRICS``.
        by: Field of the images; those of one value are scored by themselves, too.
        watch: Told of every image, in order.

    Raises:
        DataError: The data set lacks what a metric needs; or a file is missing or damaged or does
            not fit, and the message names it.
    """
    return run(predictor, open_evaluation(predictor, metrics, by), watch)


def run(
    predictor: Predictor,
    evaluation: Evaluation,
    watch: Callable[[Comparison], None] | None = None,
    advance: Callable[[int], None] | None = None,
) -> EvaluationResult:
    """Score what a predictor says with a prepared evaluation.

    Label files of single images are scored in processes where nobody watches; then the evaluation
    stays empty.

    Args:
        predictor: What is scored; its tasks are done afterwards.
        evaluation: Collects the scores.
        watch: Told of every image, in order.
        advance: Told how many images more are done.

    Raises:
        DataError: A file is missing or damaged or does not fit; the message names it.
    """
    if predictor.surface_remark and "drivable" in evaluation.metrics:
        predictor.remarks.append(predictor.surface_remark)
    told = advance or (lambda count: None)
    if predictor.files and watch is None:
        result = evaluate_files(
            predictor.truth.categories,
            evaluation.metrics,
            predictor.files,
            told,
            by=evaluation.by,
        )
    else:

        def see(comparison: Comparison) -> None:
            told(1)
            if watch is not None:
                watch(comparison)

        result = evaluate(evaluation, predictor.tasks, see)
    predictor.remarks.extend(result.remarks)
    if predictor.is_files:
        predictor.remarks.extend(_never_predicted(result))
    return result


def _never_predicted(result: EvaluationResult) -> tuple[str, ...]:
    """Say which classes of the truth were never predicted, in one sentence or not at all."""
    found = zip(result.frames.categories, result.frames.panoptic.classes.values(), strict=True)
    names = [entry.name for entry, quality in found if quality.fn and not quality.tp + quality.fp]
    if not names:
        return ()
    return (
        f"The predictions have nothing of {counted(len(names), 'class', 'classes')} of the data "
        f"set, which count as missed: {listed(names)}; where only names differ, use --map.",
    )
