# SPDX-License-Identifier: Apache-2.0
"""From what the user wrote to an engine that runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.core.model import Engine
from panoptic_ros.engine.building.manifest import PRECISIONS
from panoptic_ros.engine.models import find_model

if TYPE_CHECKING:
    from panoptic_ros.engine.building.manifest import Manifest
    from panoptic_ros.engine.building.plans import PlanRequest
    from panoptic_ros.engine.building.process import BuildProcess
    from panoptic_ros.engine.building.progress import ProgressCallback
    from panoptic_ros.engine.trt import TrtEngine

DRAWN = "drawn"
"""The engine that reads drawn streets back; stands in where there is no model."""

FALLBACKS = ("onnxruntime", "none")


@dataclass(frozen=True)
class OpenOptions:
    """How an engine is opened.

    Attributes:
        threads: CPU threads of one inference, 0 for one per core.
        fallback: ``onnxruntime`` to run there where TensorRT cannot, ``none`` to fail instead.
        rebuild: Whether to build a plan where there is none that fits; that takes minutes.
        precision: Of the plan: ``fp32``, ``fp16`` or ``int8``.
        batch: Images in one inference of the plan.
        device: Number of the GPU as CUDA counts.
        warmup: Inferences before the first frame.
        say: Takes the one line about what was chosen and why.
        report: Told how far a build is.
    """

    threads: int = 0
    fallback: str = "onnxruntime"
    rebuild: bool = False
    precision: str = "fp16"
    batch: int = 1
    device: int = 0
    warmup: int = 3
    say: Callable[[str], object] = lambda line: None
    report: ProgressCallback = lambda phase, share: None


def open_engine(
    name: str | Path,
    threads: int = 0,
    *,
    fallback: str = "onnxruntime",
    rebuild: bool = False,
    precision: str = "fp16",
    batch: int = 1,
    device: int = 0,
    warmup: int = 3,
    say: Callable[[str], object] = lambda line: None,
    report: ProgressCallback = lambda phase, share: None,
) -> Engine:
    """Open an engine: a ``.plan`` in TensorRT, an ``.onnx`` in TensorRT where a plan fits.

    Args:
        name: Path of an ``.onnx`` or ``.plan`` file, the name of a model that comes with the
            package (``street_fast``, ``street_sharp``), or ``drawn``.
        threads: CPU threads of one inference, 0 for one per core.
        fallback: ``onnxruntime`` to run there where TensorRT cannot, ``none`` to fail instead.
        rebuild: Whether to build a plan where there is none that fits; that takes minutes.
        precision: Of the plan: ``fp32``, ``fp16`` or ``int8``.
        batch: Images in one inference of the plan.
        device: Number of the GPU as CUDA counts.
        warmup: Inferences of a plan before the first frame.
        say: Takes the one line about what was chosen and why.
        report: Told how far a build is: the phase and the share that is done.

    Raises:
        ConfigError: There is no such fallback or precision.
        ModelError: There is no such model, or it cannot be used; the message says what to do.
        StaleEngineError: The plan is for another GPU, TensorRT or model, and ``fallback`` is
            ``none`` or there is nothing to fall back to.
    """
    options = OpenOptions(
        threads, fallback, rebuild, precision, batch, device, warmup, say, report
    )
    if fallback not in FALLBACKS:
        raise ConfigError(f"fallback {fallback!r}: needs one of {', '.join(FALLBACKS)}")
    if precision not in PRECISIONS:
        raise ConfigError(f"precision {precision!r}: needs one of {', '.join(PRECISIONS)}")
    for number, least, what in (
        (threads, 0, "threads"),
        (batch, 1, "batch"),
        (device, 0, "device"),
        (warmup, 0, "warmup"),
    ):
        if number < least:
            raise ConfigError(f"{what} is {number}, needs at least {least}")
    if name == DRAWN:
        from panoptic_ros.core.synthetic.engine import DrawnEngine

        return DrawnEngine()
    path = find_model(name)
    if path.suffix == ".plan":
        return _open_plan(path, options)
    if path.suffix != ".onnx":
        found = path.suffix or "none"
        raise ModelError(f"{path}: engines are .onnx and .plan files; found {found}")
    return _open_onnx(path, options)


def _open_plan(path: Path, options: OpenOptions) -> Engine:
    """Run a plan, or the model that it was built from."""
    try:
        engine = _load(path, options)
    except ModelError as error:
        return _open_again(path, error, options)
    options.say(f"{engine.description}: the plan fits this machine{_doubt(engine)}")
    return engine


def _open_again(path: Path, error: ModelError, options: OpenOptions) -> Engine:
    """Run what may stand for a plan: one in the cache of the very same model, or that model.

    Raises:
        ModelError: Neither is at hand, or only the model and ``fallback`` is ``none``.
    """
    from panoptic_ros.engine.building.cache import read_manifest
    from panoptic_ros.engine.building.plans import PlanRequest, find_or_build, source_of

    source = source_of(path)
    if source is None:
        raise error
    manifest = read_manifest(path)
    order = PlanRequest(source, manifest.key.precision, manifest.key.batch, options.device)
    try:
        engine = _load(find_or_build(order, options.rebuild, options.report), options)
    except ModelError:
        if options.fallback == "none":
            raise error from None
        return _fall_back(source, f"{error}; {manifest.model} is at hand", options)
    options.say(f"{engine.description}: a plan of {manifest.model} fits this machine ({error})")
    return engine


def _open_onnx(path: Path, options: OpenOptions) -> Engine:
    """Run a model in TensorRT where a plan fits or may be built, else in ONNX Runtime."""
    from panoptic_ros.engine.building.plans import PlanRequest, find_or_build

    order = PlanRequest(path, options.precision, options.batch, options.device)
    try:
        plan = find_or_build(order, options.rebuild, options.report)
        engine = _load(plan, options)
    except ModelError as error:
        if options.fallback == "none":
            raise
        return _fall_back(path, str(error), options)
    options.say(f"{engine.description}: a plan of {path.name} fits this machine{_doubt(engine)}")
    return engine


def plan_to_build(
    name: str, precision: str = "fp16", batch: int = 1, device: int = 0
) -> PlanRequest | None:
    """Say which plan of an engine is missing here and can be built.

    Args:
        name: As ``open_engine`` takes it.
        precision: Of the plan of a model; a ``.plan`` is built anew in its own.
        batch: Images in one inference; a ``.plan`` keeps its own.
        device: Number of the GPU as CUDA counts.

    Returns:
        What to build, None where a plan fits, or where nothing can be built: no GPU, no
        TensorRT, no such model.
    """
    from panoptic_ros.engine.building.plans import PlanRequest, missing_plan

    try:
        path = find_model(name)
    except ModelError:
        return None
    return missing_plan(PlanRequest(path, precision, batch, device))


def start_build(order: PlanRequest) -> BuildProcess:
    """Build a plan in a process of its own."""
    from panoptic_ros.engine.building.process import BuildProcess

    return BuildProcess(order)


def _doubt(engine: TrtEngine) -> str:
    """Say that a plan's outputs were never looked at, as where it was built without a GPU."""
    if engine.is_compared:
        return ""
    return "; its outputs were not compared with ONNX Runtime's; panoptic build --rebuild does"


def _load(path: Path, options: OpenOptions) -> TrtEngine:
    from panoptic_ros.engine.building.cache import read_plan
    from panoptic_ros.engine.trt import TrtEngine

    content, manifest = read_plan(path)
    _check_gpu(path, manifest, options.device)
    return TrtEngine(content, manifest, path.name, options.device, warmup=options.warmup)


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
        order = PlanRequest(Path(manifest.model), built.precision, built.batch, device)
        raise StaleEngineError(
            f"{path.name}: was built for {built.gpu} ({built.compute_capability}), this is "
            f"{here.name} ({here.compute_capability}); run: {order.command}"
        )


def _fall_back(path: Path, why: str, options: OpenOptions) -> Engine:
    """Run a model in ONNX Runtime and say why not in TensorRT."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise ModelError(
            f"{path.name} needs ONNX Runtime, which is not installed; run: "
            f"pip install onnxruntime (TensorRT does not run it: {why})"
        ) from error
    from panoptic_ros.engine.ort import OrtEngine

    engine = OrtEngine(path, options.threads, options.device)
    options.say(f"{engine.description}, not TensorRT: {why}")
    return engine
