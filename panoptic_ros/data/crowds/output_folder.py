# SPDX-License-Identifier: Apache-2.0
"""The folder of a data set whose crowds were divided: what stays the same is linked there."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.core.files.output import write_text, written_aside
from panoptic_ros.data.coco.ids import write_ids

REPORT = "split_crowds.json"
"""Says that the folder is ours, and what was done."""

LABEL_IMAGES = "panoptic"
IMAGES = "images"


class OutputFolder:
    """A COCO panoptic folder as ``panoptic train`` takes it; one run at a time.

    Args:
        folder: Exists.

    Raises:
        ConfigError: It holds something else.
        DataError: It cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with _written(folder):
            if not (folder / REPORT).is_file() and any(folder.iterdir()):
                raise ConfigError(
                    f"--out {folder} holds other files, which could be overwritten; name a new "
                    "folder"
                )
            self.report({"complete": False})
            (folder / LABEL_IMAGES).mkdir(exist_ok=True)

    def link(self, name: str, target: Path) -> None:
        """Let a file or folder below the folder stand for another.

        Raises:
            DataError: It cannot be made.
        """
        path, target = self._folder / name, target.resolve()
        if path.is_symlink() and os.readlink(path) == str(target):
            return
        with _written(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".part.") as part:
                link = Path(part) / path.name
                link.symlink_to(target)
                link.replace(path)

    def remove(self, name: str) -> None:
        """Remove a file of an earlier run, if there is one.

        Raises:
            DataError: It cannot be removed.
        """
        path = self._folder / name
        with _written(path):
            path.unlink(missing_ok=True)

    def write_ids(self, name: str, ids: NDArray[np.uint32]) -> None:
        """Write a label image; what it stood for as a link stays as it is.

        Raises:
            DataError: It cannot be written.
        """
        path = self._folder / LABEL_IMAGES / name
        with _written(path):
            if path.is_symlink():
                path.unlink()
            with written_aside(path) as part:
                write_ids(part, ids)

    def write_json(self, name: str, document: Mapping[str, Any]) -> Path:
        """Write the annotation file.

        Raises:
            DataError: It cannot be written.
        """
        path = self._folder / name
        with _written(path):
            write_text(path, json.dumps(document))
        return path

    def report(self, document: Mapping[str, Any]) -> Path:
        """Write what was done.

        Raises:
            DataError: It cannot be written.
        """
        path = self._folder / REPORT
        with _written(path):
            write_text(path, json.dumps(document, indent=1) + "\n")
        return path


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror}); name another folder with --out"
        ) from error
