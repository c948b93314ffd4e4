# SPDX-License-Identifier: Apache-2.0
"""Which classes of a hub checkpoint are things and which can be driven on.

A checkpoint only names its classes. The names tell the data set, whose label set we have; names
that no label set knows are taken for stuff that cannot be driven on, and are reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from panoptic_ros.core.classes.label_documents import SHIPPED, shipped_label_set
from panoptic_ros.core.classes.labels import MAX_CLASSES, Label, LabelSet
from panoptic_ros.core.errors import ConfigError

_UNKNOWN = Label(0, "", False, False, (128, 128, 128))


def shipped_label_sets() -> list[LabelSet]:
    """Label sets that come with the package."""
    return [shipped_label_set(name) for name in SHIPPED]


def guess_labels(
    names: Mapping[int, str], known: list[LabelSet], title: str = "hub"
) -> tuple[LabelSet, tuple[str, ...]]:
    """Make a label set of class names.

    Args:
        names: Name by index, as ``config.id2label``.
        known: Label sets to learn from; the one that shares most names counts first.
        title: Name of the label set where its classes are not exactly those of a known one.

    Returns:
        The label set, and the names that none of ``known`` has.

    Raises:
        ConfigError: Too many classes, or the indices have a gap.
    """
    if sorted(names) != list(range(len(names))) or not 0 < len(names) <= MAX_CLASSES:
        raise ConfigError(
            f"the checkpoint has {len(names)} classes, needs 1 to {MAX_CLASSES} that are numbered "
            "0, 1, 2, ... without a gap"
        )
    plain = [_plain(names[index]) for index in range(len(names))]
    tables = [{_plain(label.name): label for label in entry.labels} for entry in known]
    order = sorted(range(len(known)), key=lambda at: -sum(name in tables[at] for name in plain))
    found: dict[str, Label] = {}
    for at in reversed(order):
        found.update(tables[at])
    labels = tuple(
        _label(index, names[index], found.get(plain[index]), names[index] in taken)
        for index, taken in _with_earlier(names)
    )
    unknown = tuple(names[index] for index, name in enumerate(plain) if name not in found)
    # Files of consumers know a label set by its name, so only the same classes may have it.
    is_known = sorted(plain) == sorted(_plain(label.name) for label in known[order[0]].labels)
    return LabelSet(known[order[0]].name if is_known else title, labels), unknown


def called_otherwise(names: Mapping[int, str], labels: LabelSet) -> list[str]:
    """List the classes that a label set calls otherwise than the checkpoint.

    Args:
        names: Name by index, as ``config.id2label``; ``LABEL_7`` and the like name nothing.
        labels: The label set.
    """
    return [
        f"{index} {name!r} becomes {labels.labels[index].name!r}"
        for index, name in sorted(names.items())
        if _plain(name) != _plain(labels.labels[index].name) and not name.startswith("LABEL_")
    ]


def _with_earlier(names: Mapping[int, str]) -> list[tuple[int, set[str]]]:
    """Pair every index with the names before it."""
    return [(index, {names[other] for other in range(index)}) for index in range(len(names))]


def _plain(name: str) -> str:
    """Write a name so that spellings of one class meet: 'tree-merged', 'Tree' -> 'tree'."""
    plain = name.casefold().replace("_", " ").replace("-", " ").split(",")[0]
    words = [word for word in plain.split() if word not in ("merged", "other", "stuff")]
    return " ".join(words) or plain.strip()


def _label(index: int, name: str, like: Label | None, taken: bool) -> Label:
    # Names must differ, as Nav2 finds classes by them.
    return replace(like or _UNKNOWN, index=index, name=f"{name} ({index})" if taken else name)
