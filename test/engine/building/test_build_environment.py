# SPDX-License-Identifier: Apache-2.0
"""What is built with what: the chosen GPU, what can be compared, times measured before."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine import cuda
from panoptic_ros.engine.building import compile as compiling
from panoptic_ros.engine.building import parity
from panoptic_ros.engine.building.build import _use_timing_cache
from panoptic_ros.engine.building.compile import BuildEnvironment, build_environment
from panoptic_ros.engine.building.recipe import Recipe
from panoptic_ros.engine.cuda import Cuda
from panoptic_ros.engine.device import Gpu
from panoptic_ros.engine.variant import TensorRtVariant
from test.drawn.drawn_gpu import DrawnCuda, DrawnTensorRT

ADA = Gpu("RTX 4090", "8.9", "12.6", False)
HERE = BuildEnvironment(DrawnTensorRT().as_variant(), ADA)


class TwoGpus(DrawnCuda):
    """Two GPUs; notes which of them was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def Device(self, index: int) -> Any:  # noqa: N802
        self.asked.append(index)
        return self


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> TwoGpus:
    driver = TwoGpus()
    monkeypatch.setattr(cuda, "Cuda", lambda index: Cuda(index, driver))
    return driver


@pytest.mark.parametrize(("device", "asked"), [(0, []), (1, [1])])
def test_the_chosen_gpu_is_current_while_a_plan_is_built(
    device: int, asked: list[int], driver: TwoGpus
) -> None:
    with BuildEnvironment(HERE.variant, ADA, device).current():
        assert driver.asked == asked
        assert driver.depth == len(asked)
    assert driver.depth == 0
    assert driver.detached == len(asked)


def test_the_workplace_is_that_of_the_chosen_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "load_variant", lambda name: HERE.variant)
    monkeypatch.setattr(compiling, "find_gpu", lambda: None)
    monkeypatch.setattr(compiling, "read_gpu", lambda device: Gpu(f"{device}", "8.9", "12", False))
    assert build_environment(Recipe(Path("x.onnx"))).gpu is None
    assert build_environment(Recipe(Path("x.onnx")), 2) == BuildEnvironment(
        HERE.variant, Gpu("2", "8.9", "12", False), 2
    )


@pytest.mark.parametrize(
    ("targets", "runs"), [((), True), (("8.6", "8.9"), True), (("8.6", "12.0"), False)]
)
def test_a_plan_for_other_gpus_cannot_be_compared_here(
    targets: tuple[str, ...], runs: bool
) -> None:
    recipe = Recipe(Path("x.onnx"), targets=targets)
    assert HERE.runs(recipe) is runs
    assert not BuildEnvironment(HERE.variant, None).runs(recipe)


def test_a_gpu_that_cannot_be_used_is_found_before_the_build(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(index: int) -> Cuda:
        raise ModelError("TensorRT engines need pycuda")

    monkeypatch.setattr(cuda, "Cuda", missing)
    with pytest.raises(ModelError, match="need pycuda"):
        parity.comparison(Path("x.onnx"), 0)
    parity.comparison(Path("x.onnx"), None)


class DrawnConfig:
    """A builder's configuration that takes times of its own GPU only."""

    def __init__(self) -> None:
        self.cache: Any = None

    def create_timing_cache(self, content: bytes) -> Any:
        if content == b"damaged":
            return None
        return SimpleNamespace(content=content, serialize=lambda: content + b"+")

    def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:
        assert not ignore_mismatch
        if cache.content == b"of another":
            return False
        self.cache = cache
        return True

    def get_timing_cache(self) -> Any:
        return self.cache


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"times", b"times+"), (None, b"+"), (b"damaged", b"+"), (b"of another", b"+")],
    ids=["fits", "none", "damaged", "of another GPU"],
)
def test_times_that_were_measured_are_used_and_kept(
    before: bytes | None, after: bytes, tmp_path: Path
) -> None:
    path, config = tmp_path / "x.timing", DrawnConfig()
    if before is not None:
        path.write_bytes(before)
    _use_timing_cache(TensorRtVariant("tensorrt", "10.3.0", None), config, path)()
    assert path.read_bytes() == after


def test_a_builder_that_has_no_times_loses_no_plan(tmp_path: Path) -> None:
    class Without(DrawnConfig):
        def get_timing_cache(self) -> Any:
            return None

    _use_timing_cache(
        TensorRtVariant("tensorrt", "10.3.0", None), Without(), tmp_path / "x.timing"
    )()
    assert not list(tmp_path.iterdir())
