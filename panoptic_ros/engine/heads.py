# SPDX-License-Identifier: Apache-2.0
"""What goes into a model and what comes out, as heads; the same for every engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.decoding.kinds import KINDS
from panoptic_ros.core.errors import EngineRunError, ModelError
from panoptic_ros.core.model import ModelSpec
from panoptic_ros.core.types import Heads

INPUT = "image"
"""Name of the one input of every model."""


def output_names(spec: ModelSpec, found: Sequence[str], where: str) -> tuple[str, ...]:
    """Names of a decoder's outputs, in the order of its heads.

    Args:
        spec: The model.
        found: Names of the outputs that the file has.
        where: The file's name, for messages.

    Raises:
        ModelError: The decoder is none of ours, or an output is missing.
    """
    if spec.decoder not in KINDS:
        raise ModelError(
            f"{where}: needs the decoder {spec.decoder!r}, which engines of this version do not "
            f"have; they have {', '.join(KINDS)}"
        )
    names = KINDS[spec.decoder].outputs
    missing = set(names) - set(found)
    if missing:
        raise ModelError(
            f"{where}: its metadata says {spec.decoder}, but the outputs "
            f"{', '.join(sorted(missing))} are missing; export it again"
        )
    return names


def check_image(image: NDArray[np.uint8], shape: tuple[int, ...], is_open: bool) -> None:
    """Refuse what an engine cannot run.

    Args:
        image: What it is given.
        shape: What it takes, (height, width, 3).
        is_open: Whether it is not closed yet.

    Raises:
        EngineRunError: The image has another size or type, or the engine is closed.
    """
    if image.shape != shape or image.dtype != np.uint8:
        raise EngineRunError(f"image is {image.dtype} {image.shape}, needs uint8 {shape}")
    if not is_open:
        raise EngineRunError("the engine is closed")


def put_image(image: NDArray[np.uint8], place: NDArray[np.uint8]) -> None:
    """Bring an image into an engine's buffer, unless it is that buffer.

    Args:
        image: What the engine is given; ``check_image`` has passed it.
        place: The buffer, of the same shape; a mirrored view of it is another image.
    """
    if image.ctypes.data != place.ctypes.data or image.strides != place.strides:
        np.copyto(place, image)


def to_heads(spec: ModelSpec, maps: Sequence[Any], index: int = 0) -> Heads:
    """Make heads of one image.

    Args:
        spec: The model.
        maps: Outputs in the order of ``output_names``, each with the batch in front.
        index: Which image of the batch.
    """
    heads: Heads = KINDS[spec.decoder].heads(*(values[index] for values in maps))
    return heads
