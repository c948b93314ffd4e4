# SPDX-License-Identifier: Apache-2.0
"""Where the labelled parts of one bag wait for each other: in the folder of results, each whole.

``.panoptic/parts/<bag>/<key>/<number>.json`` is written last, so what has one is complete.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.document import reason_of
from panoptic_ros.fleet.folder import OWN, FleetFolder

_KEY_LETTERS = 16


class PartFiles:
    """The parts of one bag.

    Args:
        folder: Of the fleet's results.
        bag: The bag's id.
        key: What its results are made from; parts of another key are not seen.
    """

    def __init__(self, folder: FleetFolder, bag: str, key: str) -> None:
        self._folder = folder
        self._all = f"{OWN}/parts/{bag}"
        self._own = f"{self._all}/{key[:_KEY_LETTERS]}"

    def missing(self, count: int) -> tuple[int, ...]:
        """Number the parts that are not there.

        Args:
            count: Parts of the bag.
        """
        return tuple(number for number in range(count) if not self.has(number))

    def has(self, number: int) -> bool:
        """Whether a part is there as a whole."""
        return self.seconds(number) is not None

    def seconds(self, number: int) -> float | None:
        """Time that a part took; None where it is not there."""
        try:
            told = json.loads(self._folder.read(f"{self._own}/{number:04d}.json"))
            sizes, seconds = dict(told["sizes"]), float(told["seconds"])
        except (OSError, ValueError, TypeError, KeyError):
            return None
        is_whole = all(self._folder.size(f"{self._own}/{name}") == sizes[name] for name in sizes)
        return seconds if is_whole else None

    def publish(self, number: int, files: Mapping[str, Path], seconds: float) -> None:
        """Put the files of a part in their place; they are moved.

        Args:
            number: Of the part.
            files: Where they lie now, by their names.
            seconds: Time that the part took.

        Raises:
            DataError: The folder cannot be written.
        """
        sizes = {name: path.stat().st_size for name, path in files.items()}
        told = json.dumps({"seconds": seconds, "sizes": sizes})
        try:
            for name, path in files.items():
                self._folder.put(path, f"{self._own}/{name}")
            self._folder.write(f"{self._own}/{number:04d}.json", told)
        except Exception as error:  # every file system has an error tree of its own
            raise DataError(
                f"{self._own}: part {number} cannot be written ({reason_of(error)})"
            ) from error

    def path(self, name: str, scratch: Path) -> Path:
        """Give a file of a part on this machine; of an object store it is copied.

        Args:
            name: Of the file.
            scratch: Folder for the copy.

        Raises:
            DataError: It cannot be read.
        """
        try:
            return self._folder.fetched(f"{self._own}/{name}", scratch)
        except Exception as error:  # as above
            raise DataError(f"{self._own}/{name}: cannot be read ({reason_of(error)})") from error

    def drop(self) -> None:
        """Remove the parts of the bag, whatever their key."""
        self._folder.remove(self._all)


def own_file(number: int, camera: int) -> str:
    """Name the file with a part's own results of one camera."""
    return f"{number:04d}-{camera:02d}.own"


def before_file(number: int, camera: int) -> str:
    """Name the file with the results of the time before, which the part before has as well."""
    return f"{number:04d}-{camera:02d}.before"
