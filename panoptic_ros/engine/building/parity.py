# SPDX-License-Identifier: Apache-2.0
"""How near an engine is to ONNX Runtime, and the gate that keeps wrong plans out.

TensorRT has computed models wrongly without a word (NVIDIA/TensorRT #4813, #4723); comparing
outputs on images is what finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.decode import decode
from panoptic_ros.core.decoding.kinds import kind_of
from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.model import ModelSpec
from panoptic_ros.core.overlap import overlap
from panoptic_ros.core.types import Heads, Panoptic
from panoptic_ros.engine.camera_frames import camera_frames
from panoptic_ros.engine.storage.manifest import Manifest

LEAST = {
    "fp32": {"label_agreement": 0.998, "object_agreement": 0.98},
    "fp16": {"label_agreement": 0.98, "object_agreement": 0.90},
    "int8": {"label_agreement": 0.90, "object_agreement": 0.70},
}
"""Least agreement with ONNX Runtime in FP32 that a plan must have, by precision."""

MEANINGS = {
    "confidence_error": "confidence",
    "center_error": "centre scores",
    "offset_error": "offsets in pixels of the map",
    "score_error": "scores of queries",
}
"""What the other figures are the mean difference of."""

TRY = "build it with a higher --precision, or with another TensorRT"
"""What helps against a plan of TensorRT that differs too much."""

Infer = Callable[[NDArray[np.uint8]], Heads]


def compare(
    reference: Infer, candidate: Infer, spec: ModelSpec, images: Sequence[NDArray[np.uint8]]
) -> dict[str, float]:
    """Run two engines on the same images.

    Args:
        reference: The engine that is right.
        candidate: The engine in question.
        spec: Their model.
        images: RGB, each (height, width, 3) uint8 of the spec's size.

    Returns:
        ``object_agreement`` panoptic quality of the candidate's objects against the reference's,
        1 where neither has any; the means of what the decoder kind compares, ``label_agreement``
        among them.

    Raises:
        ValueError: There is no image.
    """
    if not images:
        raise ValueError("a comparison needs at least one image")
    rows = []
    objects = np.zeros(4)
    for image in images:
        right = _copied(reference(image))
        other = _copied(candidate(image))
        maps = [decode(heads, spec.labels, DecodeConfig()) for heads in (right, other)]
        rows.append(kind_of(right).compare(right, other, *maps))
        objects += _matches(*maps)
    shared, matched, missed, extra = objects
    whole = matched + (missed + extra) / 2
    figures = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return {"object_agreement": float(shared / whole) if whole else 1.0, **figures}


def shortfalls(figures: Mapping[str, float], precision: str) -> list[str]:
    """Say which figures are below ``LEAST``; empty where none is."""
    return [
        f"{name} is {figures[name]:.4f}, needs {least}"
        for name, least in LEAST[precision].items()
        # Written so that a figure that is no number fails as well.
        if not figures[name] >= least
    ]


def gate(figures: Mapping[str, float], precision: str, where: str, cure: str = TRY) -> None:
    """Refuse what differs too much.

    Args:
        figures: Of the comparison.
        precision: Of the plan, which sets the limits.
        where: The model's name, for messages.
        cure: What to try instead.

    Raises:
        ModelError: A figure is below ``LEAST``; the message has all of them.
    """
    low = shortfalls(figures, precision)
    if low:
        others = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        raise ModelError(
            f"{where}: differs from ONNX Runtime: {'; '.join(low)} (all figures: {others}); the "
            f"plan is not kept: {cure}"
        )


def comparison(
    model: Path, device: int | None, images: Sequence[NDArray[np.uint8]] = ()
) -> Callable[[bytes, bytes, Manifest], dict[str, float]]:
    """Make what ``make_plan`` calls before it keeps a plan.

    Args:
        model: The ONNX file.
        device: Number of the GPU that runs the plan; None where there is no GPU, then the
            prepared graph is compared instead.
        images: RGB of the model's size; ``camera_frames`` where there are none.

    Raises:
        ModelError: The GPU cannot be used; found here, as a build takes minutes.
    """
    if device is not None:
        from panoptic_ros.engine.cuda import Cuda

        Cuda(device).close()

    def run(graph: bytes, plan: bytes, manifest: Manifest) -> dict[str, float]:
        if device is None:
            return compare_graph(graph, model, manifest.key.precision, images)
        return compare_plan(plan, manifest, model, device, images)

    return run


def compare_plan(
    plan: bytes,
    manifest: Manifest,
    model: Path,
    device: int,
    images: Sequence[NDArray[np.uint8]] = (),
) -> dict[str, float]:
    """Compare a plan that was just built with ONNX Runtime, and refuse it if it is wrong.

    Args:
        plan: The plan.
        manifest: What it was built from.
        model: The ONNX file.
        device: Number of the GPU.
        images: RGB of the model's size; ``camera_frames`` where there are none.

    Raises:
        ModelError: It differs too much, or there is no GPU or ONNX Runtime.
    """
    from panoptic_ros.engine.ort import OrtEngine
    from panoptic_ros.engine.trt import TrtEngine

    with OrtEngine(model) as reference, TrtEngine(plan, manifest, model.name, device) as engine:
        assert isinstance(reference, OrtEngine)
        assert isinstance(engine, TrtEngine)
        seen = images or camera_frames(reference.spec)
        figures = compare(reference.infer, engine.infer, reference.spec, seen)
    gate(figures, manifest.key.precision, model.name)
    return figures


def compare_graph(
    content: bytes, model: Path, precision: str, images: Sequence[NDArray[np.uint8]] = ()
) -> dict[str, float]:
    """Compare a prepared graph with the model, both in ONNX Runtime: needs no GPU.

    It finds what precision does to a model; what TensorRT does to it only a GPU can tell.

    Args:
        content: The prepared ONNX model.
        model: The ONNX file.
        precision: Of the prepared model.
        images: RGB of the model's size; ``camera_frames`` where there are none.

    Raises:
        ModelError: It differs too much, or ONNX Runtime is missing or cannot run it.
    """
    from panoptic_ros.engine.ort import OrtEngine

    with OrtEngine(model) as reference:
        assert isinstance(reference, OrtEngine)
        candidate = graph_engine(content, reference.spec, model.name)
        seen = images or camera_frames(reference.spec)
        figures = compare(reference.infer, candidate, reference.spec, seen)
    gate(figures, precision, model.name)
    return figures


def graph_engine(content: bytes, spec: ModelSpec, where: str) -> Infer:
    """Make an engine of an ONNX model in memory, on the CPU; a batch gets copies of an image.

    Raises:
        ModelError: ONNX Runtime cannot load it, or an output is missing.
    """
    import onnxruntime

    from panoptic_ros.engine.heads import INPUT, output_names, to_heads

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Q/DQ pairs are computed as they are written, as TensorRT does: the fused integer kernels
    # saturate on CPUs without VNNI instructions, and the figures would be the CPU's.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        session: Any = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the bindings raise a dozen types
        raise ModelError(f"{where}: ONNX Runtime cannot run it as prepared ({error})") from error
    names = output_names(spec, [output.name for output in session.get_outputs()], where)
    batch = int(session.get_inputs()[0].shape[0])

    def infer(image: NDArray[np.uint8]) -> Heads:
        return to_heads(spec, session.run(names, {INPUT: np.stack([image] * batch)}))

    return infer


def _copied(heads: Heads) -> Heads:
    """Copy heads, as an engine's next call may write over them."""
    arrays = {entry.name: getattr(heads, entry.name).copy() for entry in fields(heads)}
    return replace(heads, **arrays)


def _matches(right: Panoptic, other: Panoptic) -> NDArray[np.float64]:
    """Count objects as panoptic quality does (Kirillov et al. 2019, eq. 1).

    Returns:
        Sum of IoU of matched objects, and how many are matched, missed and extra.
    """
    pixels = overlap(right.ids, other.ids)
    areas, others = pixels.sum(1), pixels.sum(0)
    shared, matched = 0.0, 0
    for first in right.segments:
        for second in other.segments:
            if first.label != second.label:
                continue
            both = pixels[first.id, second.id]
            iou = both / max(1, areas[first.id] + others[second.id] - both)
            if iou > 0.5:
                shared, matched = shared + float(iou), matched + 1
    missed, extra = len(right.segments) - matched, len(other.segments) - matched
    return np.array([shared, matched, missed, extra], np.float64)
