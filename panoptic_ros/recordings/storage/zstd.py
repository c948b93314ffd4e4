# SPDX-License-Identifier: Apache-2.0
"""Zstandard as bags use it: whole files, chunks of a file, single messages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.limits import MAX_CHUNK_BYTES

MAGIC = b"\x28\xb5\x2f\xfd"
"""First bytes of packed data (RFC 8878); no message in CDR or text starts with them."""

SUFFIXES = (".zstd", ".zst")
_AT_ONCE = 1 << 22


def unpack(data: bytes | memoryview) -> bytes:
    """Unpack a chunk or a message; of one that is cut off, what there is.

    Raises:
        ConfigError: There is no Zstandard here.
        Exception: Whatever the library says about damage.
    """
    return bytes(_zstd().ZstdDecompressor().decompress(data, MAX_CHUNK_BYTES))


def unpack_file(packed: Path, plain: Path) -> str:
    """Unpack a file as far as it goes.

    Returns:
        What was wrong with it, empty where it is whole.

    Raises:
        ConfigError: There is no Zstandard here.
        OSError: A file cannot be read or written, for example for lack of room.
    """
    zstd = _zstd()
    with packed.open("rb") as source, plain.open("wb") as target:
        try:
            is_whole = _unpack_stream(zstd.ZstdDecompressor, source, target)
        except zstd.ZstdError as error:
            return f"cannot be unpacked to its end ({error})"
    return "" if is_whole else "is cut off"


def _unpack_stream(make: Callable[[], Any], source: BinaryIO, target: BinaryIO) -> bool:
    """Unpack the frames of a file and say whether the last one is whole."""
    decompressor = make()
    while block := source.read(_AT_ONCE):
        while block:
            if decompressor.eof:
                decompressor = make()
            block = _unpack_block(decompressor, block, target)
    return bool(decompressor.eof)


def _unpack_block(decompressor: Any, block: bytes, target: BinaryIO) -> bytes:
    """Unpack a block and return what lies behind the end of the frame."""
    target.write(decompressor.decompress(block, _AT_ONCE))
    while not decompressor.eof and not decompressor.needs_input:
        target.write(decompressor.decompress(b"", _AT_ONCE))
    return bytes(decompressor.unused_data) if decompressor.eof else b""


def _zstd() -> Any:
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"packed bags need {name}, which is not installed; run: pip install backports.zstd"
        ) from error
