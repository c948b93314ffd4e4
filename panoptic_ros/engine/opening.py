# SPDX-License-Identifier: Apache-2.0
"""How a model or a plan is opened: what runs it here, and what takes over where that cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.core.engine_config import EngineConfig, ProgressCallback
from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.core.model import Engine

if TYPE_CHECKING:
    from panoptic_ros.engine.building.plans import PlanRequest
    from panoptic_ros.engine.storage.manifest import Manifest
    from panoptic_ros.engine.trt import TrtEngine


@dataclass(frozen=True)
class Opening:
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
        """Ask for the plan of a model that the config means."""
        from panoptic_ros.engine.building.plans import PlanRequest

        return PlanRequest.of(model, self.config)


def open_plan(path: Path, opening: Opening) -> Engine:
    """Run a plan, or the model that it was built from.

    Raises:
        ConfigError: A runtime is named that is not the plan's.
        ModelError: Neither can run.
    """
    from panoptic_ros.engine.building.plans import is_openvino

    is_for_openvino, runtime = is_openvino(path), opening.config.runtime
    own = "openvino" if is_for_openvino else "tensorrt"
    if runtime not in ("auto", own):
        raise ConfigError(
            f"{path.name} is a plan for runtime {own}, and {runtime} is asked for; leave the "
            "runtime out, or name the model that the plan was built from"
        )
    if is_for_openvino:
        return _open_openvino_plan(path, opening)
    try:
        engine = _load(path, opening)
    except ModelError as error:
        return _open_again(path, error, opening)
    line = f"{engine.description}: the plan fits this machine{_doubt(engine)}"
    opening.tell(line, opening.config.name)
    return engine


def _open_openvino_plan(path: Path, opening: Opening) -> Engine:
    """Run a plan of OpenVINO, or the model that it was made from in ONNX Runtime.

    Raises:
        ModelError: It cannot run, and ``fallback`` is ``none`` or that model is not at hand.
    """
    from panoptic_ros.engine.building.plans import source_of
    from panoptic_ros.engine.openvino_plan import open_plan as open_openvino

    try:
        engine = open_openvino(path, opening.config.threads)
    except ModelError as error:
        source = source_of(path)
        if opening.config.fallback == "none" or source is None:
            raise
        return _run_onnxruntime(source, f"not OpenVINO: {error}", opening)
    opening.tell(f"{engine.description}: the plan fits this machine", opening.config.name)
    return engine


def _open_again(path: Path, error: ModelError, opening: Opening) -> Engine:
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


def open_model(path: Path, opening: Opening) -> Engine:
    """Run a model in TensorRT where a plan fits or may be built, else elsewhere.

    Raises:
        ModelError: It cannot run in what is asked for, and nothing may take over.
    """
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


def _doubt(engine: TrtEngine) -> str:
    """Say that a plan's outputs were never looked at, as where it was built without a GPU."""
    if engine.is_compared:
        return ""
    return "; its outputs were not compared with ONNX Runtime's; panoptic build --rebuild does"


def _load(path: Path, opening: Opening) -> TrtEngine:
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


def _open_openvino(path: Path, opening: Opening) -> Engine:
    """Run a model in OpenVINO as the user asks; ONNX Runtime takes over where that may be."""
    from panoptic_ros.engine.openvino_plan import open_model as open_openvino

    config = opening.config
    try:
        engine = open_openvino(path, config.threads, config.openvino_device, config.precision)
    except ModelError as error:
        if config.fallback == "none":
            raise
        return _run_onnxruntime(path, f"not OpenVINO: {error}", opening)
    opening.tell(f"{engine.description}, as engine_runtime says", "openvino")
    return engine


def _fall_back(path: Path, why: str, opening: Opening) -> Engine:
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


def _run_onnxruntime(path: Path, why: str, opening: Opening) -> Engine:
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
