# SPDX-License-Identifier: Apache-2.0
"""From what the user wrote to an engine that runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.core.config import check_values
from panoptic_ros.core.engine_config import EngineConfig, ProgressCallback
from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.model import Engine
from panoptic_ros.engine.device import pci_bus_id
from panoptic_ros.engine.models import find_model

if TYPE_CHECKING:
    from panoptic_ros.engine.building.plans import PlanRequest
    from panoptic_ros.engine.building.process import BuildProcess
    from panoptic_ros.engine.storage.manifest import Manifest
    from panoptic_ros.engine.trt import TrtEngine

DRAWN = "drawn"
"""The engine that reads drawn streets back; stands in where there is no model."""


@dataclass(frozen=True)
class _Opening:
    """An engine that is wanted, and who is told of it: what was chosen, how far a build is."""

    config: EngineConfig
    say: Callable[[str], object]
    say_other: Callable[[str], object]
    report: ProgressCallback

    def tell(self, line: str, runs: str) -> None:
        """Say what was chosen, to ``say_other`` as well where it is not what was named.

        Args:
            line: About what was chosen and why.
            runs: The runtime, or the name of the plan where it is the one that was named.
        """
        self.say(line)
        name, runtime = self.config.name, self.config.runtime
        named = name if name.endswith(".plan") else runtime
        if named not in ("auto", runs):
            self.say_other(line)

    def request(self, model: Path) -> PlanRequest:
        from panoptic_ros.engine.building.plans import PlanRequest

        return PlanRequest.of(model, self.config)


def open_engine(
    name: str | Path,
    threads: int = 0,
    *,
    runtime: str = "auto",
    openvino_device: str = "CPU",
    fallback: str = "onnxruntime",
    rebuild: bool = False,
    precision: str = "fp16",
    batch: int = 1,
    device: int = 0,
    warmup: int = 3,
    say: Callable[[str], object] = lambda line: None,
    report: ProgressCallback = lambda phase, share: None,
    say_other: Callable[[str], object] = lambda line: None,
) -> Engine:
    """Open an engine: a ``.plan`` in TensorRT, an ``.onnx`` in TensorRT where a plan fits.

    Args:
        name: Path of an ``.onnx`` or ``.plan`` file, the name of a model that comes with the
            package (``street_fast``, ``street_sharp``), or ``drawn``.
        threads: CPU threads of one inference, 0 for one per core.
        runtime: ``onnxruntime``, ``openvino``, ``tensorrt``, or ``auto`` for TensorRT where a plan
            fits, else whichever of the others is the faster one here.
        openvino_device: ``CPU``, ``GPU``, ``GPU.1``, ``NPU`` or ``AUTO``.
        fallback: ``onnxruntime`` to run there where the others cannot, ``none`` to fail instead.
        rebuild: Whether to build a plan where there is none that fits; that takes minutes.
        precision: Of the plan: ``fp32``, ``fp16`` or ``int8``.
        batch: Images in one inference of the plan.
        device: Number of the GPU as CUDA counts.
        warmup: Inferences of a plan before the first frame.
        say: Takes the one line about what was chosen and why.
        report: Told how far a build is: the phase and the share that is done.
        say_other: Takes that line as well, where a plan or a runtime is named and another runs.

    Raises:
        ConfigError: There is no such fallback or precision.
        ModelError: There is no such model, or it cannot be used; the message says what to do.
        StaleEngineError: The plan is for another GPU, TensorRT or model, and ``fallback`` is
            ``none`` or there is nothing to fall back to.
    """
    config = EngineConfig(
        str(name),
        threads,
        runtime=runtime,
        openvino_device=openvino_device,
        fallback=fallback,
        rebuild=rebuild,
        precision=precision,
        batch=batch,
        device=device,
        warmup=warmup,
    )
    return open_configured(config, say, report, say_other)


def open_configured(
    config: EngineConfig,
    say: Callable[[str], object] = lambda line: None,
    report: ProgressCallback = lambda phase, share: None,
    say_other: Callable[[str], object] = lambda line: None,
) -> Engine:
    """Open the engine that a config asks for, as ``open_engine`` does.

    Args:
        config: Which engine; with ``rebuild`` a missing plan is built here, in this process.
        say: Takes the one line about what was chosen and why.
        report: Told how far a build is: the phase and the share that is done.
        say_other: Takes that line as well, where a plan or a runtime is named and another runs.

    Raises:
        ConfigError: A value is none that the config allows.
        ModelError: There is no such model, or it cannot be used; the message says what to do.
    """
    check_values(config)
    if config.name == DRAWN:
        from panoptic_ros.core.synthetic.engine import DrawnEngine

        return DrawnEngine()
    path, opening = find_model(config.name), _Opening(config, say, say_other, report)
    if path.suffix == ".plan":
        return _open_plan(path, opening)
    if path.suffix != ".onnx":
        found = path.suffix or "none"
        raise ModelError(f"{path}: engines are .onnx and .plan files; found {found}")
    return _open_onnx(path, opening)


def _open_plan(path: Path, opening: _Opening) -> Engine:
    """Run a plan, or the model that it was built from."""
    from panoptic_ros.engine.building.plans import is_openvino

    if is_openvino(path):
        return _open_openvino_plan(path, opening)
    try:
        engine = _load(path, opening)
    except ModelError as error:
        return _open_again(path, error, opening)
    line = f"{engine.description}: the plan fits this machine{_doubt(engine)}"
    opening.tell(line, opening.config.name)
    return engine


def _open_openvino_plan(path: Path, opening: _Opening) -> Engine:
    """Run a plan of OpenVINO, or the model that it was made from in ONNX Runtime.

    Raises:
        ModelError: It cannot run, and ``fallback`` is ``none`` or that model is not at hand.
    """
    from panoptic_ros.engine.building.plans import source_of
    from panoptic_ros.engine.openvino_plan import open_plan

    try:
        engine = open_plan(path, opening.config.threads)
    except ModelError as error:
        source = source_of(path)
        if opening.config.fallback == "none" or source is None:
            raise
        return _run_onnxruntime(source, f"not OpenVINO: {error}", opening)
    opening.tell(f"{engine.description}: the plan fits this machine", opening.config.name)
    return engine


def _open_again(path: Path, error: ModelError, opening: _Opening) -> Engine:
    """Run what may stand for a plan: one in the cache of the very same model, or that model.

    Raises:
        ModelError: Neither is at hand, or only the model and ``fallback`` is ``none``.
    """
    from panoptic_ros.engine.building.plans import find_or_build, source_of
    from panoptic_ros.engine.storage.cache import read_manifest

    config, source = opening.config, source_of(path)
    if source is None:
        raise error
    manifest = read_manifest(path)
    key = manifest.key
    request = replace(opening.request(source), precision=key.precision, batch=key.batch)
    try:
        engine = _load(find_or_build(request, config.rebuild, opening.report), opening)
    except ModelError:
        if config.fallback == "none":
            raise error from None
        return _fall_back(source, f"{error}; {manifest.model} is at hand", opening)
    line = f"{engine.description}: a plan of {manifest.model} fits this machine ({error})"
    opening.tell(line, "tensorrt")
    return engine


def _open_onnx(path: Path, opening: _Opening) -> Engine:
    """Run a model in TensorRT where a plan fits or may be built, else elsewhere."""
    from panoptic_ros.engine.building.plans import find_or_build

    config = opening.config
    if config.runtime == "openvino":
        return _open_openvino(path, opening)
    if config.runtime == "onnxruntime":
        return _run_onnxruntime(path, "as engine_runtime says", opening)
    try:
        plan = find_or_build(opening.request(path), config.rebuild, opening.report)
        engine = _load(plan, opening)
    except ModelError as error:
        if config.fallback == "none":
            raise
        return _fall_back(path, str(error), opening)
    line = f"{engine.description}: a plan of {path.name} fits this machine{_doubt(engine)}"
    opening.tell(line, "tensorrt")
    return engine


def plan_to_build(config: EngineConfig) -> PlanRequest | None:
    """Say which plan of an engine is missing here and can be built.

    Args:
        config: As ``open_configured`` takes it; a ``.plan`` is built anew in its own precision
            and batch.

    Returns:
        What to build, None where a plan fits, or where nothing can be built: no GPU, no
        TensorRT, no such model.
    """
    from panoptic_ros.engine.building.plans import PlanRequest, missing_plan

    if config.runtime in ("onnxruntime", "openvino"):
        return None
    try:
        path = find_model(config.name)
    except ModelError:
        return None
    return missing_plan(PlanRequest.of(path, config))


def start_build(request: PlanRequest) -> BuildProcess:
    """Build a plan in a process of its own."""
    from panoptic_ros.engine.building.process import BuildProcess

    return BuildProcess(request)


def _doubt(engine: TrtEngine) -> str:
    """Say that a plan's outputs were never looked at, as where it was built without a GPU."""
    if engine.is_compared:
        return ""
    return "; its outputs were not compared with ONNX Runtime's; panoptic build --rebuild does"


