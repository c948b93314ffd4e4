# SPDX-License-Identifier: Apache-2.0
"""One set of classes in the values of another, matched by name: the one way to do it."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

NameRules = Mapping[str, "str | None"]
"""Target name by name; None is nothing, the name ``OTHERS`` stands for all that are not named."""

OTHERS = "*"


@dataclass(frozen=True)
class TargetClass:
    """A class as it is called on the other side.

    Attributes:
        name: The word there.
        value: 0..255, what stands for it in images.
    """

    name: str
    value: int


@dataclass(frozen=True, eq=False)
class LabelTable:
    """A table from one label set's values to those of other classes.

    Attributes:
        name: Whose classes they are.
        classes: All of them.
        values: Target of every label value, void included, (256,) uint8.
    """

    name: str
    classes: tuple[TargetClass, ...]
    values: NDArray[np.uint8]

    @classmethod
    def by_name(
        cls,
        name: str,
        classes: tuple[TargetClass, ...],
        sources: Sequence[str],
        rules: NameRules,
        nothing: int,
    ) -> LabelTable:
        """Match names.

        Args:
            name: Whose classes the targets are.
            classes: The targets.
            sources: What the values 0, 1, ... mean.
            rules: Where names differ.
            nothing: Target of void, and of what leads to no target.
        """
        target = {entry.name: entry.value for entry in classes}
        values = np.full(256, nothing, np.uint8)
        for value, source in enumerate(sources):
            values[value] = target.get(target_name(source, target, rules), nothing)
        return cls(name, classes, values)

    def apply(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Translate a label map, (h, w) uint8, value by value."""
        return np.asarray(cv2.LUT(labels, self.values), np.uint8)


def target_name(name: str, known: Container[str | None], rules: NameRules) -> str:
    """Say what a name becomes: what a rule says, else itself if it is known, else the others'.

    Returns:
        A name; an empty text for nothing.

    >>> rules = {"car": "vehicle", "*": "rest"}
    >>> [target_name(name, {"road"}, rules) for name in ("car", "road", "moon")]
    ['vehicle', 'road', 'rest']
    """
    if name in rules:
        return rules[name] or ""
    if name in known:
        return name
    return rules.get(OTHERS) or ""
