# SPDX-License-Identifier: Apache-2.0
"""Label files scored by several processes: the same scores, the same errors."""

from __future__ import annotations

import math
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.data.class_map import ClassMapFile
from panoptic_ros.data.format import DataSetLocation
from panoptic_ros.data.formats import mapped, open_predictions, open_truth
from panoptic_ros.data.label_files import LabelFiles, Pair, paired
from panoptic_ros.evaluation.evaluate import Evaluation, EvaluationResult
from panoptic_ros.evaluation.processes import FEWEST_IMAGES, evaluate_files
from test.drawn.drawn_formats import WRITERS

METRICS = ("pq", "miou", "label_miou", "biou", "drivable")
STILL = [name for name in WRITERS if not name.startswith("kitti")]


def opened(folder: Path, kind: str) -> tuple[LabelFiles, list[Pair]]:
    """The drawn images, each predicted as the other one."""
    written = WRITERS[kind](folder)
    truth = open_truth(written.format, DataSetLocation(written.gt))
    found = open_predictions(written.format, DataSetLocation(written.gt), truth)
    first, second = paired(truth.sequences, found.sequences)
    swapped = [replace(first, predicted=second.predicted), replace(second, predicted=first.truth)]
    return truth, swapped


def scored(truth: LabelFiles, pairs: Sequence[Pair], workers: int) -> EvaluationResult:
    return evaluate_files(truth.categories, METRICS, pairs, workers=workers)


def test_processes_change_nothing(tmp_path: Path) -> None:
    truth, pairs = opened(tmp_path, "cityscapes")
    many = pairs * FEWEST_IMAGES
    counts: list[int] = []
    one = scored(truth, many, workers=1)
    two = evaluate_files(truth.categories, METRICS, many, counts.append, workers=2)
    assert one.frames.images == two.frames.images == sum(counts) == len(many)
    assert 0.3 < one.frames.panoptic.all.pq < 1.0
    assert math.isclose(one.frames.panoptic.all.pq, two.frames.panoptic.all.pq, abs_tol=1e-12)
    # As text, in which classes that never occur are equal.
    exact = [(found.frames.semantic, found.pixels, found.drivable) for found in (one, two)]
    assert repr(exact[0]) == repr(exact[1])


def test_an_error_of_a_process_names_the_file(tmp_path: Path) -> None:
    truth, pairs = opened(tmp_path, "cityscapes")
    assert pairs[0].predicted is not None
    pairs[0].predicted.path.unlink()
    with pytest.raises(DataError, match=r"instanceIds\.png: no such file"):
        scored(truth, pairs * FEWEST_IMAGES, workers=2)


@pytest.mark.parametrize("kind", STILL)
def test_what_a_process_is_told_can_be_sent(tmp_path: Path, kind: str) -> None:
    written = WRITERS[kind](tmp_path)
    raw = open_truth(written.format, DataSetLocation(written.gt))
    rules = {written.names[2]: "vehicle"}
    truth = mapped(raw, rules, is_truth=True)
    found = open_predictions(written.format, DataSetLocation(written.gt), raw, ClassMapFile(rules))
    for pair in paired(truth.sequences, found.sequences):
        sent = pickle.loads(pickle.dumps(pair))
        assert sent.truth.read().map.labels.tolist() == pair.truth.read().map.labels.tolist()
        assert sent.predicted.read().shape == (4, 8)


def test_sequences_cannot_be_merged(tmp_path: Path) -> None:
    truth, _ = opened(tmp_path, "coco")
    one = Evaluation(truth.categories, ("stq",), is_video=True)
    with pytest.raises(ValueError, match="cannot be merged"):
        one.merge(one)


INTERRUPTED = """
import time
from panoptic_ros.evaluation.processes import preloaded_context
try:
    worker = preloaded_context("slow").Process(target=print)
    worker.start()
    time.sleep(60)
except KeyboardInterrupt:
    pass
"""


def test_ctrl_c_while_a_process_imports_is_heard_by_the_caller_alone(tmp_path: Path) -> None:
    slow = "import time; print('importing', flush=True); time.sleep(1)"
    tmp_path.joinpath("slow.py").write_text(slow, encoding="utf-8")
    ran = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert ran.stdout is not None
    assert ran.stdout.readline() == "importing\n"
    os.killpg(ran.pid, signal.SIGINT)
    _, said = ran.communicate(timeout=60)
    assert (said, ran.returncode) == ("", 0)
