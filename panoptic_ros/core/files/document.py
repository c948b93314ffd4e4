# SPDX-License-Identifier: Apache-2.0
"""Parse JSON and YAML that may come from anybody: whatever is wrong with it is one error."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.limits import MAX_YAML_BYTES

_DEEPEST = 50
_MOST_LISTED = 10


class DocumentError(ValueError):
    """What is wrong with the text; the reader adds the file's name and what it needs."""


def reason_of(error: Exception) -> str:
    """Say why a document cannot be read, or is not what it should be, as people would.

    >>> reason_of(KeyError("images")), reason_of(ValueError("id is 'a'"))
    ("'images' is missing", "id is 'a'")
    >>> reason_of(FileNotFoundError(2, "No such file or directory", "a.json"))
    'No such file or directory'
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, KeyError) and error.args:
        return f"{error.args[0]!r} is missing"
    return str(error) or type(error).__name__


def parse_json(text: str) -> Any:
    """Parse a JSON text.

    Raises:
        DocumentError: It is not JSON, or nested too deeply.

    >>> parse_json("[1, 2]")
    [1, 2]
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise DocumentError("nested too deeply") from None
    except ValueError as error:
        raise DocumentError(str(error)) from error


def nearest(word: str, words: Iterable[str]) -> str:
    """Say which known word may have been meant; where none is like it, which there are.

    >>> nearest("is_driveable", ("is_thing", "is_drivable"))
    "; the nearest is 'is_drivable'"
    >>> nearest("colour", ("is_thing", "is_drivable"))
    '; there are: is_thing, is_drivable'
    """
    known = list(words)
    folded = {entry.casefold(): entry for entry in reversed(known)}
    near = difflib.get_close_matches(word.casefold(), folded, n=1)
    if near:
        return f"; the nearest is {folded[near[0]]!r}"
    if len(known) <= _MOST_LISTED:
        return f"; there are: {', '.join(known)}" if known else ""
    likest = difflib.get_close_matches(word.casefold(), folded, n=_MOST_LISTED, cutoff=0.0)
    shown = ", ".join(folded[entry] for entry in likest)
    return f"; there are: {shown} and {len(known) - len(likest)} more"


def read_yaml_file(path: Path) -> Any:
    """Parse a YAML file of plain values; whatever is wrong with it is the user's to mend.

    Raises:
        ConfigError: It cannot be read or is not YAML; the message does not name the file.
    """
    try:
        return read_yaml(path)
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror or error})") from error
    except DocumentError as error:
        raise ConfigError(f"is not YAML ({error})") from error


def read_yaml(path: Path) -> Any:
    """Parse a YAML file of plain values.

    Raises:
        OSError: It cannot be opened.
        DocumentError: It is not YAML in UTF-8, is larger than ``MAX_YAML_BYTES``, is nested too
            deeply, or refers to parts of itself, which a few lines can make larger than memory.
    """
    return parse_yaml(read_text(path))


def read_text(path: Path) -> str:
    """Read a small text file.

    Raises:
        OSError: It cannot be opened.
        DocumentError: It is not UTF-8, or larger than ``MAX_YAML_BYTES``.
    """
    with path.open("rb") as file:
        content = file.read(MAX_YAML_BYTES + 1)
    if len(content) > MAX_YAML_BYTES:
        raise DocumentError(f"larger than {MAX_YAML_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(str(error)) from error


def parse_yaml(text: str) -> Any:
    """Parse a YAML text of plain values.

    Raises:
        DocumentError: It is not YAML, is nested too deeply, refers to parts of itself, or says
            a key of a mapping twice, of which only one would be read.

    >>> parse_yaml("a: [1, 2]")
    {'a': [1, 2]}
    """
    import yaml

    try:
        _check_tokens(yaml.scan(text, Loader=yaml.SafeLoader))
        return _built(yaml.SafeLoader(text))
    # The parser raises more than it says: dates and numbers that there are not, for example.
    except (yaml.YAMLError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        raise DocumentError(_in_one_line(error)) from error
    except ValueError as error:
        raise error if isinstance(error, DocumentError) else DocumentError(str(error)) from error


def _in_one_line(error: Exception) -> str:
    """Say what is wrong and where, without the parser's drawing of the place."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None or not problem:
        return " ".join(str(error).split())
    context = getattr(error, "context", None)
    return f"line {mark.line + 1}, column {mark.column + 1}: " + ", ".join(
        words for words in (context, problem) if words
    )


def _built(loader: Any) -> Any:
    """Build the values of a text that a loader of PyYAML reads."""
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _check_keys(root)
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _check_keys(root: Any) -> None:
    """Refuse a mapping that says a key twice."""
    left = [root]
    while left:
        inner = left.pop().value
        if not isinstance(inner, list):
            continue
        pairs = [entry for entry in inner if isinstance(entry, tuple)]
        seen: set[tuple[str, str]] = set()
        for key, value in pairs:
            title = (key.tag, str(key.value))
            if title in seen:
                line = key.start_mark.line + 1
                raise DocumentError(f"the key {key.value!r} stands twice, again in line {line}")
            seen.add(title)
            left.append(value)
        left.extend(entry for entry in inner if not isinstance(entry, tuple))


def _check_tokens(tokens: Iterable[Any]) -> None:
    """Refuse what the parser would take for ever, or too much memory, to build."""
    depth = 0
    for token in tokens:
        kind = type(token).__name__
        if kind == "AliasToken":
            raise DocumentError(f"the alias *{token.value} is not taken; write it out")
        if kind.endswith("StartToken") and kind != "DocumentStartToken":
            depth += 1
        elif kind.endswith("EndToken") and kind != "DocumentEndToken":
            depth -= 1
        if depth > _DEEPEST:
            raise DocumentError("nested too deeply")
