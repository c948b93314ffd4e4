# SPDX-License-Identifier: Apache-2.0
"""Write a file as a whole or not at all: aside first, then in place of what was there."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panoptic_ros.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MODE = 0o666
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a disk or a quota says that is full."""


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a path beside a file to write to; when that went well it takes the file's place.

    The folder is made. Where writing fails, the file is as it was before, or is not there.

    Args:
        path: The file.

    Yields:
        An empty file in the same folder with the same ending; of a device or a pipe, that itself.

    Raises:
        OSError: The folder or the file cannot be written.
    """
    if _is_device(path):
        yield path
        return
    path = _target(path)
    _make_folder(path.parent)
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}.part.", suffix=path.suffix
    )
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(_MODE & ~_umask())
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 as a whole.

    Names of files that are no UTF-8 keep their odd bytes as Python escapes them.

    Raises:
        OSError: It cannot be written.
    """
    with written_aside(path) as part:
        part.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_image(path: Path, image: NDArray[Any], parameters: Sequence[int] = ()) -> None:
    """Encode an image as the file's ending says, and write it as a whole.

    Args:
        path: The file; its folder exists.
        image: (H, W) or (H, W, 3) in the order blue, green, red.
        parameters: As ``cv2.imencode`` takes them.

    Raises:
        DataError: It cannot be encoded or written.
    """
    import cv2
    import numpy as np

    try:
        done, encoded = cv2.imencode(path.suffix, np.ascontiguousarray(image), parameters)
    except cv2.error as error:
        raise DataError(f"{path}: cannot be written ({error})") from error
    if not done:
        size = f"{image.shape[1]}x{image.shape[0]}"
        raise DataError(f"{path}: an image of {size} cannot be written as {path.suffix}")
    try:
        path.parent.stat()
        with written_aside(path) as part:
            part.write_bytes(encoded.tobytes())
    except OSError as error:
        raise DataError(unwritten(path, error)) from error


def unwritten(path: Path | str, error: OSError) -> str:
    """Say that a file cannot be written, why, and what to do.

    >>> unwritten("a.json", OSError(errno.ENOSPC, "No space left on device"))
    'a.json: cannot be written (No space left on device); free space, or name another place'
    >>> unwritten("a.json", OSError(errno.EROFS, "Read-only file system"))
    'a.json: cannot be written (Read-only file system); name another place'
    """
    cure = "free space, or " if error.errno in _FULL else ""
    return f"{path}: cannot be written ({error.strerror}); {cure}name another place"


def check_writable(path: Path) -> None:
    """Make sure, before a long run, that a file could be written; nothing is left behind.

    Raises:
        OSError: It could not.
    """
    if _is_device(path):
        return
    target = _target(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    _make_folder(target.parent)
    tempfile.TemporaryFile(dir=target.parent).close()


def _make_folder(folder: Path) -> None:
    """Make a folder; what says that it exists where it is a file would be no help.

    Raises:
        OSError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error


def _is_device(path: Path) -> bool:
    """Whether a path is something that must not be replaced by a file, itself or by a link."""
    if path.parts[:2] == ("/", "dev"):
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _target(path: Path) -> Path:
    """What a link stands for: the link stays a link."""
    return path.resolve() if path.is_symlink() else path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