def _load(path: Path, opening: _Opening) -> TrtEngine:
    from panoptic_ros.engine.storage.cache import read_plan
    from panoptic_ros.engine.trt import TrtEngine

    config = opening.config
    content, manifest = read_plan(path)
    _check_gpu(path, manifest, config.device)
    return TrtEngine(content, manifest, path.name, config.device, warmup=config.warmup)


def _check_gpu(path: Path, manifest: Manifest, device: int) -> None:
    """Refuse a plan of another GPU before TensorRT does so in its own words.

    Raises:
        StaleEngineError: It is of another GPU.
        ModelError: There is no GPU.
    """
    from panoptic_ros.core.errors import StaleEngineError
    from panoptic_ros.engine.building.plans import PlanRequest
    from panoptic_ros.engine.device import read_gpu

    here, built = read_gpu(device), manifest.key
    wanted = (here.name, here.compute_capability)
    if built.compute_capability and (built.gpu, built.compute_capability) != wanted:
        request = PlanRequest(Path(manifest.model), built.precision, built.batch, device)
        raise StaleEngineError(
            f"{path.name}: was built for {built.gpu} ({built.compute_capability}), this is "
            f"{here.name} ({here.compute_capability}); run: {request.command}"
        )


def _open_openvino(path: Path, opening: _Opening) -> Engine:
    """Run a model in OpenVINO as the user asks; ONNX Runtime takes over where that may be."""
    from panoptic_ros.engine.openvino_plan import open_model

    config = opening.config
    try:
        engine = open_model(path, config.threads, config.openvino_device, config.precision)
    except ModelError as error:
        if config.fallback == "none":
            raise
        return _run_onnxruntime(path, f"not OpenVINO: {error}", opening)
    opening.tell(f"{engine.description}, as engine_runtime says", "openvino")
    return engine


