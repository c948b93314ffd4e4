# SPDX-License-Identifier: Apache-2.0
"""Which labelled image has which stamp: by its name, by a file, or by its place in a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.document import reason_of
from panoptic_ros.data.image_search import bare_name
from panoptic_ros.data.label_files import Pair
from panoptic_ros.recordings.folder import image_files
from panoptic_ros.recordings.source import FIRST_STAMP_NS

FEWEST_DIGITS = 16
"""Numbers of at least so many digits are ns since 1970; frame numbers have fewer."""


def stamped(
    pairs: Sequence[Pair], stamps: Path | None, images: Path | None, fps: float
) -> list[tuple[int, Pair]]:
    """Find the stamp of every labelled image.

    Args:
        pairs: The images, in the order of the data set.
        stamps: File of lines ``name stamp``; None to go by the names, where they are ns, or by
            the order in which ``panoptic replay`` and ``play`` number a folder.
        images: That folder; without it, the labelled images are all it had.
        fps: Images per second of the folder.

    Returns:
        Stamps in ns and images, by rising stamp.

    Raises:
        DataError: An image has no stamp, two have the same, or the file is wrong.
    """
    if stamps is not None:
        found = _from_file(pairs, stamps)
    elif all(_is_ns(pair.truth.name) for pair in pairs):
        found = [(int(pair.truth.name), pair) for pair in pairs]
    else:
        found = _from_order(pairs, images, fps)
    found.sort(key=lambda entry: entry[0])
    for (before, first), (after, second) in pairwise(found):
        if before == after:
            raise DataError(f"{first.truth.path} and {second.truth.path} both have stamp {after}")
    return found


def _is_ns(name: str) -> bool:
    return name.isdecimal() and len(name) >= FEWEST_DIGITS


def _from_order(pairs: Sequence[Pair], images: Path | None, fps: float) -> list[tuple[int, Pair]]:
    sequences = {pair.sequence for pair in pairs}
    if len(sequences) > 1:
        raise DataError(
            f"the truth has {len(sequences)} sequences, a bag is about one; name one folder with "
            "--gt, or all stamps with --stamps"
        )
    names = [bare_name(pair.truth.name) for pair in pairs]
    if images is not None:
        files = image_files(_folder_of(images, sequences.pop()))
        names = [bare_name(path.stem) for path in files]
    places: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        places.setdefault(name, []).append(number)
    return [(_stamp_of(bare_name(pair.truth.name), places, images, fps), pair) for pair in pairs]


def _stamp_of(
    name: str, places: Mapping[str, Sequence[int]], images: Path | None, fps: float
) -> int:
    found = places.get(name, ())
    if not found:
        raise DataError(f"{images}: has no image {name}, so its stamp is not known")
    if len(found) > 1:
        raise DataError(
            f"{images or 'the truth'}: {len(found)} images are named {name}, so its stamp is not "
            "clear; name all stamps with --stamps"
        )
    return FIRST_STAMP_NS + round(found[0] * 1e9 / fps)


def _folder_of(images: Path, sequence: str) -> Path:
    below = images / sequence
    return below if sequence and below.is_dir() else images


def _from_file(pairs: Sequence[Pair], path: Path) -> list[tuple[int, Pair]]:
    table = _read(path)
    found = []
    for pair in pairs:
        keys = (f"{pair.sequence}/{pair.truth.name}", pair.truth.name)
        stamp = next((table[key] for key in keys if key in table), None)
        if stamp is None:
            raise DataError(f"{path}: has no stamp of {keys[0].lstrip('/')}")
        found.append((stamp, pair))
    return found


def _read(path: Path) -> dict[str, int]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({reason_of(error)})") from error
    table = {}
    for number, line in enumerate(lines, start=1):
        words = line.replace(",", " ").split()
        if not words or words[0].startswith("#"):
            continue
        stamp = _ns(words[1]) if len(words) == 2 else None
        if stamp is None:
            raise DataError(
                f"{path}, line {number}: is {line!r}, needs a name and a stamp in ns, or in "
                "seconds with a point"
            )
        table[words[0]] = stamp
    return table


def _ns(text: str) -> int | None:
    """Read ns, or seconds with a point; digit by digit, as a float would round them."""
    seconds, point, rest = text.partition(".")
    if not seconds.isdecimal() or (rest and not rest.isdecimal()):
        return None
    return int(seconds) * 1_000_000_000 + int(rest[:9].ljust(9, "0")) if point else int(seconds)
