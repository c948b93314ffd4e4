# SPDX-License-Identifier: Apache-2.0
"""Figures of a run as a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.output import check_writable, write_text


def write_json(path: Path, document: Mapping[str, Any], option: str = "") -> None:
    """Write a JSON file, and the folder around it.

    Args:
        path: The file.
        document: Only JSON types.
        option: What named the file on the command line, where something did.

    Raises:
        DataError: It cannot be written.
    """
    try:
        write_text(path, json.dumps(document, indent=1) + "\n")
    except OSError as error:
        raise _refused(path, option, error) from error


def check_place(path: Path, option: str) -> None:
    """Refuse a file that cannot be written before a run that would be lost.

    Raises:
        DataError: It cannot be written.
    """
    try:
        check_writable(path)
    except OSError as error:
        raise _refused(path, option, error) from error


def _refused(path: Path, option: str, error: OSError) -> DataError:
    cure = f"; name another file with {option}" if option else ""
    return DataError(f"{path}: cannot be written ({error.strerror}){cure}")
