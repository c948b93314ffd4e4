# SPDX-License-Identifier: Apache-2.0
"""NNCF drawn: it reads the images as the real one does, and gives back a model to compile."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any


class DrawnNncf(SimpleNamespace):
    """What the builder uses of the module ``nncf``.

    Args:
        quantised: Makes the model that comes out of the one that goes in.

    Attributes:
        images: Inputs that were read, over both readings.
        asked: Keywords of the last call of ``quantize``.
    """

    def __init__(self, quantised: Callable[[Any], Any] = lambda model: model) -> None:
        super().__init__(
            __version__="3.4.0",
            QuantizationPreset=SimpleNamespace(MIXED="mixed"),
            TargetDevice=str,
            IgnoredScope=SimpleNamespace,
            Dataset=lambda images: images,
        )
        self.quantised = quantised
        self.images: list[Any] = []
        self.asked: dict[str, Any] = {}

    def quantize(self, model: Any, dataset: Iterable[Any], **asked: Any) -> Any:
        """Read all images twice, as the correction of biases may."""
        sys.stdout.write("what the real one tells there\n")
        self.asked = asked
        for _ in range(2):
            self.images.extend(dataset)
        return self.quantised(model)