def _fall_back(path: Path, why: str, opening: _Opening) -> Engine:
    """Run a model without TensorRT and say why."""
    from panoptic_ros.engine.cpu_runtime import measure_here, open_candidate

    why = f"not TensorRT: {why}"
    measured = measure_here(path, opening.config) if opening.config.runtime == "auto" else None
    if measured is None:
        return _run_onnxruntime(path, why, opening)
    if not measured.is_faster:
        return _run_onnxruntime(path, f"{why}; {measured.words}", opening)
    engine = open_candidate(path, opening.config)
    opening.tell(f"{engine.description}, as {measured.words}; {why}", "openvino")
    return engine


def _run_onnxruntime(path: Path, why: str, opening: _Opening) -> Engine:
    """Run a model in ONNX Runtime, on its GPU provider where there is one, and say why."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise ModelError(
            f"{path.name} needs ONNX Runtime, which is not installed; run: "
            f"pip install onnxruntime ({why})"
        ) from error
    from panoptic_ros.engine.ort import OrtEngine

    engine = OrtEngine(path, opening.config.threads, opening.config.device)
    opening.tell(f"{engine.description}, {why}", "onnxruntime")
    return engine


def gpu_slot(device: int) -> str:
    """Say in which PCI slot the GPU of an engine sits, empty for none; see ``pci_bus_id``."""
    return pci_bus_id(device)
