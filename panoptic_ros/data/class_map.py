# SPDX-License-Identifier: Apache-2.0
"""Classes under other names: a data set scored in a model's classes, or the other way round.

A file has two parts, both optional; a name maps to a name, or to null for "ignore":

    truth: {Road: road, Lane Marking - General: road, "*": null}
    prediction: {person: pedestrian, "*": background}

``"*"`` is what all other names become that nothing else is named after; without it, a class keeps
its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.classes.label_table import (
    OTHERS,
    LabelTable,
    NameRules,
    TargetClass,
    target_name,
)
from panoptic_ros.core.errors import ConfigError, DataError, listed
from panoptic_ros.core.files.document import read_yaml_file
from panoptic_ros.core.types import NO_ID, VOID
from panoptic_ros.data.label_map import LabelMap

_MOST_OBJECTS = 1 << 16


@dataclass(frozen=True)
class ClassMapFile:
    """What becomes of the names of a data set and of those of what is scored."""

    truth: NameRules = field(default_factory=dict)
    prediction: NameRules = field(default_factory=dict)


def read_class_map(path: Path) -> ClassMapFile:
    """Read a file of rules.

    Raises:
        ConfigError: The file is missing, is not YAML or says something else.
    """
    try:
        document = read_yaml_file(path)
    except ConfigError as error:
        raise ConfigError(f"class map {path}: {error}") from error
    parts = {"truth", "prediction"}
    if not isinstance(document, dict) or not document or set(document) - parts:
        raise ConfigError(f"class map {path}: needs the keys 'truth', 'prediction' or both")
    return ClassMapFile(**{part: _rules(path, part, rules) for part, rules in document.items()})


def _rules(path: Path, part: str, rules: Any) -> NameRules:
    if not isinstance(rules, dict):
        raise ConfigError(f"class map {path}: {part} is {rules!r}, needs name: name")
    for name, target in rules.items():
        if not isinstance(name, str) or not (target is None or isinstance(target, str)):
            raise ConfigError(
                f"class map {path}: {part} has {name!r}: {target!r}, needs a name and a name or "
                "null; put names like 'no' in quotes"
            )
    return rules


def renamed(categories: Sequence[Category], rules: NameRules) -> tuple[Category, ...]:
    """List the classes that a data set has under the rules, in the order they first occur.

    A class made of several is a thing if all of them are.

    Raises:
        DataError: A rule names a class that the data set lacks, or no class is left.
    """
    names = [category.name for category in categories]
    strangers = sorted(set(rules) - set(names) - {OTHERS})
    if strangers:
        raise DataError(
            f"the class map renames {strangers[0]!r}, which the data set does not have; it has "
            f"{listed(names)}"
        )
    goals = set(rules.values())
    parts: dict[str, list[Category]] = {}
    for category in categories:
        target = target_name(category.name, goals, {OTHERS: category.name, **rules})
        if target:
            parts.setdefault(target, []).append(category)
    if not parts:
        raise DataError("the class map leaves no class of the data set")
    return tuple(
        Category(place, name, all(entry.is_thing for entry in entries), entries[0].color)
        for place, (name, entries) in enumerate(parts.items())
    )


class LabelMapTable:
    """A ``LabelTable`` for maps with objects, which stay apart where their classes become one.

    Args:
        names: What the values 0, 1, ... of the maps mean.
        categories: The classes wanted.
        rules: Where names differ.

    Attributes:
        lacking: The classes wanted to which no name leads.

    Raises:
        DataError: Not one name leads to a class that is wanted.
    """

    def __init__(
        self, names: Sequence[str], categories: Sequence[Category], rules: NameRules | None = None
    ) -> None:
        targets = tuple(TargetClass(one.name, place) for place, one in enumerate(categories))
        self._table = LabelTable.by_name("", targets, names, rules or {}, VOID)
        if (self._table.values == VOID).all():
            wanted = listed(entry.name for entry in targets)
            raise DataError(
                f"no class name in common: {listed(names)} on one side, {wanted} on the other; "
                "name them with --map"
            )
        self._rank, self._merged = self._ranks(categories)
        reached = set(self._table.values.tolist())
        self.lacking = [one.name for place, one in enumerate(targets) if place not in reached]

    def _ranks(self, categories: Sequence[Category]) -> tuple[NDArray[np.uint16], int]:
        """Number those that become one thing, so that their objects stay apart."""
        rank = np.zeros(256, np.uint16)
        seen: dict[int, int] = {}
        for value, target in enumerate(self._table.values.tolist()):
            if target != VOID and categories[target].is_thing:
                rank[value] = seen.get(target, 0)
                seen[target] = seen.get(target, 0) + 1
        return rank, max(seen.values(), default=1)

    def apply(self, image: LabelMap) -> LabelMap:
        """Turn one map.

        Raises:
            DataError: There are too many objects to keep those of merged classes apart.
        """
        labels = self._table.apply(image.labels)
        ids = np.where(labels == VOID, np.uint16(NO_ID), image.ids)
        if self._merged > 1:
            if int(ids.max(initial=0)) * self._merged >= _MOST_OBJECTS:
                raise DataError(
                    f"object number {int(ids.max())} is too large to merge {self._merged} classes"
                )
            apart = ids * np.uint16(self._merged) - self._rank[image.labels]
            ids = np.where(ids == NO_ID, np.uint16(NO_ID), apart)
        return LabelMap(labels, ids)
