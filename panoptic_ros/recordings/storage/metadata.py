# SPDX-License-Identifier: Apache-2.0
"""``metadata.yaml`` of a ROS 2 bag: only compared with the storage files, which are believed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from panoptic_ros.core.errors import listed
from panoptic_ros.core.files.document import DocumentError, read_yaml
from panoptic_ros.recordings.source import ReadErrors
from panoptic_ros.recordings.storage.packed_file import plain_name
from panoptic_ros.recordings.storage.record import StorageFile

NAME = "metadata.yaml"
_ROOT = "rosbag2_bagfile_information"


class Metadata:
    """What a folder's ``metadata.yaml`` says; empty where it says nothing that can be read.

    Args:
        folder: Of the bag.

    Attributes:
        fault: Why nothing can be read, else empty.
        files: Names of the storage files it lists.
    """

    def __init__(self, folder: Path) -> None:
        self.fault = ""
        self._is_missing = False
        self._told: dict[str, Any] = {}
        try:
            document = read_yaml(folder / NAME)
            told = document.get(_ROOT) if isinstance(document, dict) else None
            if isinstance(told, dict):
                self._told = told
            else:
                self.fault = f"{NAME} is empty or not about a bag"
        except FileNotFoundError:
            self._is_missing = True
            self.fault = f"{NAME} is missing"
        except OSError as error:
            self.fault = f"{NAME} cannot be read ({error.strerror})"
        except DocumentError as error:
            self.fault = f"{NAME} cannot be read ({' '.join(str(error).split())})"
        told = self._told.get("relative_file_paths")
        self.files = [str(name) for name in told] if isinstance(told, list) else []

    def compare(
        self, files: Sequence[StorageFile], names: Sequence[str], read_errors: ReadErrors
    ) -> None:
        """Note in one sentence what does not fit the storage files.

        Args:
            files: Those that can be read.
            names: All that are there, relative to the folder.
            read_errors: What is missing is damage, the rest a remark.
        """
        if self._is_missing and len(names) == 1 and not _is_numbered(names[0]):
            return  # one file, as panoptic record writes it, is whole by itself
        if self.fault:
            read_errors.remark(f"{self.fault}; the storage files were read without it")
            return
        found = sum(topic.count for file in files for topic in file.topics)
        damage, remarks = self._files_that_differ(names)
        counted = self._told.get("message_count")
        if isinstance(counted, int) and counted != found:
            words = f"counts {counted} messages, the files hold {found}"
            (damage if counted > found else remarks).append(words)
        remarks += self._other_plugin(names)
        if damage or remarks:
            say = read_errors.note if damage else read_errors.remark
            told = "; it ".join(damage + remarks)
            say(f"{NAME} does not fit: it {told}; the files were believed")

    def _files_that_differ(self, names: Sequence[str]) -> tuple[list[str], list[str]]:
        damage, remarks = [], []
        there = {plain_name(PurePosixPath(name).name) for name in names}
        named = {plain_name(PurePosixPath(name).name) for name in self.files}
        exact = {PurePosixPath(name).name for name in self.files}
        if named - there:
            damage.append(f"lists {listed(sorted(named - there))}, which is not there")
        if there - named:
            remarks.append(f"does not list {listed(sorted(there - named))}")
        renamed = {
            name
            for name in names
            if plain_name(name) in named and PurePosixPath(name).name not in exact
        }
        if renamed:
            remarks.append(f"names {listed(sorted(renamed))} in another packing")
        return damage, remarks

    def _other_plugin(self, names: Sequence[str]) -> list[str]:
        plugin = str(self._told.get("storage_identifier", ""))
        expected = {"sqlite3": ".db3", "mcap": ".mcap"}.get(plugin)
        endings = {PurePosixPath(plain_name(name)).suffix.lower() for name in names}
        if expected is None or expected in endings or not endings:
            return []
        return [f"names the storage {plugin}, the files are {', '.join(sorted(endings))}"]


def _is_numbered(name: str) -> bool:
    """Whether a file is called as rosbag2 calls the parts of a bag, to which others may belong."""
    return re.search(r"_[0-9]+$", PurePosixPath(plain_name(name)).stem) is not None
