# SPDX-License-Identifier: Apache-2.0
"""Figures of a run as a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import DataError


def write_json(path: Path, document: Mapping[str, Any], option: str = "") -> None:
    """Write a JSON file, and the folder around it.

    Args:
        path: The file.
        document: Only JSON types.
        option: What named the file on the command line, where something did.

    Raises:
        DataError: It cannot be written.
    """
    _write(path, json.dumps(document, indent=1) + "\n", "w", option)


def check_place(path: Path, option: str) -> None:
    """Refuse a file that cannot be written before a run that would be lost.

    Raises:
        DataError: It cannot be written.
    """
    _write(path, "", "a", option)


def _write(path: Path, text: str, mode: str, option: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        cure = f"; name another file with {option}" if option else ""
        raise DataError(f"{path}: cannot be written ({error.strerror}){cure}") from error
