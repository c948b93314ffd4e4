# SPDX-License-Identifier: Apache-2.0
"""The checks that ``make test-gpu`` makes, rehearsed on the GPU made of NumPy.

Each passes for an engine that works and fails for one with the fault that it is there to find.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.types import Frame
from panoptic_ros.engine.cuda import Cuda
from panoptic_ros.engine.trt import TrtEngine
from test.drawn.drawn_gpu import DrawnCuda, DrawnGraphs, DrawnTensorRT
from test.drawn.plans import manifest
from test.drawn.tiny_model import spec
from test.gpu import checks, killed_context, latency

ABOUT = manifest(metadata=spec().to_metadata(), plan_bytes=2_000_000)


class Still(DrawnTensorRT):
    """A TensorRT whose answer depends on the image alone, as it should."""

    def execute_async_v3(self, stream_handle: int) -> bool:
        done = super().execute_async_v3(stream_handle)
        self._at("offsets")[:] = 0
        return done


def opened(
    graph: bool = False,
    batch: int = 1,
    trt: DrawnTensorRT | None = None,
    driver: DrawnCuda | None = None,
    library: DrawnGraphs | None = None,
) -> TrtEngine:
    graphs = library or DrawnGraphs()
    trt = trt or Still(batch)
    engine = TrtEngine(
        b"plan",
        ABOUT,
        "tiny.plan",
        graph=graph,
        warmup=1,
        cuda=Cuda(driver=driver or DrawnCuda(), library=graphs),
        variant=trt.as_variant(),
    )
    # What was recorded; a drawn recording that does nothing is given as ``library``.
    graphs.work = engine._queue if library is None else None
    return engine


def images(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [rng.integers(0, 2, (4, 8, 3), np.uint8) for _ in range(count)]


def test_a_graph_that_does_the_work_passes() -> None:
    checks.check_graph_changes_nothing(opened, images(3))


def test_a_graph_that_does_nothing_is_found() -> None:
    with pytest.raises(AssertionError):
        checks.check_graph_changes_nothing(
            lambda graph: opened(graph, library=DrawnGraphs()), images(3)
        )


class Leaking(DrawnCuda):
    """A GPU on which every frame leaves 256 bytes behind."""

    left = 0

    def _synchronize(self) -> None:
        super()._synchronize()
        self.left += 256

    def mem_get_info(self) -> tuple[int, int]:
        free, total = super().mem_get_info()
        return free - self.left, total


def test_memory_that_stays_passes_and_a_leak_is_found() -> None:
    with opened() as engine:
        checks.check_memory_stays(engine, 200)
    with opened(driver=Leaking()) as engine, pytest.raises(AssertionError):
        checks.check_memory_stays(engine, 10_000)


class Mixing(Still):
    """A TensorRT that answers for the first image at every place of a batch."""

    def execute_async_v3(self, stream_handle: int) -> bool:
        done = super().execute_async_v3(stream_handle)
        self._at("labels")[:] = self._at("labels")[0]
        return done


@pytest.mark.parametrize("check", [checks.check_batch, checks.check_cameras])
def test_a_batch_that_is_mixed_up_is_found(check: Callable[[Any, Any], None]) -> None:
    with opened(batch=3) as engine:
        check(engine, images(3))
    with opened(trt=Mixing(3)) as engine, pytest.raises(AssertionError):
        check(engine, images(3))


def test_two_engines_that_share_memory_are_found() -> None:
    checks.check_two_engines(opened, images(2))
    # It keeps one address for each tensor, those that the last engine gave.
    shared = Still()
    with pytest.raises(AssertionError):
        checks.check_two_engines(lambda graph: opened(trt=shared), images(2))


def test_a_failed_kernel_is_told_with_cudas_name() -> None:
    driver, library = DrawnCuda(), DrawnGraphs()
    engine = opened(driver=driver, library=library)

    def fault() -> None:
        driver.dead, library.failing, library.status = True, "cuCtxSynchronize", 700

    words = killed_context.run(engine, fault)
    assert words.startswith("CUDA failed: ")
    assert "(CUDA_ERROR_ILLEGAL_ADDRESS); restart the process" in words
    assert killed_context.run(opened(), lambda: None) == ""


@pytest.mark.parametrize("batch", [1, 2])
def test_the_table_has_a_row_for_each_engine(batch: int, tmp_path: Path) -> None:
    frames = [Frame(image, 0, "camera") for image in images(2)]
    with opened(batch=batch) as engine:
        found = latency.row(engine, ABOUT, frames, 4, warmup=1)
    text = latency.write([found], "Drawn", tmp_path / "out" / "table.json")
    assert text.splitlines()[0] == "Drawn"
    assert "street.onnx fp16, batch 1, no graph" in text
    (row,) = json.loads((tmp_path / "out" / "table.json").read_text())["rows"]
    assert row["stages_ms"]["infer"]["p50"] > 0
    assert row["plan_mb"] == 2.0
    assert bool(row["batch"]) == (batch > 1)
