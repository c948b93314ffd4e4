# SPDX-License-Identifier: Apache-2.0
"""Label sets as documents: YAML files, the JSON in a model, and those of the package."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from panoptic_ros.core.classes.labels import MAX_CLASSES, Label, LabelSet
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.document import nearest, parse_json, read_yaml_file
from panoptic_ros.core.files.resources import resource

SHIPPED = ("cityscapes", "coco", "ade20k", "mapillary")
"""Label sets in ``config/labels``; where several have a class of one name, the first counts."""

TRAITS = ("group", "is_flat", "is_vulnerable", "is_pavement")
"""What files need not say; what they don't is taken from the shipped label sets by name."""

_KEYS = tuple(entry.name for entry in fields(Label))
_NEEDED = ("index", "name", "is_thing", "color")


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
