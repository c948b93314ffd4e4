# SPDX-License-Identifier: Apache-2.0
"""From what the user wrote to the addresses of bags: files, folders, patterns, lists, stores."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.core.files.document import reason_of
from panoptic_ros.fleet import remote
from panoptic_ros.recordings.open_bag import BAG_SUFFIXES
from panoptic_ros.recordings.storage.metadata import NAME as METADATA
from panoptic_ros.recordings.storage.packed_file import plain_name

_PATTERN = re.compile(r"[*?\[]")
_LISTS = (".txt", ".list")
_RESULT = re.compile(r"-[0-9a-f]{10}/[^/]+\.labels\.mcap$")
"""A bag of labels where ``FleetFolder`` puts it, see ``bag_id``."""


def bags_of(words: Iterable[str], on_repeat: Callable[[str], object] | None = None) -> list[str]:
    """List the addresses of all bags, each once, in the order in which they are met.

    Where a folder or a pattern stands for bags, bags of labels are left out: results may lie
    among what they were made from. A link to a bag is that bag, and a file of a bag that is
    named too is part of it.

    Args:
        words: Files, folders that are searched, patterns, ``@FILE`` or a ``.txt`` file with one
            address in a line, and each of them in an object store.
        on_repeat: Is given every address that stands for a bag which is there already.

    Raises:
        ConfigError: One stands for no bag at all, or a library is not installed.
        DataError: A list or a folder cannot be read.
    """
    named: list[str] = []
    for word in words:
        below = list(_bags(word))
        if not below:
            raise ConfigError(
                f"{word}: no bag is there; bags end in {', '.join(BAG_SUFFIXES)}, and results of "
                "panoptic label count only by their own name"
            )
        named.extend(below)
    places = [uri if remote.is_remote(uri) else os.path.realpath(uri) for uri in named]
    every = set(places)
    found: dict[str, str] = {}
    for uri, place in zip(named, places, strict=True):
        is_part = place.rpartition("/")[0] in every
        if not is_part and found.setdefault(place, uri) is uri:
            continue
        if on_repeat is not None:
            on_repeat(uri)
    return list(found.values())


def bag_id(uri: str) -> str:
    """Name the folder of a bag's results: readable, and its own for every address.

    >>> bag_id("/data/drive 7.mcap")
    'drive_7-ac2ec3ce7f'
    """
    stem = re.sub(r"\W+", "_", bag_stem(uri))[:80].strip("_")
    return f"{stem}-{hashlib.sha256(uri.encode(errors='surrogateescape')).hexdigest()[:10]}"


def bag_stem(uri: str) -> str:
    """Name of a bag without its ending."""
    return PurePosixPath(plain_name(uri.rstrip("/"))).stem or "bag"


def _bags(word: str) -> Iterator[str]:
    if word.startswith("@"):
        yield from _listed(Path(word[1:]))
    elif remote.is_remote(word):
        yield from _remote_bags(word)
    elif word.endswith(_LISTS):
        yield from _listed(remote.local_path(word))
    else:
        yield from _local_bags(str(remote.local_path(word)))


def _listed(path: Path) -> Iterator[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the list of bags cannot be read ({reason_of(error)})") from error
    for line in lines:
        if (word := line.strip()) and not word.startswith("#"):
            yield from _bags(word)


def _local_bags(word: str) -> Iterator[str]:
    # A shell hands over names that hold the letters of patterns, such as "drive [2].mcap".
    is_pattern = _PATTERN.search(word) and not os.path.lexists(word)
    places = sorted(glob.glob(word, recursive=True)) if is_pattern else [word]
    for place in places:
        path = os.path.abspath(place)
        if os.path.isdir(path):
            yield from _below(path)
        elif not (is_pattern and _RESULT.search(path)):
            # What is not there is no mistake of the call: it is one bag that fails.
            yield path


def _below(folder: str) -> Iterator[str]:
    """Search a folder and what it links to; one with metadata is one bag."""
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if METADATA in files:
            folders.clear()
            yield place
            continue
        paths = (os.path.join(place, name) for name in sorted(files) if _is_bag(name))
        yield from (path for path in paths if not _RESULT.search(path))


def _remote_bags(word: str) -> Iterator[str]:
    opened, path = remote.file_system(word)
    try:
        if _PATTERN.search(path) and not opened.exists(path):
            places = sorted(opened.glob(path))
        else:
            places = sorted(opened.find(path)) if opened.isdir(path) else [path]
    except Exception as error:  # every file system has an error tree of its own
        raise DataError(f"{word}: cannot be listed ({reason_of(error)})") from error
    folders = {place.rpartition("/")[0] for place in places if place.endswith(f"/{METADATA}")}
    told: dict[str, None] = {}
    for place in places:
        folder = next((above for above in _above(place) if above in folders), None)
        if folder is not None:
            told[folder] = None
        elif place == path or ((_is_bag(place) or len(places) == 1) and not _RESULT.search(place)):
            told[place] = None
    yield from (remote.full_address(word, place) for place in told)


def _above(place: str) -> Iterator[str]:
    while "/" in place:
        place = place.rpartition("/")[0]
        yield place


def _is_bag(name: str) -> bool:
    return not name.startswith(".") and plain_name(name).lower().endswith(BAG_SUFFIXES)
