# SPDX-License-Identifier: Apache-2.0
"""A model's classes in the words and numbers of whoever consumes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from panoptic_ros.core.classes.label_table import LabelTable, TargetClass
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.errors import ConfigError, listed
from panoptic_ros.core.files.document import nearest, read_yaml_file
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.parameters import param

_KEYS = ("name", "classes", "default", "label_sets")


@dataclass(frozen=True)
class RemapConfig:
    """Which file turns the model's classes into those of a topic's consumers."""

    label: str = param(
        "nav2", "Classes of ~/remapped/label: a name in config/remap or the path of a file."
    )
    autoware_mask: str = param("autoware", "Classes of ~/autoware_mask, likewise.")
    autoware_rois: str = param("autoware_objects", "Classes of ~/autoware_rois, likewise.")
    dynamic_mask: str = param("nvblox", "Values of ~/dynamic_mask, likewise.")
    panoptic: str = param("", "Classes of ~/panoptic, likewise; '' for the model's own.")


USUAL_REMAPS = RemapConfig()
"""The files where nobody says otherwise."""

REMAPPED_TOPICS = {
    "remapped/label": "label",
    "autoware_mask": "autoware_mask",
    "autoware_rois": "autoware_rois",
    "dynamic_mask": "dynamic_mask",
    "panoptic": "panoptic",
}
"""The parameter in ``RemapConfig`` that names each topic's file."""

OPTIONAL_REMAPS = ("panoptic",)
"""Topics in the model's own classes where no file is named; the others are silent then."""


@dataclass(frozen=True)
class RemapFile:
    """What a remap file says, for every label set it knows.

    Attributes:
        name: The consumer.
        classes: Its classes.
        default: Class of void, and of what the file does not name.
        label_sets: By label set, then by the model's class name, the consumer's class name.
        place: The file that it was read from, for messages; the consumer where there is none.
    """

    name: str
    classes: tuple[TargetClass, ...]
    default: str
    label_sets: Mapping[str, Mapping[str, str]]
    place: str = ""

    def knows(self, labels: LabelSet) -> bool:
        """Whether the file has a section for a label set, and the set all classes in it."""
        return not self.misfit(labels)

    def misfit(self, labels: LabelSet) -> str:
        """Say why the file cannot serve a label set; empty where it can."""
        if labels.name not in self.label_sets:
            only = listed(map(repr, self.label_sets))
            return f"says nothing about label set {labels.name!r}, only about {only}"
        names = [label.name for label in labels.labels]
        lacked = [name for name in self.label_sets[labels.name] if name not in names]
        if not lacked:
            return ""
        return (
            f"names {lacked[0]!r}, which this model's label set {labels.name!r} lacks"
            f"{nearest(lacked[0], names)}"
        )

    def fit(self, labels: LabelSet) -> LabelTable:
        """Make the table for a model.

        Args:
            labels: The model's classes.

        Raises:
            ConfigError: No section for this label set, or one with a class that it lacks.
        """
        if labels.name not in self.label_sets:
            raise ConfigError(
                f"remap {self.place or self.name} says nothing about label set {labels.name!r}, "
                f"only about {', '.join(self.label_sets)}; copy the file and add a section "
                f"{labels.name!r}"
            )
        section = self.label_sets[labels.name]
        names = [label.name for label in labels.labels]
        for source in section:
            _known(source, names, f"remap {self.place or self.name}: label set {labels.name}")
        # A class that the section leaves out is the default, even if a consumer's is called so.
        rules = {**dict.fromkeys(names, self.default), **section}
        default = next(entry.value for entry in self.classes if entry.name == self.default)
        return LabelTable.by_name(self.name, self.classes, names, rules, default)


def usual_remaps(labels: LabelSet, config: RemapConfig = USUAL_REMAPS) -> dict[str, LabelTable]:
    """Tables by topic as the parameters say, for as many as know a label set.

    Raises:
        ConfigError: A file is missing or wrong.
    """
    rules = {
        topic: read_remap(find_remap(getattr(config, parameter)))
        for topic, parameter in REMAPPED_TOPICS.items()
        if getattr(config, parameter)
    }
    return {topic: entry.fit(labels) for topic, entry in rules.items() if entry.knows(labels)}


