# SPDX-License-Identifier: Apache-2.0
"""By which outline a piece of a crowd is taken for one object: rules per class, from a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.document import nearest, read_yaml_file
from panoptic_ros.core.files.resources import resource
from panoptic_ros.data.crowds.pieces import Piece

SHIPPED = "street"
"""The rules that come with the package; chosen for street images."""

_KEYS = ("aspect", "solidity", "area")


@dataclass(frozen=True)
class ShapeRule:
    """What one object of a class looks like.

    Attributes:
        aspect: Least and largest width by height of its box.
        solidity: Least share of its convex hull, 0..1.
        area: Least pixels.
    """

    aspect: tuple[float, float]
    solidity: float
    area: int

    def fits(self, piece: Piece) -> bool:
        """Whether a piece looks like one object."""
        least, most = self.aspect
        return (
            piece.area >= self.area
            and least <= piece.aspect <= most
            and piece.solidity >= self.solidity
        )


Shapes = Mapping[str, ShapeRule]
"""Rules by the name of the class; a class without one has none of its crowds told by shape."""


def find_shapes(word: str) -> Path:
    """Find the file of rules that a word means.

    Args:
        word: The name of a file in ``config/shapes`` without its ending, or a path.

    Raises:
        ConfigError: There is no such file in that folder.
    """
    path = Path(word).expanduser()
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        return path
    folder = resource("config", "shapes")
    names = sorted(found.stem for found in folder.glob("*.yaml"))
    if word not in names:
        raise ConfigError(
            f"shape rules {word!r} are not in {folder}, which has {', '.join(names)}; name a "
            ".yaml file"
        )
    return folder / f"{word}.yaml"


def read_shapes(path: Path) -> Shapes:
    """Read a file of rules; ``config/shapes/street.yaml`` shows the form.

    Raises:
        ConfigError: The file is missing, is not YAML or cannot be used; the message names it.
    """
    try:
        document = read_yaml_file(path)
        if not isinstance(document, dict) or set(document) != {"name", "classes"}:
            raise ConfigError("needs the keys name and classes")
        classes = document["classes"]
        if not isinstance(classes, dict) or not classes:
            raise ConfigError(f"classes is {classes!r}, needs a rule per class")
        return {str(name): _rule(str(name), entry) for name, entry in classes.items()}
    except ConfigError as error:
        raise ConfigError(f"shape rules {path}: {error}") from error


def _rule(name: str, entry: Any) -> ShapeRule:
    if not isinstance(entry, dict):
        raise ConfigError(f"class {name}: is {entry!r}, needs the keys {', '.join(_KEYS)}")
    for key in entry:
        if key not in _KEYS:
            raise ConfigError(f"class {name}: has no key {key!r}{nearest(str(key), _KEYS)}")
    for key in _KEYS:
        if key not in entry:
            raise ConfigError(f"class {name}: lacks {key}")
    solidity, area = entry["solidity"], entry["area"]
    if not _is_number(solidity) or not 0 <= solidity <= 1:
        raise ConfigError(f"class {name}: solidity is {solidity!r}, needs a number 0..1")
    if type(area) is not int or area < 1:
        raise ConfigError(f"class {name}: area is {area!r}, needs whole pixels, 1 or more")
    return ShapeRule(_aspect(name, entry["aspect"]), float(solidity), area)


def _aspect(name: str, pair: Any) -> tuple[float, float]:
    is_pair = isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair))
    if not is_pair or not 0 < pair[0] <= pair[1]:
        raise ConfigError(
            f"class {name}: aspect is {pair!r}, needs [least, largest] width / height, above 0"
        )
    return float(pair[0]), float(pair[1])


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
