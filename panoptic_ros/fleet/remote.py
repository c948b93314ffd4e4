# SPDX-License-Identifier: Apache-2.0
"""Files behind an address like ``s3://``, through fsspec, which is imported when it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, cast

from panoptic_ros.core.errors import ConfigError, DataError

BLOCK_BYTES = 4 << 20
"""Least size of a request; about a chunk of a bag with images."""


def is_remote(uri: str) -> bool:
    """Whether an address is not a path of this machine.

    >>> [is_remote(uri) for uri in ("s3://bucket/a.mcap", "file:///a.mcap", "/a.mcap")]
    [True, False, False]
    """
    return "://" in uri and not uri.startswith("file://")


def local_path(uri: str) -> Path:
    """Path of an address that is not remote."""
    return Path(uri.removeprefix("file://")).expanduser()


def file_system(uri: str) -> tuple[Any, str]:
    """Open the file system of an address; gives also the path in it.

    Raises:
        ConfigError: fsspec, or what it needs for this kind of address, is not installed.
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise ConfigError(
            f"{uri}: needs fsspec, which is not installed; run: pip install fsspec s3fs"
        ) from error
    try:
        opened, path = url_to_fs(uri)
    except (ImportError, ValueError) as error:
        raise ConfigError(
            f"{uri}: cannot be opened ({error}); s3:// needs: pip install s3fs, gs:// needs: "
            "pip install gcsfs"
        ) from error
    return opened, str(path)


def full_address(uri: str, path: str) -> str:
    """Give a path of a file system the scheme of an address."""
    scheme = uri.partition("://")[0]
    return f"{scheme}://{path.removeprefix(f'{scheme}://')}"


class RemoteStream:
    """A seekable file in an object store; remembers whether the connection failed.

    What a reader takes for damage of the file may be a failed request. Used by one thread.

    Args:
        uri: Address of the file.

    Attributes:
        uri: The address.
        failure: Why a request failed, empty while none did.

    Raises:
        ConfigError: A library is not installed.
        DataError: The file cannot be opened.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.failure = ""
        opened, path = file_system(uri)
        try:
            self._file = opened.open(path, "rb", block_size=BLOCK_BYTES, cache_type="readahead")
        except Exception as error:  # every file system has an error tree of its own
            raise DataError(f"{uri}: cannot be opened ({_words(error)})") from error

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, or all that are left."""
        try:
            return bytes(self._file.read(size))
        except Exception as error:
            self.failure = f"{self.uri}: a request failed ({_words(error)})"
            raise OSError(self.failure) from error

    def seek(self, place: int, whence: int = 0) -> int:
        """Go to a place; gives it from the start of the file."""
        return int(self._file.seek(place, whence))

    def tell(self) -> int:
        """Say where the next byte is read."""
        return int(self._file.tell())

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._file.close()

    def as_file(self) -> BinaryIO:
        """The stream under the type of files."""
        return cast(BinaryIO, self)


def fetch(uri: str, folder: Path, most_bytes: int) -> Path:
    """Copy a file, or all files below an address, to this machine.

    Args:
        uri: A file or a folder.
        folder: Where to; made where absent.
        most_bytes: The copy may not take more.

    Returns:
        The file, or the folder.

    Raises:
        DataError: It is larger, or cannot be read.
    """
    opened, path = file_system(uri)
    target = folder / path.rstrip("/").rpartition("/")[2]
    try:
        is_folder = opened.isdir(path)
        size = opened.du(path) if is_folder else opened.size(path)
        if size is not None and size > most_bytes:
            raise DataError(
                f"{uri}: is {size / 1e9:.2f} GB and must be copied to be read, "
                f"{most_bytes / 1e9:.2f} GB are allowed; raise --scratch-gb, or keep it as MCAP"
            )
        folder.mkdir(parents=True, exist_ok=True)
        # One by one: what copies many takes letters of their names for patterns.
        for place in opened.find(path) if is_folder else [path]:
            _copy(opened, str(place), target / str(place).removeprefix(path).strip("/"))
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{uri}: cannot be copied ({_words(error)})") from error
    return target


def _copy(opened: Any, place: str, target: Path) -> None:
    """Copy one file, and make the folder around it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    opened.get_file(place, str(target))


def fingerprint(uri: str) -> str:
    """Tell a version of a file, or of all files below an address, from every other one.

    Raises:
        DataError: There is no such file, or it cannot be asked for.
    """
    opened, path = file_system(uri)
    try:
        if not opened.isdir(path):
            return str(_version(opened.info(path)))
        below = opened.find(path, detail=True)
        return str(sorted((name, _version(info)) for name, info in below.items()))
    except Exception as error:
        raise DataError(f"{uri}: cannot be found ({_words(error)})") from error


def _version(info: dict[str, Any]) -> list[str]:
    """Size and etag of a file, or its time of change where it has no etag."""
    etag = info.get("ETag") or info.get("etag") or ""
    times = (info.get(name) for name in ("LastModified", "mtime", "updated", "created"))
    changed = next((time for time in times if time is not None), "")
    return [str(info.get("size")), str(etag or changed)]


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
