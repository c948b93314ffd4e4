# SPDX-License-Identifier: Apache-2.0
"""Where a verb's files go: one rule for ``--out``, and the line that lists what was written."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from panoptic_ros.core.errors import DataError

_OF_FILES = frozenset(
    [
        ".avi",
        ".csv",
        ".html",
        ".ini",
        ".jpg",
        ".json",
        ".mcap",
        ".mkv",
        ".mp4",
        ".onnx",
        ".plan",
        ".png",
        ".pt",
        ".txt",
        ".xml",
        ".yaml",
        ".yml",
    ]
)
"""Endings that nobody gives a folder."""

_SAME = {".yaml": (".yaml", ".yml")}
"""Endings of one kind of file."""


def add_out(
    parser: argparse._ActionsContainer,
    holds: str,
    default: Path | None = None,
    file: str = "",
    is_required: bool = False,
    usual: str = "",
) -> None:
    """Declare ``--out``; the ending of a file that it cannot be is refused.

    Args:
        parser: Of the verb.
        holds: What the folder will hold.
        default: The folder where none is named.
        file: Ending of the single file that can be named instead, where one can.
        is_required: Whether it must be named.
        usual: What takes its place where none is named, if that is no folder of the caller's.
    """
    instead = f"; or a file *{file}, for that alone" if file else ""
    usual = f" (default: {default or usual})" if default or usual else ""
    endings = _SAME.get(file, (file,))
    parser.add_argument(
        "--out",
        type=lambda text: Path(folder_name(text, *endings)),
        required=is_required,
        metavar=f"DIR|FILE{file}" if file else "DIR",
        help=f"folder for {holds}{instead}{usual}",
    )


def is_file_name(out: Path, *endings: str) -> bool:
    """Whether ``--out`` names a file of that kind and no folder."""
    return out.suffix.lower() in endings and not out.is_dir()


def folder_name(text: str, *endings: str) -> str:
    """Read the name or address of a folder, or of a file with one of some endings.

    Raises:
        argparse.ArgumentTypeError: It is the name of a file of another kind.

    >>> folder_name("s3://drives/labels"), folder_name("camera.yaml", ".yaml")
    ('s3://drives/labels', 'camera.yaml')
    """
    path = Path(text)
    if path.suffix.lower() in _OF_FILES - set(endings) and not path.is_dir():
        instead = f", or a file *{endings[0]}" if any(endings) else ""
        raise argparse.ArgumentTypeError(f"{text}: needs a folder{instead}")
    return text


def make_folder(folder: Path) -> Path:
    """Make a folder and those above it.

    Returns:
        The folder.

    Raises:
        DataError: It cannot be made, or there is a file of that name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be made ({error.strerror}); name another folder with --out"
        ) from error
    return folder


@contextmanager
def unless_empty(folder: Path) -> Iterator[None]:
    """Remove a folder, with those in it and above it, that a failed run made and left empty."""
    missing = [path for path in (folder, *folder.parents) if not os.access(path, os.F_OK)]
    try:
        yield
    except BaseException:
        within = [Path(path) for path, *_ in os.walk(folder, topdown=False)]
        for path in (*within, *missing) if missing else ():
            with suppress(OSError):
                path.rmdir()
        raise


@contextmanager
def replaced_when_whole(folder: Path) -> Iterator[Path]:
    """Write files that replace those of an earlier run only where the run ends well.

    Args:
        folder: Where they go; one run at a time.

    Yields:
        Folder to write into, within that one.

    Raises:
        DataError: The folder cannot be written.
    """
    aside = folder / ".unfinished"
    # Of a run that was killed.
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir()
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be written ({error.strerror}); name another folder with --out"
        ) from error
    try:
        yield aside
        for path in sorted(path for path in aside.rglob("*") if path.is_file()):
            target = folder / path.relative_to(aside)
            make_folder(target.parent)
            path.replace(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def told_if_cut_short(verb: str, path: Path | None) -> Iterator[None]:
    """Say which new file a run that does not end well leaves with a part of its content.

    Args:
        verb: Who says it.
        path: The file that keeps what was written so far; None for none.
    """
    is_new = path is not None and not path.exists()
    try:
        yield
    except BaseException:
        if is_new and path is not None and path.exists():
            print(
                f"panoptic {verb}: stopped early; {path} holds only what was written until then",
                file=sys.stderr,
            )
        raise


@contextmanager
def reserved(folder: Path) -> Iterator[None]:
    """Keep a folder for this run, as two that write the same files spoil each other's.

    Raises:
        DataError: Another run writes there.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise DataError(
            f"{folder}: another run is writing there; wait for it, or name another folder with "
            "--out"
        ) from error
    finally:
        os.close(handle)


def print_written(paths: Iterable[Path | str | None]) -> None:
    """Print the files that were written, in one line; None stands for one that was not."""
    found = [str(path) for path in paths if path is not None]
    if found:
        print("wrote " + ", ".join(found))


def byte_words(count: int) -> str:
    """Write the size of a file.

    >>> byte_words(23746), byte_words(12_345_678)
    ('23.7 kB', '12.3 MB')
    """
    return f"{count / 1e3:.1f} kB" if count < 1e5 else f"{count / 1e6:.1f} MB"
