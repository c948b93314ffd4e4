# SPDX-License-Identifier: Apache-2.0
"""Find the images that label files are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from panoptic_ros.core.errors import DataError
from panoptic_ros.data.images import IMAGE_SUFFIXES
from panoptic_ros.data.label_files import Pair


def with_images(pairs: Sequence[Pair], folder: Path) -> list[Pair]:
    """Find the image of every labelled image in a folder and those below it.

    Args:
        pairs: The images.
        folder: Holds ``<sequence>/<name>.*``, or ``<name>.*`` where that is the only one; the
            ending ``_leftImg8bit`` of a name may be there or not.

    Raises:
        DataError: An image is missing or cannot be told from another.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in IMAGE_SUFFIXES:
            found.setdefault(path.stem.removesuffix("_leftImg8bit"), []).append(path)
    return [
        replace(pair, truth=replace(pair.truth, image=_image(pair, found, folder)))
        for pair in pairs
    ]


def _image(pair: Pair, found: dict[str, list[Path]], folder: Path) -> Path:
    paths = found.get(pair.truth.name, [])
    own = [path for path in paths if path.parent.name == pair.sequence]
    chosen = own or paths
    where = f"{pair.sequence}/{pair.truth.name}" if pair.sequence else pair.truth.name
    if not chosen:
        raise DataError(f"{folder}: has no image {where}, of which {pair.truth.path} is the truth")
    if len(chosen) > 1:
        raise DataError(f"{folder}: {chosen[0]} and {chosen[1]} may both be the image {where}")
    return chosen[0]
