# SPDX-License-Identifier: Apache-2.0
"""Whether a CPU runs a model faster in OpenVINO than in ONNX Runtime, found once and kept.

OpenVINO gains where the CPU multiplies in bfloat16; elsewhere it was the slower one. So a CPU
without that stays with ONNX Runtime, and any other is measured: both run the same frame by
turns, and OpenVINO must also say what ONNX Runtime says. CPU time counts, as the clock's depends
on what else runs just then: beside other programs its medians gave ratios from 0.7 to 2.5 where
those of the least CPU times were from 2.0 to 2.1.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.engine_config import EngineConfig
from panoptic_ros.core.errors import EngineRunError, ModelError
from panoptic_ros.core.files.document import parse_json
from panoptic_ros.core.model import Engine
from panoptic_ros.engine.building.parity import compare, shortfalls
from panoptic_ros.engine.camera_frames import camera_frames
from panoptic_ros.engine.device import find_gpu
from panoptic_ros.engine.processor import has_bfloat16, processor_name
from panoptic_ros.engine.storage.cache import default_folder, write_atomically
from panoptic_ros.engine.storage.manifest import sha256_of

LEAST_GAIN = 1.05
"""Ratio of the CPU times from which on OpenVINO is taken; less is noise."""

_ROUNDS, _MOST_S = 20, 1.0
_JUDGED_ON = "CPU time on a camera frame"
"""By what both were judged; verdicts by other times or images are not read."""


@dataclass(frozen=True)
class Measured:
    """What was found for one model on one machine.

    Attributes:
        key: Model, versions, CPU, its cores and threads; another key means another measurement.
        gain: CPU time of ONNX Runtime over that of OpenVINO; 0 where OpenVINO was refused.
        why: Why it was refused, else empty.
    """

    key: str
    gain: float
    why: str = ""

    @property
    def is_faster(self) -> bool:
        """Whether OpenVINO is to be taken."""
        return self.gain >= LEAST_GAIN

    @property
    def words(self) -> str:
        """Part of the line about what was chosen."""
        if self.why:
            return f"OpenVINO is not taken: {self.why}"
        if self.gain < 1.0:
            return f"OpenVINO takes {1.0 / self.gain:.2f} times ONNX Runtime's CPU time here"
        return f"ONNX Runtime takes {self.gain:.2f} times OpenVINO's CPU time here"


def measure_here(path: Path, config: EngineConfig) -> Measured | None:
    """Measure whether OpenVINO is faster; None where that needs no measurement to be denied.

    Args:
        path: The model.
        config: How its engine is come by.

    Raises:
        ModelError: ONNX Runtime cannot run the model.
    """
    installed = all(find_spec(name) for name in ("openvino", "onnxruntime"))
    if not installed or not has_bfloat16() or find_gpu(config.device) is not None:
        return None
    import onnxruntime

    from panoptic_ros.engine.openvino import load_openvino
    from panoptic_ros.engine.ort import OrtEngine

    try:
        version = load_openvino().__version__
    except ModelError as error:
        return Measured("", 0.0, str(error))
    return measure(
        path,
        config.threads,
        lambda: OrtEngine(path, config.threads),
        lambda: open_candidate(path, config),
        f"{version} {onnxruntime.__version__} {config.precision}",
    )


def open_candidate(path: Path, config: EngineConfig) -> Engine:
    """Open OpenVINO as ``measure_here`` measures it: on the CPU, in its half precision.

    Raises:
        ModelError: It cannot run the model.
    """
    from panoptic_ros.engine.openvino import OpenVinoEngine

    return OpenVinoEngine(path, config.threads, precision=config.precision)


def measure(
    path: Path,
    threads: int,
    open_reference: Callable[[], Engine],
    open_candidate: Callable[[], Engine],
    versions: str,
) -> Measured:
    """Compare two runtimes, or read what was found earlier.

    Args:
        path: The model.
        threads: CPU threads of one inference.
        open_reference: Opens ONNX Runtime.
        open_candidate: Opens OpenVINO.
        versions: Of both, and what else makes a difference.

    Raises:
        ModelError: ONNX Runtime cannot run the model.
    """
    cores = len(os.sched_getaffinity(0))
    model = sha256_of(path)[:12]
    key = f"{model} {threads} of {cores} {versions} {processor_name()} {_JUDGED_ON}"
    digest = hashlib.sha256(key.encode()).hexdigest()[:12]
    place = default_folder() / "openvino" / f"{path.stem}.{digest}.measured.json"
    kept = _read(place)
    if kept is not None and kept.key == key:
        return kept
    found = _measured(open_reference, open_candidate, key)
    # It saves a second, nothing else.
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, json.dumps(asdict(found)).encode())
    return found


def _read(place: Path) -> Measured | None:
    try:
        document: dict[str, Any] = parse_json(place.read_text(encoding="utf-8"))
        return Measured(str(document["key"]), float(document["gain"]), str(document["why"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _measured(
    open_reference: Callable[[], Engine], open_candidate: Callable[[], Engine], key: str
) -> Measured:
    with open_reference() as reference:
        try:
            with open_candidate() as candidate:
                images = camera_frames(reference.spec)
                figures = compare(reference.infer, candidate.infer, reference.spec, images)
                if low := shortfalls(figures, "fp16"):
                    return Measured(key, 0.0, f"it says something else ({'; '.join(low)})")
                return Measured(key, _gain(reference, candidate, images[0]))
        except (ModelError, EngineRunError) as error:
            return Measured(key, 0.0, str(error))


def _gain(reference: Engine, candidate: Engine, image: NDArray[np.uint8]) -> float:
    """Ratio of the least CPU times, measured by turns for about a second."""
    times: tuple[list[float], list[float]] = ([], [])
    end = time.perf_counter() + _MOST_S
    while len(times[0]) < 3 or (len(times[0]) < _ROUNDS and time.perf_counter() < end):
        for engine, spent in zip((reference, candidate), times, strict=True):
            begin = time.process_time()
            engine.infer(image)
            spent.append(time.process_time() - begin)
    # The candidate's may be below what the clock can tell.
    return min(times[0]) / max(min(times[1]), 1e-9)
