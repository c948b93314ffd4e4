# SPDX-License-Identifier: Apache-2.0
"""The folder of a fleet's results: a folder per bag, whole or not there at all.

``<bag>/manifest.json`` is written last, so what has one is complete. Who labels a bag holds a
lock of the system on it, which goes with the process, however that ends. An object store has no
locks: two calls may label the same bag there, and put the same bytes in the same place.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.document import reason_of
from panoptic_ros.core.files.output import write_text
from panoptic_ros.fleet import remote
from panoptic_ros.fleet.bag_report import FAILED, BagReport, Output, from_json

MANIFEST = "manifest.json"
FAILED_LIST = "failed.jsonl"
OWN = ".panoptic"
"""Folder of what is no result."""


class FleetFolder:
    """Reads and writes the results of many bags.

    Args:
        address: A folder, or an address of an object store.
        scratch: Folder for half-written files; empty for one in the folder, of an object store
            for one among the temporary files.
        is_read_only: Whether nothing is made there: no bag will be claimed.

    Raises:
        ConfigError: A library for the object store is not installed.
        DataError: The folder cannot be made.
    """

    def __init__(self, address: str, scratch: str = "", is_read_only: bool = False) -> None:
        self.address = address.rstrip("/") or "/"
        self._store: Any = None
        name = hashlib.sha256(self.address.encode(errors="surrogateescape")).hexdigest()[:10]
        if remote.is_remote(address):
            self._store, self._root = remote.file_system(self.address)
            own = Path(tempfile.gettempdir()) / f"panoptic-fleet-{os.getuid()}-{name}"
        else:
            self._root = os.path.abspath(remote.local_path(self.address))
            own = Path(self._root) / OWN
        self._locks = own / "locks"
        self._scratch = Path(scratch) / f"panoptic-{name}" if scratch else own / "scratch"
        if is_read_only:
            return
        try:
            self._locks.mkdir(parents=True, exist_ok=True)
            self._scratch.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{error.filename}: cannot be made ({error.strerror})") from error

    @contextmanager
    def claimed(self, bag: str) -> Iterator[Path | None]:
        """Give an empty folder for a bag's half-written files, None where another has the bag.

        Args:
            bag: Its id.
        """
        with (self._locks / bag).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
                return
            folder = self._scratch / bag
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def report(self, bag: str) -> BagReport | None:
        """Read what became of a bag; None where that is not known or its files are not whole.

        Args:
            bag: Its id.
        """
        try:
            found = from_json(json.loads(self.read(f"{bag}/{MANIFEST}")))
        except (OSError, ValueError, TypeError, KeyError):
            return None
        is_whole = all(self.size(f"{bag}/{out.name}") == out.size for out in found.outputs)
        return found if is_whole else None

    def reports(self) -> Iterator[BagReport]:
        """Read what became of every bag of the folder, by the names of their folders."""
        for bag in self._bags():
            found = self.report(bag)
            if found is not None:
                yield found

    def publish(self, report: BagReport, files: Mapping[str, Path]) -> None:
        """Put a bag's files in their place, then its manifest; what was there before goes.

        Args:
            report: Says which files there are.
            files: Where they lie now, by their names; they are moved.

        Raises:
            DataError: The folder cannot be written.
        """
        text = json.dumps(report.to_json(), indent=1) + "\n"
        try:
            if self._store is not None:
                self._upload(report.id, files, text)
            else:
                self._move(Path(self._root, report.id), files, text)
        except Exception as error:  # every file system has an error tree of its own
            raise DataError(
                f"{self.address}/{report.id}: cannot be written ({reason_of(error)})"
            ) from error

    def note_failures(self, reports: Mapping[str, BagReport]) -> None:
        """Bring the list of failed bags up to date.

        Args:
            reports: What a call found out, by id; other failures of the list stay.
        """
        with (self._locks / FAILED_LIST).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            listed = {entry["id"]: entry for entry in self.failures()}
            for bag, report in reports.items():
                if report.status == FAILED:
                    listed[bag] = {"uri": report.uri, "id": bag, "error": report.error}
                elif report.is_done:
                    listed.pop(bag, None)
            self.write(FAILED_LIST, "".join(json.dumps(one) + "\n" for one in listed.values()))

    def failures(self) -> list[dict[str, str]]:
        """List the failed bags: address, id and error of each."""
        try:
            return [json.loads(line) for line in self.read(FAILED_LIST).splitlines()]
        except (OSError, ValueError):
            return []

    def write(self, name: str, text: str) -> None:
        """Write a text file of the folder as a whole."""
        if self._store is None:
            write_text(Path(self._root, name), text)
        else:
            self._store.pipe_file(f"{self._root}/{name}", text.encode())

    def read(self, name: str) -> str:
        """Read a text file of the folder."""
        if self._store is None:
            return Path(self._root, name).read_text(encoding="utf-8")
        return bytes(self._store.cat_file(f"{self._root}/{name}")).decode()

    def size(self, name: str) -> int:
        """Bytes of a file of the folder, -1 where it is not there."""
        try:
            if self._store is None:
                return Path(self._root, name).stat().st_size
            return int(self._store.info(f"{self._root}/{name}", refresh=True)["size"])
        except OSError:
            return -1

    def put(self, source: Path, name: str) -> None:
        """Move a file of this machine into the folder, so that it is there as a whole."""
        if self._store is None:
            _moved(source, Path(self._root, name))
        else:
            # An upload in parts is completed as its last step; before that nothing is there.
            self._store.put_file(str(source), f"{self._root}/{name}")

    def fetched(self, name: str, scratch: Path) -> Path:
        """Give a file of the folder on this machine; of an object store it is copied."""
        if self._store is None:
            return Path(self._root, name)
        copy = scratch / name.rpartition("/")[2]
        self._store.get_file(f"{self._root}/{name}", str(copy))
        return copy

    def remove(self, name: str) -> None:
        """Remove a folder in the folder, if it is there."""
        if self._store is None:
            shutil.rmtree(Path(self._root, name), ignore_errors=True)
        else:
            with suppress(FileNotFoundError):
                self._store.rm(f"{self._root}/{name}", recursive=True)

    def path(self, name: str) -> str:
        """Address of a file of the folder."""
        return f"{self.address}/{name}"

    def _move(self, folder: Path, files: Mapping[str, Path], text: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Without its manifest nothing of the folder counts, until the new one is there.
        with suppress(FileNotFoundError):
            (folder / MANIFEST).unlink()
        for stale in [path for path in folder.rglob("*") if path.is_file()]:
            if stale.relative_to(folder).as_posix() not in files:
                stale.unlink()
        for name, source in files.items():
            _moved(source, folder / name)
        write_text(folder / MANIFEST, text)
        _to_disk(folder / MANIFEST)
        _to_disk(folder)

    def _upload(self, bag: str, files: Mapping[str, Path], text: str) -> None:
        folder = f"{self._root}/{bag}"
        self._store.invalidate_cache(folder)
        # What an earlier result has and this one not. Another call may be at the same result, so
        # its manifest stays where nothing goes.
        kept = tuple(f"/{bag}/{name}" for name in (*files, MANIFEST))
        if stale := [one for one in self._store.find(folder) if not one.endswith(kept)]:
            self._remove_if_there(f"{folder}/{MANIFEST}")
        for place in stale:
            self._remove_if_there(place)
        for name, source in files.items():
            self.put(source, f"{bag}/{name}")
        self._store.pipe_file(f"{self._root}/{bag}/{MANIFEST}", text.encode())

    def _remove_if_there(self, place: str) -> None:
        with suppress(FileNotFoundError):
            self._store.rm_file(place)

    def _bags(self) -> list[str]:
        if self._store is None:
            try:
                with os.scandir(self._root) as found:
                    return sorted(entry.name for entry in found if entry.is_dir())
            except OSError as error:
                raise DataError(
                    f"{self.address}: cannot be read ({error.strerror}); needs the folder that "
                    "panoptic label wrote to"
                ) from error
        self._store.invalidate_cache()
        places = self._store.ls(self._root, detail=False)
        return sorted(str(place).rstrip("/").rpartition("/")[2] for place in places)


def output_of(name: str, path: Path) -> Output:
    """Describe a file of results."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return Output(name, path.stat().st_size, digest.hexdigest())


def _moved(source: Path, target: Path) -> None:
    """Move a file so that it is there as a whole, on the same disk or on another."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        _to_disk(source)
        os.replace(source, target)
    except OSError:
        part = target.with_name(f".{target.name}.part")
        shutil.copyfile(source, part)
        _to_disk(part)
        os.replace(part, target)


def _to_disk(path: Path) -> None:
    """Wait until a file, or what a folder lists, has reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
