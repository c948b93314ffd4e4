# SPDX-License-Identifier: Apache-2.0
"""Frames of several cameras in one inference give what each gives alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.config import DecodeConfig, PipelineConfig
from panoptic_ros.core.continuity import Arrival
from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.errors import ConfigError, FrameError, LateFrameError
from panoptic_ros.core.model import BatchEngine, batch_of
from panoptic_ros.core.parameters import with_value
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.core.synthetic.engine import DrawnEngine
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.core.tracking.camera_motion import CameraMotion
from panoptic_ros.core.types import Frame
from test.drawn.batch_engine import DrawnBatchEngine
from test.drawn.painted_engine import PaintedEngine, street

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


def late(frame: Frame, back_ms: int) -> Frame:
    return replace(frame, stamp_ns=frame.stamp_ns - back_ms * 1_000_000)


def test_late_frames_are_refused_unseen_and_ids_stay(turns: list[Turn]) -> None:
    frames = [turn[0][1] for turn in turns]
    steady, disturbed = Pipeline(DrawnEngine(SIZE)), Pipeline(DrawnEngine(SIZE))
    state = disturbed.new_state()
    assert len(frames) > 5
    for number, frame in enumerate(frames):
        expected = steady.step(frame).track_ids()
        np.testing.assert_array_equal(disturbed.step(frame, state).track_ids(), expected)
        for back_ms in (5, 120) if number % 2 else ():
            with pytest.raises(LateFrameError):
                disturbed.step(late(frame, back_ms), state)


def test_without_a_state_a_late_frame_gives_the_newest_result_once_more(
    turns: list[Turn],
) -> None:
    pipeline, (first, second) = Pipeline(DrawnEngine(SIZE)), (turn[0][1] for turn in turns[:2])
    newest = pipeline.step(first)
    assert pipeline.step(late(second, 500)) is newest
    assert newest.frame is first
    assert pipeline.step(second).frame is second


def test_a_late_frame_asks_no_engine_and_costs_the_others_nothing(turns: list[Turn]) -> None:
    engine = DrawnBatchEngine(SIZE, 3)
    pipeline = Pipeline(engine)
    states = {name: pipeline.new_state() for name in CAMERAS}
    pipeline.step_batch([(frame, states[name]) for name, frame in turns[1]])
    (front, old), (left, second), (right, third) = turns[1]
    batch = [(late(old, 5), states[front]), (second, states[left]), (third, states[right])]
    results = pipeline.step_batch(batch)
    assert [type(one) for one in results] == [LateFrameError, Result, Result]
    assert engine.counts == [3, 2]


def test_two_frames_of_one_camera_in_a_batch_are_taken_in_turn(turns: list[Turn]) -> None:
    first, second = turns[0][0][1], turns[1][0][1]
    pipeline = Pipeline(DrawnBatchEngine(SIZE, 3))
    state = pipeline.new_state()
    results = pipeline.step_batch([(first, state), (second, state), (first, state)])
    assert [type(one) for one in results] == [Result, Result, LateFrameError]
    alone = Pipeline(DrawnEngine(SIZE))
    for frame, result in zip((first, second), results, strict=False):
        np.testing.assert_array_equal(maps(result)[1], alone.step(frame).track_ids())


@pytest.mark.parametrize(
    ("name", "value", "looks_as_before"),
    [
        ("drivable.min_confidence", 0.9, lambda result: bool(result.drivable.mask.any())),
        ("decode.object_threshold", 1.0, lambda result: len(result.tracks) == 1),
    ],
)
def test_other_thresholds_count_from_the_next_frame_of_cameras_known_already(
    name: str, value: float, looks_as_before: Callable[[Result], bool]
) -> None:
    pipeline = Pipeline(PaintedEngine())
    state, usual = pipeline.new_state(), pipeline.config
    seen = []
    for number, config in enumerate((usual, with_value(usual, name, value), usual), start=1):
        pipeline.configure(config)
        seen.append(looks_as_before(pipeline.step(Frame(street(), number * 40_000_000), state)))
    assert seen == [True, False, True]


@pytest.mark.parametrize(("lost_after_s", "number"), [(1.0, 1), (0.0, 2)])
def test_how_long_an_object_may_be_lost_counts_for_cameras_known_already(
    lost_after_s: float, number: int
) -> None:
    pipeline = Pipeline(PaintedEngine())
    state = pipeline.new_state()
    pipeline.step(Frame(street(), 10**9), state)
    pipeline.step(Frame(street(car_x=64), 10**9 + 40_000_000), state)
    pipeline.configure(with_value(pipeline.config, "tracking.lost_after_s", lost_after_s))
    result = pipeline.step(Frame(street(), 10**9 + 80_000_000), state)
    assert [track.id for track in result.tracks] == [number]


class SaidMotion:
    """Says the same of every frame."""

    def __init__(self, motion: CameraMotion) -> None:
        self._motion = motion

    def update(self, *given: object) -> CameraMotion:
        return self._motion


@pytest.mark.parametrize(("is_cut", "numbers"), [(False, [1, 1]), (True, [1, 2])])
def test_after_a_cut_an_object_at_the_same_place_is_another(
    is_cut: bool, numbers: list[int]
) -> None:
    pipeline = Pipeline(PaintedEngine())
    state: Any = pipeline.new_state()
    state.ego_motion = SaidMotion(CameraMotion(is_cut=is_cut))
    seen = [pipeline.step(Frame(street(), 10**9 + n), state).tracks[0].id for n in range(2)]
    assert seen == numbers


def test_a_state_is_configured_before_the_first_frame_that_it_judges() -> None:
    pipeline = Pipeline(PaintedEngine())
    state = pipeline.new_state()
    pipeline.step(Frame(street(), 10**9), state)
    pipeline.configure(with_value(pipeline.config, "tracking.max_late_s", 0.0))
    result = pipeline.step(Frame(street(), 10**9 - 1), state)
    assert [track.id for track in result.tracks] == [2]


def test_thresholds_that_do_not_fit_the_model_change_nothing() -> None:
    pipeline = Pipeline(PaintedEngine())
    before = pipeline.config
    with pytest.raises(ConfigError, match="lawn"):
        pipeline.configure(with_value(before, "drivable.optional_classes", ("lawn=0.5",)))
    assert pipeline.config is before


def test_a_state_that_is_reset_gives_other_ids(turns: list[Turn]) -> None:
    pipeline = Pipeline(DrawnEngine(SIZE))
    state = pipeline.new_state()
    first = pipeline.step(turns[0][0][1], state)
    state.reset()
    again = [pipeline.step(turn[0][1], state) for turn in turns[1:3]]
    known = {track.id for track in first.tracks}
    assert known
    assert not known & {track.id for track in again[0].tracks}
    assert {track.id for track in again[0].tracks} & {track.id for track in again[1].tracks}


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
            exchanged.swap_engine(DrawnBatchEngine(SIZE, 2))
        expected = steady.step(turn[0][1]).track_ids()
        np.testing.assert_array_equal(exchanged.step(turn[0][1]).track_ids(), expected)


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_a_camera_twice_in_a_batch_gets_what_two_steps_give(batch: int) -> None:
    frames = [frame for frame, _ in DrawnStreet(seconds=0.2, size=SIZE)][:3]
    together, alone = Pipeline(DrawnBatchEngine(SIZE, batch)), Pipeline(DrawnEngine(SIZE))
    state, own = together.new_state(), alone.new_state()
    results = together.step_batch([(frame, state) for frame in frames])
    for result, frame in zip(results, frames, strict=True):
        assert isinstance(result, Result)
        expected = alone.step(frame, own)
        assert np.array_equal(result.instance_ids(), expected.instance_ids())
        assert np.array_equal(result.drivable.mask, expected.drivable.mask)


class ReusingEngine(DrawnEngine):
    """Answers in the same memory each time, as runtimes with bound outputs do."""

    def infer(self, image: NDArray[np.uint8]) -> CenterOffsetHeads:
        heads = super().infer(image)
        assert isinstance(heads, CenterOffsetHeads)
        kept: CenterOffsetHeads = self.__dict__.setdefault("kept", heads)
        for name in ("labels", "confidence", "centers", "offsets"):
            np.copyto(getattr(kept, name), getattr(heads, name))
        return kept


def arrays_of(result: Result) -> list[NDArray[Any]]:
    values = [*vars(result.panoptic).values(), *vars(result.drivable).values()]
    return [value for value in values if isinstance(value, np.ndarray)]


def test_a_result_does_not_change_while_the_next_frames_are_computed(turns: list[Turn]) -> None:
    pipeline = Pipeline(ReusingEngine(SIZE))
    state = pipeline.new_state()
    arrays = arrays_of(pipeline.step(turns[0][0][1], state))
    assert len(arrays) >= 8
    kept = [array.copy() for array in arrays]
    for turn in turns[1:]:
        pipeline.step(turn[0][1], state)
    for array, before in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (EMPTY.image, r"ndarray is no Frame; needs Frame\(rgb, stamp_ns=0\)"),
        (Frame(EMPTY.image, 0.5), "stamp_ns is 0.5, needs whole nanoseconds"),  # type: ignore[arg-type]
    ],
    ids=["an image", "seconds"],
)
def test_what_is_no_frame_of_nanoseconds_is_refused(frame: Any, words: str) -> None:
    pipeline = Pipeline(DrawnEngine())
    with pytest.raises(FrameError, match=words):
        pipeline.step(frame)
    (refused,) = pipeline.step_batch([(frame, pipeline.new_state())])
    assert isinstance(refused, FrameError)


def test_what_is_no_state_of_a_camera_is_refused() -> None:
    pipeline = Pipeline(DrawnEngine())
    words = r"str is no StreamState; pipeline.new_state\(\) makes one"
    with pytest.raises(ConfigError, match=words):
        pipeline.step(EMPTY, "left")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=words):
        pipeline.step_batch([(EMPTY, "left")])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match=r"takes \(frame, state\) of each camera, found Frame"):
        pipeline.step_batch([EMPTY])  # type: ignore[list-item]


@pytest.mark.parametrize("kind", [np.uint64, np.int64, np.uint32])
def test_stamps_out_of_an_array_are_stamps(kind: type[np.integer[Any]]) -> None:
    """Differences of unsigned numbers wrap around where time goes back."""
    seen = [frame for frame, _ in DrawnStreet(seconds=1.0, size=SIZE)]
    told, plain = Pipeline(DrawnEngine(SIZE)), Pipeline(DrawnEngine(SIZE))
    state = told.new_state()
    for number, frame in enumerate(seen[:10] + seen[:2]):
        stamp_ns = (number % 10) * 100_000_000
        found = told.step(replace(frame, stamp_ns=kind(stamp_ns)), state)
        expected = plain.step(replace(frame, stamp_ns=stamp_ns))
        np.testing.assert_array_equal(found.track_ids(), expected.track_ids())
        assert type(found.frame.stamp_ns) is int
        if number == 10:
            assert state.continuity.arrival is Arrival.JUMP_BACK


def test_the_name_of_an_engine_is_no_engine() -> None:
    with pytest.raises(ConfigError, match=r"Pipeline\(open_engine\('street_fast'\)\)"):
        Pipeline("street_fast")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"decode.center_threshold": 0.2},
            "dict is no PipelineConfig; with_value changes",
        ),
        (
            PipelineConfig(decode=DecodeConfig(center_threshold="0.2")),  # type: ignore[arg-type]
            "decode.center_threshold is '0.2', needs a number",
        ),
        (PipelineConfig(tracking={}), r"tracking\.\w+ has no value"),  # type: ignore[arg-type]
    ],
    ids=["a dictionary", "a word for a number", "a dictionary inside"],
)
def test_what_is_no_config_is_refused_and_changes_nothing(config: Any, words: str) -> None:
    pipeline = Pipeline(DrawnEngine())
    before = pipeline.config
    with pytest.raises(ConfigError, match=words):
        pipeline.configure(config)
    assert pipeline.config is before
    with pytest.raises(ConfigError, match=words):
        Pipeline(DrawnEngine(), config)


@pytest.mark.parametrize(
    ("image", "words"),
    [(EMPTY.image, "x"), (None, "without an image"), (np.zeros(3), "3")],
)
def test_any_frame_can_be_shown(image: Any, words: str) -> None:
    assert words in repr(Frame(image, 0))
