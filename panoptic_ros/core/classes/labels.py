# SPDX-License-Identifier: Apache-2.0
"""What class numbers mean: names, thing or stuff, drivable, colour, and what kind of object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import ConfigError

MAX_CLASSES = 255
"""Class indices are 0..254; 255 is void."""

VOID_NAME = "void"
"""What 255 is called."""


@dataclass(frozen=True)
class Label:
    """One class.

    Attributes:
        index: Its value in label images, 0..254.
        name: As the data set's authors write it.
        is_thing: Whether single objects of it are told apart.
        is_drivable: Whether a car may drive on it.
        color: RGB, 0..255 each.
        group: Word for a kind of object; classes of one group may be confused on one object,
            such as car and truck. Empty for a class that is a group by itself.
        is_flat: Whether it lies behind or below every object, such as road or sky, so that no
            object is hidden by it.
        is_vulnerable: Whether ``drivable.person_margin`` is kept clear around its objects:
            persons, animals and two-wheelers.
        is_pavement: Whether it is for persons on foot, so that calling it drivable is dangerous.
    """

    index: int
    name: str
    is_thing: bool
    is_drivable: bool
    color: tuple[int, int, int]
    group: str = ""
    is_flat: bool = False
    is_vulnerable: bool = False
    is_pavement: bool = False


_TERRAIN = "terrain"
"""Group of the classes of unpaved ground."""


@dataclass(frozen=True)
class LabelSet:
    """The classes of a model or data set; ``labels[i].index == i``."""

    name: str
    labels: tuple[Label, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def things(self) -> NDArray[np.bool_]:
        """Which label values are things, (256,) bool; void is not."""
        return self._table([label.is_thing for label in self.labels])

    @cached_property
    def drivable(self) -> NDArray[np.bool_]:
        """Which label values one can drive on, (256,) bool; void is not."""
        return self._table([label.is_drivable for label in self.labels])

    @cached_property
    def vulnerable(self) -> NDArray[np.bool_]:
        """Which label values are things with a margin of their own, (256,) bool; void is not."""
        return self._table([label.is_thing and label.is_vulnerable for label in self.labels])

    @cached_property
    def vehicles(self) -> NDArray[np.bool_]:
        """Which label values are things but not vulnerable, (256,) bool; void is not."""
        return self.things & ~self.vulnerable

    @cached_property
    def pavement(self) -> NDArray[np.bool_]:
        """Which label values are for persons on foot, (256,) bool; void is not."""
        return self._table([label.is_pavement for label in self.labels])

    @cached_property
    def terrain(self) -> NDArray[np.bool_]:
        """Which label values are stuff that is unpaved ground, (256,) bool; void is not."""
        labels = self.labels
        return self._table([label.group == _TERRAIN and not label.is_thing for label in labels])

    @cached_property
    def hiding(self) -> NDArray[np.bool_]:
        """Behind which label values an object can be out of sight, (256,) bool; void is one."""
        table = np.ones(256, np.bool_)
        table[: len(self)] = [label.is_thing or not label.is_flat for label in self.labels]
        return table

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """Group of every label value, (256,); values of one group may be one object's."""
        names = list(dict.fromkeys(label.group for label in self.labels if label.group))
        table = np.arange(256)
        for label in self.labels:
            if label.group:
                table[label.index] = 256 + names.index(label.group)
        return table

    @cached_property
    def palette(self) -> NDArray[np.uint8]:
        """RGB of every label value, (256, 3) uint8; void is black."""
        table = np.zeros((256, 3), np.uint8)
        table[: len(self)] = [label.color for label in self.labels]
        return table

    def index(self, name: str) -> int:
        """Find a class by name.

        Raises:
            ConfigError: There is none of that name.
        """
        for label in self.labels:
            if label.name == name:
                return label.index
        raise ConfigError(
            f"label set {self.name} has no class {name!r}; it has: "
            + ", ".join(label.name for label in self.labels)
        )

    def name_of(self, index: int) -> str:
        """Name a label value; 255 is "void", what the set does not know "class <index>"."""
        if index == MAX_CLASSES:
            return VOID_NAME
        return self.labels[index].name if 0 <= index < len(self) else f"class {index}"

    def named_probabilities(self, probabilities: Mapping[int, float]) -> dict[str, float]:
        """Name the classes that an object may be.

        Args:
            probabilities: By class index, as ``Track.probabilities`` has them.

        Returns:
            The same by name, in the same order; what no class has is called "void", and left
            out where it is 0.
        """
        named: dict[str, float] = {}
        for index, value in probabilities.items():
            name = self.name_of(index)
            # A label set may have a class of that name.
            if value > 0.0 or index != MAX_CLASSES:
                named[name] = named.get(name, 0.0) + value
        return named

    def _table(self, flags: Sequence[bool]) -> NDArray[np.bool_]:
        table = np.zeros(256, np.bool_)
        table[: len(flags)] = flags
        return table


UNNAMED = LabelSet("unnamed", ())
"""Stands in where class indices came without their names."""
