# SPDX-License-Identifier: Apache-2.0
"""The order of calls, addresses, copies and ownership, on a GPU made of NumPy.

Whether a real GPU does the same is tested in ``test/gpu``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.errors import EngineRunError, ModelError, StaleEngineError
from panoptic_ros.core.model import is_offloaded, runtime_words
from panoptic_ros.engine.cuda import Cuda, Graph
from panoptic_ros.engine.trt import TrtEngine
from test.drawn.drawn_gpu import DrawnCuda, DrawnGraphs, DrawnTensorRT
from test.drawn.plans import key, manifest
from test.drawn.tiny_model import spec

ABOUT = manifest(metadata=spec().to_metadata())


def opened(trt: DrawnTensorRT, driver: DrawnCuda, **options: Any) -> TrtEngine:
    choices = {"graph": False, "warmup": 1, "variant": trt.as_variant(), **options}
    library = choices.pop("library", DrawnGraphs())
    cuda = Cuda(driver=driver, library=library)
    return TrtEngine(b"plan", ABOUT, "tiny.plan", cuda=cuda, **choices)


@pytest.fixture(params=[False, True], ids=["discrete", "integrated"])
def driver(request: pytest.FixtureRequest) -> DrawnCuda:
    return DrawnCuda(integrated=request.param)


@pytest.fixture
def engine(driver: DrawnCuda) -> Iterator[TrtEngine]:
    with opened(DrawnTensorRT(), driver) as built:
        assert isinstance(built, TrtEngine)
        yield built


def given(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (4, 8, 3), np.uint8)


def test_heads_are_what_the_plan_computes(engine: TrtEngine) -> None:
    for seed in range(3):
        image = given(seed)
        heads = engine.infer(image)
        assert isinstance(heads, CenterOffsetHeads)
        assert (heads.labels == image[..., 0]).all()
        assert (heads.confidence == image[..., 1]).all()
        assert (heads.centers == image[..., 2]).all()
        assert heads.offsets.shape == (2, 4, 8)


def test_an_image_in_the_engines_own_buffer_is_not_copied(engine: TrtEngine) -> None:
    engine.input[:] = 9
    heads = engine.infer(engine.input)
    assert isinstance(heads, CenterOffsetHeads)
    assert (heads.labels == 9).all()


@pytest.mark.parametrize(
    "part", [np.s_[::-1], np.s_[:, ::-1], np.s_[..., ::-1]], ids=["upside down", "left", "bgr"]
)
def test_the_engines_own_buffer_mirrored_is_another_image(engine: TrtEngine, part: Any) -> None:
    engine.input[:] = given()
    heads = engine.infer(engine.input[part])
    assert isinstance(heads, CenterOffsetHeads)
    assert (heads.labels == given()[part][..., 0]).all()
    assert (heads.confidence == given()[part][..., 1]).all()


def test_heads_are_views_of_the_same_buffers(engine: TrtEngine) -> None:
    first, second = engine.infer(given(1)), engine.infer(given(2))
    assert isinstance(first, CenterOffsetHeads)
    assert isinstance(second, CenterOffsetHeads)
    assert np.shares_memory(first.labels, second.labels)


def test_integrated_gpus_copy_nothing(driver: DrawnCuda, engine: TrtEngine) -> None:
    driver.copies.clear()
    engine.infer(given())
    wanted = [] if driver.integrated else ["up", "down", "down", "down", "down"]
    assert driver.copies == wanted


def test_no_memory_is_allocated_for_a_frame(driver: DrawnCuda, engine: TrtEngine) -> None:
    before = len(driver.allocated)
    for seed in range(5):
        engine.infer(given(seed))
    assert len(driver.allocated) == before == (0 if driver.integrated else 5)


def test_a_batch_gives_each_image_its_heads(driver: DrawnCuda) -> None:
    with opened(DrawnTensorRT(batch=3), driver) as engine:
        assert isinstance(engine, TrtEngine)
        assert engine.batch == 3
        for number in range(3):
            engine.inputs[number] = number + 1
        seen = engine.infer_batch(2)
        assert [int(heads.labels.max()) for heads in seen] == [1, 2]


def test_closing_frees_everything_once(driver: DrawnCuda) -> None:
    engine = opened(DrawnTensorRT(), driver)
    engine.close()
    engine.close()
    assert driver.detached == 1
    assert driver.depth == 0
    assert all(memory.freed for memory in [*driver.allocated, *driver.pages])
    with pytest.raises(EngineRunError, match="the engine is closed"):
        engine.infer_batch(1)


def test_a_plan_that_tensorrt_refuses_frees_the_gpu(driver: DrawnCuda) -> None:
    with pytest.raises(ModelError, match=r"tiny\.plan: .*not compatible.*--rebuild"):
        opened(DrawnTensorRT(loads=False), driver)
    assert (driver.detached, driver.depth) == (1, 0)


def test_a_plan_of_another_version_is_stale(driver: DrawnCuda) -> None:
    words = r"built with tensorrt 10.3.0, here is tensorrt 10.13.0; run: panoptic build street"
    with pytest.raises(StaleEngineError, match=words):
        opened(DrawnTensorRT(), driver, variant=DrawnTensorRT().as_variant("10.13.0"))


def test_a_failing_network_says_tensorrts_reason(driver: DrawnCuda) -> None:
    trt = DrawnTensorRT()
    engine = opened(trt, driver)
    trt.runs = False
    with pytest.raises(EngineRunError, match="TensorRT failed: Cask failure"):
        engine.infer(given())
    engine.close()


def test_a_failing_gpu_says_cudas_reason(driver: DrawnCuda, engine: TrtEngine) -> None:
    driver.failing = True
    with pytest.raises(EngineRunError, match="illegal memory access; restart the process"):
        engine.infer(given())
    assert driver.depth == 0


def test_a_dead_context_is_told_with_cudas_name_and_closes_in_silence(driver: DrawnCuda) -> None:
    library = DrawnGraphs()
    engine = opened(DrawnTensorRT(), driver, library=library)
    driver.dead, library.failing, library.status = True, "cuCtxSynchronize", 700
    words = r"illegal memory access \(CUDA_ERROR_ILLEGAL_ADDRESS\); restart the process"
    for _ in range(2):
        with pytest.raises(EngineRunError, match=words):
            engine.infer(given())
    engine.close()
    engine.close()
    assert driver.depth == 0
    with pytest.raises(EngineRunError, match="the engine is closed"):
        engine.infer_batch(1)


@pytest.mark.parametrize("failing", ["memory", "warm-up", "address"])
def test_what_fails_while_it_opens_is_no_reason_to_end_the_process(failing: str) -> None:
    driver, trt = DrawnCuda(), DrawnTensorRT()
    words = {"memory": "out of memory", "warm-up": "Cask failure", "address": "memory of centers"}
    if failing == "memory":
        driver.room = 50
    elif failing == "address":
        trt.refused = "centers"
    trt.runs = failing != "warm-up"
    with pytest.raises(ModelError, match=rf"^tiny\.plan: .*{words[failing]}"):
        opened(trt, driver)
    assert (driver.detached, driver.depth) == (1, 0)
    assert all(memory.freed for memory in driver.allocated)


def test_the_recorded_work_gives_the_same_heads(driver: DrawnCuda) -> None:
    library, trt = DrawnGraphs(), DrawnTensorRT()
    with opened(trt, driver, library=library, graph=True) as engine:
        assert isinstance(engine, TrtEngine)
        assert "CUDA graph" in engine.description
        library.work = engine._queue
        before = trt.executed
        for seed in range(3):
            heads = engine.infer(given(seed))
            assert isinstance(heads, CenterOffsetHeads)
            assert (heads.labels == given(seed)[..., 0]).all()
        assert library.calls.count("cuGraphLaunch") == trt.executed - before == 3
    assert library.calls[-1] == "cuGraphExecDestroy"


@pytest.mark.parametrize("call", ["cuStreamBeginCapture_v2", "cuGraphInstantiateWithFlags"])
def test_where_work_cannot_be_recorded_it_is_queued(call: str, driver: DrawnCuda) -> None:
    with opened(DrawnTensorRT(), driver, library=DrawnGraphs(call), graph=True) as engine:
        assert isinstance(engine, TrtEngine)
        assert "CUDA graph" not in engine.description
        heads = engine.infer(given())
        assert isinstance(heads, CenterOffsetHeads)
        assert (heads.labels == given()[..., 0]).all()


@pytest.mark.parametrize("image", [np.zeros((4, 8, 4), np.uint8), np.zeros((4, 8, 3), np.int8)])
def test_an_image_of_another_kind_is_refused(image: Any, engine: TrtEngine) -> None:
    with pytest.raises(EngineRunError, match=r"needs uint8 \(4, 8, 3\)"):
        engine.infer(image)


def test_a_gpu_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match=r"GPU 1 cannot be used .*invalid device ordinal"):
        Cuda(1, DrawnCuda())


def test_the_description_says_where_it_runs(engine: TrtEngine) -> None:
    assert engine.description == "tiny 8x4 on TensorRT 10.3.0 (fp16, Drawn)"
    assert runtime_words(engine) == "TensorRT 10.3.0, Drawn, fp16"
    assert is_offloaded(engine)
    assert engine.spec == spec()


def test_another_precision_is_told(driver: DrawnCuda) -> None:
    about = manifest(key=key(precision="int8"), metadata=spec().to_metadata())
    trt = DrawnTensorRT()
    cuda = Cuda(driver=driver)
    engine = TrtEngine(b"", about, "x", graph=False, warmup=1, cuda=cuda, variant=trt.as_variant())
    assert "(int8, Drawn)" in engine.description
    engine.close()


def test_a_graph_is_recorded_once_and_launched() -> None:
    library, queued = DrawnGraphs(), []
    graph = Graph(77, lambda: queued.append(1), library)
    assert queued == [1]
    graph.launch()
    graph.close()
    graph.close()
    assert queued == [1]
    assert library.calls == [
        "cuStreamBeginCapture_v2",
        "cuStreamEndCapture",
        "cuGraphInstantiateWithFlags",
        "cuGraphDestroy",
        "cuGraphLaunch",
        "cuGraphExecDestroy",
    ]


@pytest.mark.parametrize(
    "call", ["cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuGraphInstantiateWithFlags"]
)
def test_a_graph_that_cannot_be_recorded_says_cudas_name(call: str) -> None:
    with pytest.raises(EngineRunError, match=f"{call} answered CUDA_ERROR_STREAM_CAPTURE"):
        Graph(77, lambda: None, DrawnGraphs(call))
