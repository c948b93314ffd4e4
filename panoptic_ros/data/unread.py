# SPDX-License-Identifier: Apache-2.0
"""Why an image file could not be read, in words for whoever gave it."""

from __future__ import annotations

from pathlib import Path

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.jpeg_segments import START

TIFF_STARTS = (b"II*\0", b"MM\0*")
"""First bytes of a TIFF file, by byte order."""


def unread(path: Path) -> DataError:
    """Say why a file that no decoder takes was not read.

    Args:
        path: The file; only its first bytes are looked at.

    >>> str(unread(Path("/no/such.png")))
    '/no/such.png: no such file'
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except FileNotFoundError:
        return DataError(f"{path}: no such file")
    except OSError as error:
        return DataError(f"{path}: cannot be read ({error.strerror})")
    if not start:
        return DataError(f"{path}: the file is empty")
    if start.startswith(START):
        return DataError(f"{path}: is a JPEG that is cut off or damaged")
    if start in TIFF_STARTS:
        return DataError(
            f"{path}: is a TIFF that is damaged or of a kind that is not read; needs whole "
            "numbers of 8 or 16 bits"
        )
    return DataError(f"{path}: is not an image, or damaged")
