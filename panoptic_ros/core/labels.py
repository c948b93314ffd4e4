# SPDX-License-Identifier: Apache-2.0
"""What class numbers mean: names, thing or stuff, drivable, colour."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.document import DocumentError, parse_json, read_yaml

MAX_CLASSES = 255
"""Class indices are 0..254; 255 is void."""


@dataclass(frozen=True)
class Label:
    """One class.

    Attributes:
        index: Its value in label images, 0..254.
        name: As the data set's authors write it.
        is_thing: Whether single objects of it are told apart.
        is_drivable: Whether a car may drive on it.
        color: RGB, 0..255 each.
    """

    index: int
    name: str
    is_thing: bool
    is_drivable: bool
    color: tuple[int, int, int]


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
        """Name a class; one that the set does not know is called by its index."""
        return self.labels[index].name if 0 <= index < len(self) else f"class {index}"

    def _table(self, flags: Sequence[bool]) -> NDArray[np.bool_]:
        table = np.zeros(256, np.bool_)
        table[: len(flags)] = flags
        return table


UNNAMED = LabelSet("unnamed", ())
"""Stands in where class indices came without their names."""


def to_json(labels: LabelSet) -> str:
    """Write a label set as the JSON that model files carry."""
    return json.dumps({"name": labels.name, "labels": [asdict(entry) for entry in labels.labels]})


def from_json(text: str) -> LabelSet:
    """Read what ``to_json`` wrote.

    Raises:
        ConfigError: It is not JSON or not a label set.
    """
    try:
        document = parse_json(text)
    except ValueError as error:
        raise ConfigError(f"label set is not JSON: {error}") from error
    return from_document(document)


def read_label_set(path: Path) -> LabelSet:
    """Read a label set from a YAML file; ``config/labels/cityscapes.yaml`` shows the form.

    Raises:
        ConfigError: The file is missing, is not YAML or is not a label set.
    """
    try:
        document = read_yaml(path)
    except OSError as error:
        raise ConfigError(f"label set {path}: cannot be read ({error.strerror})") from error
    except DocumentError as error:
        raise ConfigError(f"label set {path}: is not YAML ({error})") from error
    try:
        return from_document(document)
    except ConfigError as error:
        raise ConfigError(f"label set {path}: {error}") from error


def from_document(document: Any) -> LabelSet:
    """Check a parsed label set.

    Args:
        document: ``{"name": str, "labels": [{"index", "name", "is_thing", "is_drivable",
            "color"}, ...]}``; ``is_drivable`` may be absent, which is no.

    Raises:
        ConfigError: A field is missing or wrong, an index is missing, or a name occurs twice.
    """
    if not isinstance(document, dict) or not isinstance(document.get("labels"), list):
        raise ConfigError("needs the keys 'name' and 'labels' (a list)")
    labels = tuple(_label(entry) for entry in document["labels"])
    indices = [label.index for label in labels]
    if not labels or len(labels) > MAX_CLASSES:
        raise ConfigError(f"has {len(labels)} classes, needs 1 to {MAX_CLASSES}")
    if indices != list(range(len(labels))):
        found = ", ".join(map(str, indices))
        raise ConfigError(f"indices must run 0, 1, 2, ... without a gap; found {found}")
    names = [label.name for label in labels]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"class names must differ; found twice: {', '.join(twice)}")
    return LabelSet(str(document.get("name", "")), labels)


def _label(entry: Any) -> Label:
    if not isinstance(entry, dict):
        raise ConfigError(f"each label needs to be a mapping, found {entry!r}")
    missing = {"index", "name", "is_thing", "color"} - set(entry)
    if missing:
        raise ConfigError(f"label {entry!r} lacks {', '.join(sorted(missing))}")
    color = entry["color"]
    if not (isinstance(color, (list, tuple)) and len(color) == 3):
        raise ConfigError(f"label {entry['name']!r}: color is {color!r}, needs [red, green, blue]")
    if not all(type(value) is int and 0 <= value <= 255 for value in color):
        raise ConfigError(f"label {entry['name']!r}: color {color!r} needs numbers 0..255")
    if type(entry["index"]) is not int:
        raise ConfigError(f"label {entry['name']!r}: index is {entry['index']!r}, needs a number")
    return Label(
        index=entry["index"],
        name=str(entry["name"]),
        is_thing=bool(entry["is_thing"]),
        is_drivable=bool(entry.get("is_drivable", False)),
        color=(color[0], color[1], color[2]),
    )
