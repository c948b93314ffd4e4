# SPDX-License-Identifier: Apache-2.0
"""Ranges of every tensor, for DLA cores that take INT8 from ranges instead of Q/DQ pairs.

That is so until TensorRT 10 (NVIDIA's developer guide, "Working with DLA"); a strongly typed
network, which Q/DQ needs there, cannot go to a DLA core.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.engine_config import ProgressCallback
from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine.building.precision import float_tensors
from panoptic_ros.engine.building.quantize import (
    PERCENTILE,
    CalibrationImages,
    check_images,
    counted_off,
    no_report,
)

_INT8_STEPS = 127


def tensor_ranges(
    model: Any, images: CalibrationImages, report: ProgressCallback = no_report
) -> dict[str, float]:
    """Run a model and note how large the numbers in each of its tensors become.

    Args:
        model: An ``onnx.ModelProto`` after ``prepare``; not changed.
        images: What sets the ranges.
        report: Told how far it is.

    Returns:
        By name of an FP32 tensor, the largest over all images of the absolute value that all
        but a 100 000th of its numbers stay below; more than 0.

    Raises:
        ModelError: There are too few images, or ONNX Runtime is missing or cannot run it.
    """
    check_images(images)
    session, names = _telling_session(model)
    largest = dict.fromkeys(names, 0.0)
    for fed in counted_off(images, report):
        for name, values in zip(names, session.run(names, fed), strict=True):
            largest[name] = max(largest[name], _almost_largest(values))
    # A tensor that is always 0 may have any range.
    return {name: value if value > 0.0 else 1.0 for name, value in largest.items()}


def _telling_session(model: Any) -> tuple[Any, list[str]]:
    """Make a session whose outputs are all FP32 tensors that nodes compute."""
    import onnx

    told = onnx.ModelProto()
    told.CopyFrom(model)
    known = {output.name for output in told.graph.output}
    floats = float_tensors(model)
    names = [name for node in told.graph.node for name in node.output if name in floats]
    for name in names:
        if name not in known:
            told.graph.output.add(name=name).type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    try:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(
            told.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the bindings raise a dozen types
        raise ModelError(
            f"int8 takes its ranges from ONNX Runtime, which cannot run this model ({error})"
        ) from error
    return session, names


def _almost_largest(values: NDArray[np.float32]) -> float:
    flat = np.abs(values).ravel()
    if not flat.size:
        return 0.0
    place = min(flat.size - 1, int(flat.size * PERCENTILE / 100.0))
    return float(np.partition(flat, place)[place])


def calibration_cache(ranges: Mapping[str, float], version: str) -> str:
    """Write ranges as TensorRT's tools read them, ``trtexec --calib=FILE`` for one.

    Args:
        ranges: As ``tensor_ranges`` gives them.
        version: Of TensorRT.

    >>> print(calibration_cache({"x": 127.0}, "8.6.1"), end="")
    TRT-8601-EntropyCalibration2
    x: 3f800000
    """
    numbers = [int(part) for part in version.split(".")[:3]]
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    number = (10_000 if major >= 10 else 1_000) * major + 100 * minor + patch
    lines = [
        f"{name}: {struct.pack('>f', value / _INT8_STEPS).hex()}" for name, value in ranges.items()
    ]
    return "\n".join([f"TRT-{number}-EntropyCalibration2", *lines]) + "\n"
