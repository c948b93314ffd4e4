# SPDX-License-Identifier: Apache-2.0
"""The node and its engine: exchanged while images flow, built for, batched, not to be loaded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rclpy.parameter import Parameter

from panoptic_ros.core.engine_config import EngineConfig
from panoptic_ros.core.errors import EngineRunError
from panoptic_ros.core.types import Heads
from panoptic_ros.engine.cuda import Cuda
from panoptic_ros.engine.ort import OrtEngine
from panoptic_ros.engine.trt import TrtEngine
from panoptic_ros.ros import node as node_module
from panoptic_ros.ros.engine_loader import EngineFactory
from panoptic_ros.ros.node import PanopticNode
from test.drawn.drawn_camera import Camera, ids, state, value, words
from test.drawn.drawn_gpu import DrawnCuda, DrawnTensorRT
from test.drawn.drawn_loader import DrawnMachine, HeldBuild, NamedEngine
from test.drawn.graph import Bench, image
from test.drawn.plans import manifest
from test.drawn.tiny_model import spec

pytestmark = pytest.mark.ros

DIAGNOSTICS = "diagnostic_msgs/msg/DiagnosticArray"
ENGINE = "panoptic: engine"
MakeNode = Callable[..., PanopticNode]


class TinyMachine(DrawnMachine):
    """Engines that read the images of ``street_scene``."""

    def open(self, config: EngineConfig, *told: Any, **others: Any) -> NamedEngine:
        named = super().open(replace(config, name="drawn"), *told, **others)
        real = OrtEngine(Path(config.name), 1)
        named.infer = real.infer  # type: ignore[method-assign]
        named._spec, named._input = real.spec, real._input[0]
        return named


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> DrawnMachine:
    made = TinyMachine()
    monkeypatch.setattr(node_module, "_ENGINES", made.factory)
    return made


def test_the_plan_takes_over_between_two_images_and_ids_are_kept(
    make_node: MakeNode, machine: DrawnMachine
) -> None:
    node = make_node()
    bench = Bench(node)
    instances = bench.listen("/panoptic/instance")
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    camera = Camera(bench)
    node.start()
    assert state(node) == "active"
    bench.until(lambda: len(instances) > 2, camera.shoot)
    bench.until(lambda: value(reports, ENGINE, "build_share") == "0.43", camera.shoot)
    expected = (1, "building a plan: tactics, 43%; meanwhile ONNX Runtime")
    assert words(reports, ENGINE) == expected
    assert value(reports, ENGINE, "runtime") == "ONNX Runtime"

    machine.builds[0].finish()
    bench.until(lambda: value(reports, ENGINE, "runtime") == "TensorRT", camera.shoot)
    after = len(instances)
    bench.until(lambda: len(instances) > after + 2, camera.shoot)
    assert words(reports, ENGINE) == (0, "running")
    assert all(ids(message) == {0, 1, 2} for message in instances)
    assert [engine.closed for engine in machine.opened] == [1, 0]
    bench.close()


def test_a_plan_that_comes_while_the_node_rests_runs_when_it_is_active(
    make_node: MakeNode, machine: DrawnMachine
) -> None:
    node = make_node()
    bench = Bench(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    bench.until(lambda: words(reports, ENGINE) == (0, "not configured"))
    node.trigger_configure()
    machine.builds[0].finish()
    bench.until(lambda: len(machine.opened) == 2 and words(reports, ENGINE) == (0, "ready"))
    node.trigger_activate()
    assert node.engine is machine.opened[1]
    labels = bench.listen("/panoptic/label")
    bench.until(lambda: labels, Camera(bench).shoot)
    bench.close()


def test_a_refused_plan_is_a_warning_with_the_reason_and_the_fallback_works_on(
    make_node: MakeNode, machine: DrawnMachine
) -> None:
    node = make_node()
    bench = Bench(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    labels = bench.listen("/panoptic/label")
    node.start()
    machine.builds[0].finish("it differs from ONNX Runtime: label_agreement 0.5")
    bench.until(lambda: "label_agreement 0.5" in words(reports, ENGINE)[1])
    assert words(reports, ENGINE)[0] == 1
    bench.until(lambda: labels, Camera(bench).shoot)
    assert node.failure is None
    bench.close()


def test_without_fallback_the_node_answers_while_it_waits_and_starts_by_itself(
    make_node: MakeNode, machine: DrawnMachine, capfd: pytest.CaptureFixture[str]
) -> None:
    node = make_node(engine_fallback="none")
    bench = Bench(node)
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    node.start()
    assert state(node) == "unconfigured"
    assert "That plan is being built" in capfd.readouterr().err
    bench.until(lambda: words(reports, ENGINE) == (1, "building a plan: tactics, 43%"))
    machine.builds[0].finish()
    bench.until(lambda: state(node) == "active")
    bench.close()


def test_a_plan_in_work_does_not_start_a_node_that_works_with_another_engine(
    make_node: MakeNode, machine: DrawnMachine, capfd: pytest.CaptureFixture[str]
) -> None:
    node = make_node(engine_fallback="none")
    bench = Bench(node)
    node.start()
    wishes = {"engine_fallback": "onnxruntime", "engine_rebuild": False}
    node.set_parameters([Parameter(name, value=value) for name, value in wishes.items()])
    node.start()
    assert state(node) == "active"
    machine.builds[0].finish()
    bench.until(lambda: node._loader.progress is None)
    bench.spin(1.2)
    assert "Unable to start transition" not in capfd.readouterr().err
    assert state(node) == "active"
    bench.close()


def test_a_node_that_nobody_started_does_not_start_itself(
    make_node: MakeNode, machine: DrawnMachine
) -> None:
    node = make_node(engine_fallback="none")
    bench = Bench(node)
    assert node.trigger_configure().name == "FAILURE"
    machine.builds[0].finish()
    bench.until(lambda: node._loader.progress is None)
    bench.spin(1.2)
    assert state(node) == "unconfigured"
    assert node.trigger_configure().name == "SUCCESS"
    bench.close()


def test_cleaning_up_ends_the_build(make_node: MakeNode, machine: DrawnMachine) -> None:
    node = make_node()
    node.trigger_configure()
    node.trigger_cleanup()
    assert machine.builds[0].error == "it was cancelled"
    assert [engine.closed for engine in machine.opened] == [1]


def test_a_node_does_not_wait_for_ever_for_an_engine_that_hangs(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_module, "_PATIENCE_S", 0.3)
    node = make_node()
    bench = Bench(node)
    node.start()
    engine, begun, release = node.engine, threading.Event(), threading.Event()
    assert engine is not None
    infer = engine.infer

    def hang(image: Any) -> Heads:
        begun.set()
        release.wait(60)
        return infer(image)

    monkeypatch.setattr(engine, "infer", hang)
    bench.until(begun.is_set, Camera(bench).shoot)
    node.close()
    assert node.has_lost_engine
    assert isinstance(node.failure, EngineRunError)
    assert node.engine is None
    release.set()
    bench.close()
    engine.close()


class BusyEngine(TrtEngine):
    """A batch of two on a drawn GPU that takes its time, so that both cameras wait for it."""

    def __init__(self) -> None:
        self.counts: list[int] = []
        super().__init__(
            b"",
            manifest(metadata=spec().to_metadata()),
            "tiny.plan",
            graph=False,
            cuda=Cuda(driver=DrawnCuda()),
            variant=DrawnTensorRT(batch=2).as_variant(),
        )

    def infer_batch(self, count: int) -> list[Heads]:
        self.counts.append(count)
        time.sleep(0.1)
        return super().infer_batch(count)


def test_two_cameras_share_one_inference_of_a_batched_plan(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = BusyEngine()
    factory = EngineFactory(
        lambda *_, **__: engine, lambda *_: None, lambda _: HeldBuild(TinyMachine())
    )
    monkeypatch.setattr(node_module, "_ENGINES", factory)
    node = make_node(cameras=["front", "rear"])
    bench = Bench(node)
    heard = {name: bench.listen(f"/panoptic/{name}/label") for name in ("front", "rear")}
    reports = bench.listen("/diagnostics", DIAGNOSTICS)
    cameras = {name: Camera(bench, f"/{name}/image") for name in heard}
    node.start()
    images = {"front": flat(0), "rear": flat(1)}

    def shoot() -> None:
        for name, camera in cameras.items():
            camera.shoot(image(images[name], 0))

    bench.until(lambda: engine.counts.count(2) > 2 and all(heard.values()), shoot)
    for name, label in (("front", 0), ("rear", 1)):
        assert all(set(message.data) == {label} for message in heard[name])
    bench.until(lambda: value(reports, ENGINE, "batch") == "2")
    assert value(reports, ENGINE, "runtime") == "TensorRT 10.3.0"
    assert engine.memory_bytes > 0
    assert value(reports, ENGINE, "gpu_memory_mb") == f"{engine.memory_bytes / 1e6:.1f}"
    bench.close()


def flat(label: int) -> Any:
    """An image of one class everywhere, sure of itself, without objects."""
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = label, 230
    return pixels


@pytest.mark.rtx
@pytest.mark.parametrize("fallback", ["onnxruntime", "none"])
def test_a_real_plan_without_a_gpu_is_explained(
    fallback: str,
    make_node: MakeNode,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from panoptic_ros.engine import device
    from panoptic_ros.engine.building.compile import build_environment, make_plan
    from panoptic_ros.engine.building.recipe import Recipe
    from panoptic_ros.engine.models import shipped_models

    model = shipped_models().get("street_fast")
    if model is None:
        pytest.skip("no model is installed")
    recipe, plan = Recipe(model, variant="tensorrt_rtx"), tmp_path / "robot.plan"
    make_plan(recipe, plan, build_environment(recipe))
    monkeypatch.setattr(device, "LIBRARY", "libnowhere.so.1")
    node = make_node(engine=str(plan), engine_fallback=fallback)
    node.start()
    said = capfd.readouterr().err
    assert "there is no NVIDIA driver here (libnowhere.so.1 is not found)" in said
    assert node.failure is None
    if fallback == "none":
        assert state(node) == "unconfigured"
        return
    assert "street_fast.onnx is at hand" in said
    bench = Bench(node)
    labels = bench.listen("/panoptic/label")
    bench.until(lambda: labels, Camera(bench).shoot)
    bench.close()
