# SPDX-License-Identifier: Apache-2.0
"""What somebody says about one image, whoever it is: label files, an engine or a bag."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.types import Drivable
from panoptic_ros.data.annotation import Annotation
from panoptic_ros.data.label_files import Pair


@dataclass(frozen=True, eq=False)
class Prediction:
    """What is scored of one image; what is None is not known.

    Attributes:
        annotation: Classes and objects, at the size of the truth.
        confidence: 0..255 of each pixel's class, (H, W).
        drivable: Surface to drive on.
        name: As messages name it.
    """

    annotation: Annotation
    confidence: NDArray[np.uint8] | None = None
    drivable: Drivable | None = None
    name: str = ""


EvalTask = tuple[Pair, Callable[[], Prediction]]
"""An image, and what fetches its prediction; that may happen in another thread."""


def from_files(pairs: Iterable[Pair]) -> Iterator[EvalTask]:
    """Predict what label files say."""
    for pair in pairs:
        yield pair, partial(_read, pair)


def _read(pair: Pair) -> Prediction:
    if pair.predicted is None:
        raise DataError(f"{pair.truth.path} has no prediction")
    return Prediction(pair.predicted.read(), name=str(pair.predicted.path))
