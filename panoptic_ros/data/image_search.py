# SPDX-License-Identifier: Apache-2.0
"""Find the images that label files are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from panoptic_ros.core.errors import DataError
from panoptic_ros.data.images import IMAGE_SUFFIXES
from panoptic_ros.data.label_files import Pair

KINDS = ("_instanceIds", "_labelIds", "_panoptic", "_leftImg8bit", "_gtFine")
"""What Cityscapes hangs on the name of an image in the names of its files."""


def bare_name(stem: str) -> str:
    """Name of an image without what tells the kind of a file.

    >>> bare_name("ulm_000000_000019_gtFine_leftImg8bit")
    'ulm_000000_000019'
    """
    shorter = stem
    for kind in KINDS:
        shorter = shorter.removesuffix(kind)
    return shorter if shorter == stem else bare_name(shorter)


class ImageFolder:
    """A folder and those below it, searched once, when an image is not where it should be.

    Args:
        folder: The folder.
        labels: Folder of label images, which are not images although they may be called so.
    """

    def __init__(self, folder: Path, labels: Path | None = None) -> None:
        self._folder = folder
        self._labels = labels

    def find(self, file_name: str, *names: str) -> Path | None:
        """Find an image.

        Args:
            file_name: Path below the folder, as an index says it.
            names: What the image may be called instead, without ending.

        Returns:
            Its path; None where there is none.

        Raises:
            DataError: Several files may be meant; the message names two.
        """
        told = self._folder / file_name
        if told.is_file():
            return told
        for name in (Path(file_name).stem, *names):
            found = self._images.get(bare_name(name), [])
            if len(found) > 1:
                raise DataError(
                    f"{self._folder}: {found[0]} and {found[1]} may both be the image {name}"
                )
            if found:
                return found[0]
        return None

    @cached_property
    def _images(self) -> dict[str, list[Path]]:
        return by_name(self._folder, self._labels)


def by_name(folder: Path, labels: Path | None = None) -> dict[str, list[Path]]:
    """List the images of a folder and those below it by their bare names.

    Args:
        folder: The folder.
        labels: Folder whose files are left out.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(_images(folder)):
        if labels is not None and labels in path.parents:
            continue
        # Label files may lie beside the images: only the images' own ending is taken away.
        found.setdefault(path.stem.removesuffix("_leftImg8bit"), []).append(path)
    return found


def _images(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)


def with_images(pairs: Sequence[Pair], folder: Path) -> list[Pair]:
    """Find the image of every labelled image in a folder and those below it.

    Args:
        pairs: The images.
        folder: Holds ``<sequence>/<name>.*``, or ``<name>.*`` where that is the only one; endings
            like ``_leftImg8bit`` of a name may be there or not.

    Raises:
        DataError: An image is missing or cannot be told from another.
    """
    found = by_name(folder)
    return [
        replace(pair, truth=replace(pair.truth, image=_image(pair, found, folder)))
        for pair in pairs
    ]


def _image(pair: Pair, found: dict[str, list[Path]], folder: Path) -> Path:
    labels = pair.truth.path.absolute()
    named = found.get(bare_name(pair.truth.name), [])
    paths = [path for path in named if path.absolute() != labels]
    own = [path for path in paths if path.parent.name == pair.sequence]
    chosen = own or paths
    where = f"{pair.sequence}/{pair.truth.name}" if pair.sequence else pair.truth.name
    if not chosen:
        raise DataError(f"{folder}: has no image {where}, of which {pair.truth.path} is the truth")
    if len(chosen) > 1:
        raise DataError(f"{folder}: {chosen[0]} and {chosen[1]} may both be the image {where}")
    return chosen[0]
