# SPDX-License-Identifier: Apache-2.0
"""Fields of annotation files, checked where they are read, so that messages say where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.document import parse_json


class MalformedError(Exception):
    """What is wrong inside a document, and where; the reader adds the file's name."""


def read_document(path: Path, encoding: str = "utf-8") -> Any:
    """Parse a JSON file.

    Raises:
        DataError: The file is missing or is not JSON.
    """
    try:
        return parse_json(path.read_text(encoding=encoding))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise DataError(f"{path}: is not JSON ({error})") from error


def entries(document: Any, name: str, where: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Pass on each mapping of a list with its place, e.g. ``annotations[3]``.

    Args:
        document: The mapping that holds the list.
        name: Key of the list.
        where: Place of the document itself, before the list's name.

    Raises:
        MalformedError: There is no such list, or it holds something else.
    """
    listed = document.get(name) if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        raise MalformedError(f"{where}has no list {name!r}")
    for number, entry in enumerate(listed):
        if not isinstance(entry, Mapping):
            raise MalformedError(f"{where}{name}[{number}] is {entry!r}, needs a mapping")
        yield f"{where}{name}[{number}]", entry


def whole_number(entry: Mapping[str, Any], name: str, where: str) -> int:
    """Read a whole number; 1.0 and true are taken for 1, as some writers mean them.

    Raises:
        MalformedError: The field is missing or is not a whole number.
    """
    value = entry.get(name)
    if not isinstance(value, (int, float)) or value % 1 != 0:
        raise MalformedError(f"{where}: {name} is {value!r}, needs a whole number")
    return int(value)


def text(entry: Mapping[str, Any], name: str, where: str) -> str:
    """Read a text that is not empty.

    Raises:
        MalformedError: The field is missing, empty or no text.
    """
    value = entry.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedError(f"{where}: {name} is {value!r}, needs a text")
    return value
