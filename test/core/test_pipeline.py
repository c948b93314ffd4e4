# SPDX-License-Identifier: Apache-2.0
"""Frames of several cameras in one inference give what each gives alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.errors import FrameError
from panoptic_ros.core.model import BatchEngine, batch_of
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.core.synthetic.engine import DrawnEngine
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.core.types import Frame
from test.drawn.batch_engine import DrawnBatchEngine

SIZE = (256, 128)
CAMERAS = ("front", "left", "right")
EMPTY = Frame(np.zeros((0, 0, 3), np.uint8), 1)
Turn = list[tuple[str, Frame]]


@pytest.fixture(scope="module")
def turns() -> list[Turn]:
    """One frame of each camera per turn; every camera sees another street."""
    streets = [DrawnStreet(SIZE, seconds=0.5, seed=seed) for seed in range(len(CAMERAS))]
    return [
        [(name, frame) for name, (frame, _) in zip(CAMERAS, images, strict=True)]
        for images in zip(*streets, strict=True)
    ]


def maps(result: Result | FrameError) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    assert isinstance(result, Result)
    return result.track_labels(), result.track_ids()


def run_once(pipeline: Pipeline, turn: Turn) -> list[Result | FrameError]:
    """Run the first frames of cameras that have sent nothing before."""
    return pipeline.step_batch([(frame, pipeline.new_state()) for _, frame in turn])


@pytest.mark.parametrize("batch", [1, 2, 3, 4])
def test_a_batch_gives_every_camera_what_it_gets_alone(batch: int, turns: list[Turn]) -> None:
    together, alone = Pipeline(DrawnBatchEngine(SIZE, batch)), Pipeline(DrawnEngine(SIZE))
    states = {name: together.new_state() for name in CAMERAS}
    states_alone = {name: alone.new_state() for name in CAMERAS}
    seen = 0
    for turn in turns:
        results = together.step_batch([(frame, states[camera]) for camera, frame in turn])
        for (camera, frame), result in zip(turn, results, strict=True):
            labels, ids = maps(result)
            expected = alone.step(frame, states_alone[camera])
            np.testing.assert_array_equal(labels, expected.track_labels())
            np.testing.assert_array_equal(ids, expected.track_ids())
            assert isinstance(result, Result)
            assert result.frame is frame
            assert list(result.stages_ms) == list(expected.stages_ms)
            seen += int(ids.max())
    assert seen > 0


@pytest.mark.parametrize(
    ("batch", "counts"), [(2, [2]), (3, [3]), (4, [3])], ids=["2 and 1 alone", "3", "3 of 4"]
)
def test_as_few_inferences_are_made_as_the_engine_allows(
    batch: int, counts: list[int], turns: list[Turn]
) -> None:
    engine = DrawnBatchEngine(SIZE, batch)
    run_once(Pipeline(engine), turns[0])
    assert engine.counts == counts


@pytest.mark.parametrize("bad", range(3))
def test_an_image_that_cannot_be_used_costs_the_others_nothing(
    bad: int, turns: list[Turn]
) -> None:
    turn = list(turns[0])
    turn[bad] = (turn[bad][0], EMPTY)
    results = run_once(Pipeline(DrawnBatchEngine(SIZE, 3)), turn)
    for index, (_, frame) in enumerate(turn):
        if index == bad:
            assert isinstance(results[index], FrameError)
            continue
        expected = Pipeline(DrawnEngine(SIZE)).step(frame)
        np.testing.assert_array_equal(maps(results[index])[0], expected.track_labels())


def test_a_batch_of_nothing_usable_asks_no_engine() -> None:
    engine = DrawnBatchEngine(SIZE, 2)
    results = run_once(Pipeline(engine), [("front", EMPTY), ("left", EMPTY)])
    assert all(isinstance(result, FrameError) for result in results)
    assert engine.counts == []


def test_an_engine_that_knows_no_batches_takes_one_image_at_a_time() -> None:
    assert isinstance(DrawnBatchEngine(SIZE, 3), BatchEngine)
    assert (batch_of(DrawnEngine(SIZE)), batch_of(DrawnBatchEngine(SIZE, 3))) == (1, 3)


def test_ids_are_kept_when_the_engine_is_exchanged(turns: list[Turn]) -> None:
    steady, exchanged = Pipeline(DrawnEngine(SIZE)), Pipeline(DrawnEngine(SIZE))
    for number, turn in enumerate(turns):
        if number == len(turns) // 2:
            exchanged.exchange(DrawnBatchEngine(SIZE, 2))
        expected = steady.step(turn[0][1]).track_ids()
        np.testing.assert_array_equal(exchanged.step(turn[0][1]).track_ids(), expected)
