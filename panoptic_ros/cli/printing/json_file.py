# SPDX-License-Identifier: Apache-2.0
"""Figures of a run as a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.core.files.output import check_writable, unwritten, write_text


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


_ENDINGS = {
    "--json": (".json",),
    "--trace": (".json",),
    "--report": (".html", ".htm"),
    "--html": (".html", ".htm"),
    "--rerun": (".rrd",),
}
"""How a file that is written under an option may end, the usual ending first."""


def check_place(path: Path, option: str) -> None:
    """Refuse a file that cannot be written, or whose ending says something else, before the run.

    Args:
        path: The file.
        option: What named it on the command line.

    Raises:
        ConfigError: It ends like a file of another kind.
        DataError: It cannot be written.
    """
    endings = _ENDINGS.get(option, ())
    # A device such as /dev/stdout has no ending.
    is_other = path.exists() and not path.is_file()
    if endings and path.suffix.lower() not in endings and not is_other:
        raise ConfigError(
            f"{option} {path}: such files end in {' or '.join(endings)}; name it "
            f"{path.stem}{endings[0]}"
        )
    try:
        check_writable(path)
    except OSError as error:
        raise _refused(path, option, error) from error


def _refused(path: Path, option: str, error: OSError) -> DataError:
    told = unwritten(path, error)
    return DataError(f"{told} with {option}" if option else told)
