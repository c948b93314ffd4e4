# SPDX-License-Identifier: Apache-2.0
"""What must hold of a plan that runs; on a GPU, and rehearsed on one made of NumPy.

``test/engine/test_gpu_checks.py`` shows without a GPU that each of them passes for an engine that
works and fails for one that does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import Frame, Heads
from panoptic_ros.engine.trt import TrtEngine

Open = Callable[[bool], TrtEngine]
"""Opens an engine; takes whether to record a CUDA graph."""

Images = Sequence[NDArray[np.uint8]]

LEAK_BYTES = 2 << 20
"""A GPU hands memory out in pieces of 2 MiB; 256 bytes a frame fill one in 10 000 frames."""


def copied(heads: Heads) -> list[NDArray[np.generic]]:
    """Copies of the maps: an engine's next call writes over them."""
    assert isinstance(heads, CenterOffsetHeads)
    parts = (heads.labels, heads.confidence, heads.centers, heads.offsets)
    return [np.array(part) for part in parts]


def assert_same(one: Sequence[NDArray[np.generic]], other: Sequence[NDArray[np.generic]]) -> None:
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)


def check_graph_changes_nothing(open_engine: Open, images: Images) -> None:
    with open_engine(True) as recorded, open_engine(False) as plain:
        assert "CUDA graph" in recorded.description
        assert "CUDA graph" not in plain.description
        for image in images:
            assert_same(copied(recorded.infer(image)), copied(plain.infer(image)))


def check_memory_stays(engine: TrtEngine, frames: int = 10_000) -> None:
    before = _used_after(engine, 100)
    assert _used_after(engine, frames) - before < LEAK_BYTES


def _used_after(engine: TrtEngine, frames: int) -> int:
    for number in range(frames):
        engine.input[0, 0, 0] = number % 2
        engine.infer(engine.input)
    with engine._cuda.current():
        return engine._cuda.used_bytes()


def check_batch(engine: TrtEngine, images: Images) -> None:
    """Each place of a batch answers for its own image, and as every other place would."""
    assert len(images) == engine.batch > 1
    engine.inputs[:] = np.stack(images)
    together = [copied(heads) for heads in engine.infer_batch(engine.batch)]
    engine.inputs[:] = np.stack(images)[::-1]
    turned = [copied(heads) for heads in engine.infer_batch(engine.batch)][::-1]
    for one, other in zip(together, turned, strict=True):
        assert (one[0] == other[0]).mean() > 0.999
    assert any((together[0][0] != other[0]).any() for other in together[1:])


def check_cameras(engine: TrtEngine, images: Images) -> None:
    """Several cameras in one inference get what each of them gets alone."""
    frames = [Frame(one, 0, f"camera{number}") for number, one in enumerate(images)]
    pipeline = Pipeline(engine)
    together = pipeline.step_batch([(frame, pipeline.new_state()) for frame in frames])
    for frame, result in zip(frames, together, strict=True):
        assert isinstance(result, Result)
        assert result.frame is frame
        wanted = pipeline.step(frame, pipeline.new_state())
        assert (result.panoptic.labels == wanted.panoptic.labels).mean() > 0.999


def check_two_engines(open_engine: Open, images: Images) -> None:
    """What one engine does is nothing to another, whoever runs in between or closes."""
    one, other = images
    with open_engine(True) as first:
        wanted = [copied(first.infer(one)), copied(first.infer(other))]
        with open_engine(True) as second:
            assert_same(copied(second.infer(one)), wanted[0])
            assert_same(copied(first.infer(one)), wanted[0])
            assert_same(copied(second.infer(other)), wanted[1])
            assert_same(copied(first.infer(one)), wanted[0])
        assert_same(copied(first.infer(other)), wanted[1])
