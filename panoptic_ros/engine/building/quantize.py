# SPDX-License-Identifier: Apache-2.0
"""INT8 written into the ONNX graph as Q/DQ pairs, with ranges from images.

ONNX Runtime's quantiser does the work. Only inputs of convolutions are quantised: a pair behind a
convolution would cut off what its ReLU6 needs. The first and the last products of a network stay
as they are, since they read bytes and give scores and offsets.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.engine_config import ProgressCallback
from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine.building.precision import PRODUCTS
from panoptic_ros.engine.heads import INPUT

LEAST_IMAGES = 4
_QUANTISED = ("Conv", "ConvTranspose", "MatMul", "Gemm")
PERCENTILE = 99.999
"""Share of the values inside of a range; the few beyond would cost all others precision."""


GROUP = 10
"""Images whose intermediate tensors are in memory at a time."""


class CalibrationImages(Protocol):
    """Images that set ranges: a list, or something that reads them one by one.

    Each is RGB, (height, width, 3) uint8 of the model's size, such as the camera sees.
    """

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[NDArray[np.uint8]]: ...


def no_report(phase: str, share: float) -> None:
    """Tell nobody how far it is."""


def to_int8(model: Any, images: CalibrationImages, report: ProgressCallback = no_report) -> Any:
    """Write INT8 into a prepared model.

    Args:
        model: An ``onnx.ModelProto`` after ``prepare``; not changed.
        images: What sets the ranges.
        report: Told how far it is.

    Returns:
        The model with Q/DQ pairs: symmetric, one scale for each channel of a weight.

    Raises:
        ModelError: There are too few images, the quantiser is missing or fails.
    """
    check_images(images)
    import onnx

    ready = onnx.ModelProto()
    ready.CopyFrom(model)
    # What the quantiser's own preparation would do is done; without the mark it warns.
    ready.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "model.onnx"), Path(folder, "quantised.onnx")
        onnx.save(ready, str(source))
        _quantise(source, target, edge_products(model.graph), images, report)
        quantised = onnx.load(str(target))
    del quantised.metadata_props[:]
    quantised.metadata_props.extend(model.metadata_props)
    return quantised


def check_images(images: CalibrationImages) -> None:
    """Refuse to take ranges from nearly nothing.

    Raises:
        ModelError: There are too few images.
    """
    if len(images) < LEAST_IMAGES:
        raise ModelError(
            f"int8 takes its ranges from at least {LEAST_IMAGES} images, found "
            f"{len(images)}; name a folder, bag or video: --images PATH"
        )


def edge_products(graph: Any) -> list[str]:
    """Names of the products with none before or none after them.

    Args:
        graph: A graph in order, as ONNX wants it.
    """
    after, edges = set(), []
    for node in graph.node:
        if any(name in after for name in node.input):
            after.update(node.output)
        elif node.op_type in PRODUCTS:
            edges.append(node.name)
            after.update(node.output)
    before = set()
    for node in reversed(graph.node):
        if any(name in before for name in node.output):
            before.update(node.input)
        elif node.op_type in PRODUCTS:
            edges.append(node.name)
            before.update(node.input)
    return sorted(set(edges))


def counted_off(images: CalibrationImages, report: ProgressCallback) -> Iterator[dict[str, Any]]:
    """Yield what a session takes for each image, and report how many there were."""
    for number, image in enumerate(images, start=1):
        yield {INPUT: image[None]}
        report(f"int8: ranges of image {number} of {len(images)}", number / len(images))


def _quantise(
    source: Path,
    target: Path,
    keep: list[str],
    images: CalibrationImages,
    report: ProgressCallback,
) -> None:
    try:
        from onnxruntime import quantization
    except ImportError as error:
        raise ModelError(
            f"int8 needs ONNX Runtime's quantiser ({error}); run: pip install onnxruntime onnx"
        ) from error

    class Images(quantization.CalibrationDataReader):  # type: ignore[misc]
        """Hands images out in groups; after each one the quantiser forgets their tensors."""

        def __init__(self) -> None:
            self.left = counted_off(images, report)
            self.room = len(images)

        def __len__(self) -> int:
            return -(-len(images) // GROUP)

        def set_range(self, start_index: int, end_index: int) -> None:
            self.room = GROUP * (end_index - start_index)

        def get_next(self) -> dict[str, Any] | None:
            if not self.room:
                return None
            self.room -= 1
            return next(self.left, None)

    try:
        # It tells its steps on stdout, which belongs to the verb.
        with contextlib.redirect_stdout(io.StringIO()):
            quantization.quantize_static(
                str(source),
                str(target),
                Images(),
                quant_format=quantization.QuantFormat.QDQ,
                calibrate_method=quantization.CalibrationMethod.Percentile,
                op_types_to_quantize=list(_QUANTISED),
                per_channel=True,
                activation_type=quantization.QuantType.QInt8,
                weight_type=quantization.QuantType.QInt8,
                nodes_to_exclude=keep,
                extra_options={
                    "ActivationSymmetric": True,
                    "WeightSymmetric": True,
                    "QuantizeBias": False,
                    "OpTypesToExcludeOutputQuantization": list(_QUANTISED),
                    "CalibPercentile": PERCENTILE,
                    # Whatever the name says, it is how much is read before tensors are dropped.
                    "CalibStridedMinMax": 1,
                },
            )
    except Exception as error:  # onnx, ONNX Runtime and NumPy raise theirs
        raise ModelError(f"it cannot be quantised ({error}); use --precision fp16") from error
