# SPDX-License-Identifier: Apache-2.0
"""What class numbers mean: names, thing or stuff, drivable, colour, and what kind of object."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.document import nearest, parse_json, read_yaml_file
from panoptic_ros.core.files.resources import resource

MAX_CLASSES = 255
"""Class indices are 0..254; 255 is void."""

VOID_NAME = "void"
"""What 255 is called."""

SHIPPED = ("cityscapes", "coco", "ade20k", "mapillary")
"""Label sets in ``config/labels``; where several have a class of one name, the first counts."""


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


TRAITS = ("group", "is_flat", "is_vulnerable", "is_pavement")
"""What files need not say; what they don't is taken from the shipped label sets by name."""

_KEYS = tuple(entry.name for entry in fields(Label))
_NEEDED = ("index", "name", "is_thing", "color")


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
        """Name a class; one that the set does not know is called by its index."""
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
            name = VOID_NAME if index == MAX_CLASSES else self.name_of(index)
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
        return from_document(read_yaml_file(path))
    except ConfigError as error:
        raise ConfigError(f"label set {path}: {error}") from error


def find_label_set(word: str) -> LabelSet:
    """Read the label set that a user means.

    Args:
        word: Name of a shipped label set, or path of a YAML file.

    Raises:
        ConfigError: There is none, or it is no label set.
    """
    path = Path(word).expanduser()
    if path.suffix or len(path.parts) > 1:
        return read_label_set(path)
    if word not in SHIPPED:
        raise ConfigError(
            f"no label set {word!r}; there are {', '.join(SHIPPED)}, or give a .yaml file"
        )
    return shipped_label_set(word)


@lru_cache(maxsize=len(SHIPPED))
def shipped_label_set(name: str) -> LabelSet:
    """Read one of ``SHIPPED``."""
    return _parsed(read_yaml_file(resource("config", "labels", f"{name}.yaml")), fills=False)


@lru_cache(maxsize=1)
def known_labels() -> dict[str, Label]:
    """All shipped classes by name; where several sets have one, the first counts."""
    known: dict[str, Label] = {}
    for name in SHIPPED:
        for label in shipped_label_set(name).labels:
            known.setdefault(label.name, label)
    return known


@lru_cache(maxsize=1)
def _folded_labels() -> dict[str, Label]:
    return {name.casefold(): label for name, label in reversed(known_labels().items())}


def from_document(document: Any) -> LabelSet:
    """Check a parsed label set.

    Args:
        document: ``{"name": str, "labels": [{"index", "name", "is_thing", "is_drivable",
            "color", *TRAITS}, ...]}``; ``is_drivable`` may be absent, which is no, and so may
            each of ``TRAITS``, which then is that of the shipped class of this name.

    Raises:
        ConfigError: A key is missing, unknown or has a wrong value, an index is missing, or a
            name occurs twice.
    """
    return _parsed(document, fills=True)


def _parsed(document: Any, fills: bool) -> LabelSet:
    if not isinstance(document, dict) or not isinstance(document.get("labels"), list):
        raise ConfigError("needs the keys 'name' and 'labels' (a list)")
    if set(document) != {"name", "labels"}:
        found = ", ".join(map(str, document))
        raise ConfigError(f"needs the keys 'name' and 'labels' and no others; found {found}")
    name = str(document["name"])
    entries = [_checked(entry) for entry in document["labels"]]
    if fills:
        entries = [{**_traits(entry, name), **entry} for entry in entries]
    labels = tuple(map(_label, entries))
    _check_classes(labels)
    return LabelSet(name, labels)


def _check_classes(labels: Sequence[Label]) -> None:
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


def _traits(entry: dict[str, Any], set_name: str) -> dict[str, Any]:
    """Traits of the shipped class of a name; of its own label set if that is a shipped one.

    Models that were exported before files had traits are described here and nowhere else.
    """
    if all(trait in entry for trait in TRAITS):
        return {}
    name = str(entry["name"])
    own = shipped_label_set(set_name).labels if set_name in SHIPPED else ()
    like = next((label for label in own if label.name == name), None)
    like = like or known_labels().get(name) or _folded_labels().get(name.casefold())
    return {trait: getattr(like, trait) for trait in TRAITS} if like else {}


def _checked(entry: Any) -> dict[str, Any]:
    """Refuse an entry with keys or values that a class cannot have."""
    if not isinstance(entry, dict):
        raise ConfigError(f"each label needs to be a mapping, found {entry!r}")
    missing = set(_NEEDED) - set(entry)
    if missing:
        raise ConfigError(f"label {entry!r} lacks {', '.join(sorted(missing))}")
    where = f"label {entry['name']!r}"
    for key, value in entry.items():
        if key not in _KEYS:
            raise ConfigError(f"{where}: has no key {key!r}{nearest(str(key), _KEYS)}")
        if str(key).startswith("is_") and not isinstance(value, bool):
            raise ConfigError(f"{where}: {key} is {value!r}, needs true or false")
    if not isinstance(entry.get("group", ""), str):
        raise ConfigError(f"{where}: group is {entry['group']!r}, needs a word")
    if type(entry["index"]) is not int:
        raise ConfigError(f"{where}: index is {entry['index']!r}, needs a number")
    _check_color(where, entry["color"])
    return entry


def _check_color(where: str, color: Any) -> None:
    if not (isinstance(color, (list, tuple)) and len(color) == 3):
        raise ConfigError(f"{where}: color is {color!r}, needs [red, green, blue]")
    if not all(type(value) is int and 0 <= value <= 255 for value in color):
        raise ConfigError(f"{where}: color {color!r} needs numbers 0..255")


def _label(entry: dict[str, Any]) -> Label:
    told = {key: entry[key] for key in _KEYS if key in entry}
    return Label(
        **{
            "is_drivable": False,
            **told,
            "name": str(entry["name"]),
            "color": tuple(entry["color"]),
        }
    )
