# SPDX-License-Identifier: Apache-2.0
"""What an ONNX file says of itself, read without the onnx package.

Its metadata, and which other files it keeps its weights in: exporters put large weights beside the
model, and a retrained one may differ in them alone. The fields are those of ``onnx.proto``: a
tensor with ``data_location`` 1 names its file under the key ``location`` of ``external_data``,
relative to the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from panoptic_ros.core.errors import ModelError

_NESTED = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
"""Numbers of the fields that lead to tensors, and what they hold."""

_EXTERNAL_DATA, _DATA_LOCATION, _EXTERNAL = 13, 14, 1
_GRAPH, _METADATA = 7, 14


DAMAGED = "is not an ONNX model, or is damaged or cut off; copy it here again, or export it again"
"""What is said of a file that cannot be read as a model, whoever finds that out."""


def file_metadata(path: Path) -> dict[str, str]:
    """All metadata entries of a model.

    Raises:
        ModelError: It cannot be read, or is not a whole ONNX model.
    """
    content = _content(path)
    entries: dict[str, str] = {}
    has_graph = False
    try:
        for number, value in _fields(memoryview(content)):
            if not isinstance(value, memoryview):
                continue
            has_graph = has_graph or number == _GRAPH
            if number == _METADATA:
                entries.update([_entry(value)])
    except (ValueError, IndexError) as error:
        raise ModelError(f"{path}: {DAMAGED}") from error
    if not has_graph:
        raise ModelError(f"{path}: {DAMAGED}")
    return entries


def weight_files(path: Path) -> tuple[str, ...]:
    """Names of the files that hold weights of a model, relative to its folder, sorted.

    Args:
        path: The ONNX file; one that is not an ONNX model names none.

    Raises:
        ModelError: It cannot be read, or names a file outside of its folder.
    """
    content = _content(path)
    try:
        names = set(_locations(memoryview(content)))
    except (ValueError, IndexError):
        return ()
    for name in names:
        place = PurePosixPath(name)
        if place.is_absolute() or ".." in place.parts or not place.parts:
            raise ModelError(
                f"{path}: says that weights of it are in {name!r}, which is not in its folder; "
                "put the file beside the model and export it again"
            )
    return tuple(sorted(names))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from error


def _locations(model: memoryview) -> Iterator[str]:
    """Walk through a serialized ``ModelProto``; a list in place of calls bears any nesting."""
    left = [("model", model)]
    while left:
        kind, message = left.pop()
        if kind == "tensor":
            yield from _location(message)
            continue
        for number, value in _fields(message):
            if isinstance(value, memoryview) and number in _NESTED[kind]:
                left.append((_NESTED[kind][number], value))


def _location(tensor: memoryview) -> list[str]:
    """Name of the file that holds a tensor; empty where it is in the model itself."""
    entries: dict[str, str] = {}
    is_external = False
    for number, value in _fields(tensor):
        if number == _EXTERNAL_DATA and isinstance(value, memoryview):
            entries.update([_entry(value)])
        elif number == _DATA_LOCATION:
            is_external = value == _EXTERNAL
    return [entries["location"]] if is_external and "location" in entries else []


def _entry(message: memoryview) -> tuple[str, str]:
    """Read a ``StringStringEntryProto``."""
    words = {key: bytes(word) for key, word in _fields(message) if not isinstance(word, int)}
    return words.get(1, b"").decode(), words.get(2, b"").decode()


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Split a protobuf message into its fields.

    Yields:
        Number and value: the bytes of what has a length, the number of a varint; values of fixed
        size, which nothing here needs, are passed over.

    Raises:
        ValueError: It is no protobuf message.
        IndexError: It is cut off.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
        elif wire == 2:
            size, at = _varint(message, at)
            if at + size > len(message):
                raise IndexError("the message is cut off")
            yield key >> 3, message[at : at + size]
            at += size
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Read a varint; returns it and where the next value begins."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a varint has more than ten bytes")
