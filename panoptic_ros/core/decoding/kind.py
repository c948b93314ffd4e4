# SPDX-License-Identifier: Apache-2.0
"""What a kind of network needs so that every engine, check and stage can work with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.types import Heads, Panoptic

H = TypeVar("H", bound=Heads)


@dataclass(frozen=True)
class DecoderKind(Generic[H]):
    """A kind of network: what it says, what that means, and how two runtimes' words are compared.

    Attributes:
        heads: Its heads; the fields name the model's outputs in order.
        decode: Heads, the model's classes and thresholds to a panoptic map; raises
            ``EngineRunError`` where the heads do not fit each other or the classes.
        compare: Heads of the right and of another runtime for one image, and the maps that they
            decode to, to figures by name. ``label_agreement``, the share of pixels with the same
            class, must be among them.
    """

    heads: type[H]
    decode: Callable[[H, LabelSet, DecodeConfig], Panoptic]
    compare: Callable[[H, H, Panoptic, Panoptic], dict[str, float]]

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the model's outputs, in the order of its heads."""
        return tuple(entry.name for entry in fields(self.heads))


def agreement(right: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Share of equal elements of two arrays of one shape, 0..1."""
    return float((right == other).mean())


def mean_difference(right: NDArray[Any], other: NDArray[Any]) -> float:
    """Mean absolute difference of two arrays of one shape, in their unit."""
    return float(np.abs(right.astype(np.float32) - other.astype(np.float32)).mean())