def why_no_remap(topic: str, labels: LabelSet, config: RemapConfig = USUAL_REMAPS) -> str:
    """Say why a topic is not among ``usual_remaps``, and what helps."""
    parameter = REMAPPED_TOPICS[topic]
    word = getattr(config, parameter)
    if not word:
        return f"remap.{parameter} names no file"
    path = find_remap(word)
    name = word if Path(word) == path else f"config/remap/{path.name}"
    return f"{name} {read_remap(path).misfit(labels)}; set remap.{parameter} to a file that fits"


def find_remap(word: str) -> Path:
    """Find the file that a parameter means.

    Args:
        word: The name of a file in ``config/remap`` without its ending, or a path.

    Raises:
        ConfigError: There is no such file.
    """
    path = Path(word).expanduser()
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        return path
    folder = resource("config", "remap")
    names = sorted(found.stem for found in folder.glob("*.yaml"))
    return folder / f"{_known(word, names, f'remap folder {folder}', 'file')}.yaml"


def read_remap(path: Path) -> RemapFile:
    """Read a remap file; ``config/remap/autoware.yaml`` shows the form.

    Raises:
        ConfigError: The file is missing, is not YAML or cannot be used; the message names it.
    """
    try:
        return replace(remap_from_document(read_yaml_file(path)), place=str(path))
    except ConfigError as error:
        raise ConfigError(f"remap {path}: {error}") from error


def remap_from_document(document: Any) -> RemapFile:
    """Check a parsed remap file.

    Args:
        document: ``{"name": str, "classes": {name: value}, "default": name, "label_sets":
            {label set: {consumer's class: [the model's classes]}}}``.

    Raises:
        ConfigError: A key is missing, a class is unknown or named twice, a value is not 0..255.
    """
    if document is None:
        raise ConfigError(f"the file is empty, needs the keys {', '.join(_KEYS)}")
    if not isinstance(document, dict) or set(document) != set(_KEYS):
        found = ", ".join(map(str, document)) if isinstance(document, dict) else repr(document)
        raise ConfigError(f"needs the keys {', '.join(_KEYS)}; found {found}")
    classes = _classes(document["classes"])
    names = [entry.name for entry in classes]
    default = _known(str(document["default"]), names, "default")
    sections = document["label_sets"]
    if not isinstance(sections, dict) or not sections:
        raise ConfigError("label_sets needs a section per label set, such as cityscapes")
    return RemapFile(
        str(document["name"]),
        classes,
        default,
        {str(title): _section(str(title), groups, names) for title, groups in sections.items()},
    )


def _classes(entries: Any) -> tuple[TargetClass, ...]:
    if not isinstance(entries, dict) or not entries:
        raise ConfigError(f"classes is {entries!r}, needs names with values, such as ROAD: 9")
    for name, value in entries.items():
        if type(value) is not int or not 0 <= value <= 255:
            raise ConfigError(f"class {name}: value is {value!r}, needs a whole number 0..255")
    return tuple(TargetClass(str(name), value) for name, value in entries.items())


def _section(title: str, groups: Any, names: list[str]) -> dict[str, str]:
    """Turn a section around: the consumer's class by the model's class."""
    if not isinstance(groups, dict):
        raise ConfigError(f"label set {title}: needs lists of classes, found {groups!r}")
    turned: dict[str, str] = {}
    for target, sources in groups.items():
        known = _known(str(target), names, f"label set {title}: the consumer")
        if not isinstance(sources, list):
            raise ConfigError(f"label set {title}: {target} needs a list, found {sources!r}")
        for source in map(str, sources):
            if source in turned:
                raise ConfigError(
                    f"label set {title}: {source!r} is given to {turned[source]} and to {known}"
                )
            turned[source] = known
    return turned


def _known(name: str, names: Iterable[str], where: str, what: str = "class") -> str:
    """Give the name back, or complain and say which one may be meant."""
    kept = list(names)
    if name in kept:
        return name
    raise ConfigError(f"{where} has no {what} {name!r}{nearest(name, kept)}")
