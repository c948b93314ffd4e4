# SPDX-License-Identifier: Apache-2.0
"""Ways in which bytes get damaged."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

INTERESTING = (0, 1, 2, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63)
TOKENS = (
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"NaN",
    b'""',
    b"[]",
    b"{}",
    b"[[",
    b'{"',
    b"\xff\xfe",
    b"\x00" * 8,
    b"- ",
    b": ",
    b"!!python/object",
    b"&a [*a]",
    b"99999999999999999999",
    b"\n",
    b"[" * 4000,
    b'{"a":' * 4000,
    b"2001-99-99",
    b"Infinity",
    b"&a",
    b"*a",
    b"<<: ",
    b"zstd",
    b"IHDR" + b"\xff" * 8,
    b"\xff\xc0\x00\x11\x08" + b"\xff" * 4,
    b"lz4",
    b"bz2",
    b"op=\x05",
)
MOST_CHANGES = 6


def damaged(seeds: Sequence[bytes], draw: random.Random) -> bytes:
    """Take one of the seeds and change it in one to ``MOST_CHANGES`` places."""
    data = bytearray(draw.choice(seeds))
    for _ in range(draw.randint(1, MOST_CHANGES)):
        draw.choice(CHANGES)(data, seeds, draw)
    return bytes(data)


def _flip(data: bytearray, _: Sequence[bytes], draw: random.Random) -> None:
    if data:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def _set(data: bytearray, _: Sequence[bytes], draw: random.Random) -> None:
    if data:
        data[draw.randrange(len(data))] = draw.randrange(256)


def _number(data: bytearray, _: Sequence[bytes], draw: random.Random) -> None:
    size = draw.choice((1, 2, 4, 8))
    value = draw.choice(INTERESTING) % (1 << 8 * size)
    at = draw.randrange(len(data) + 1)
    data[at : at + size] = value.to_bytes(size, draw.choice(("little", "big")))


def _cut(data: bytearray, _: Sequence[bytes], draw: random.Random) -> None:
    del data[draw.randrange(len(data) + 1) :]


def _remove(data: bytearray, _: Sequence[bytes], draw: random.Random) -> None:
    at = draw.randrange(len(data) + 1)
    del data[at : at + draw.randint(1, 16)]


def _repeat(data: bytearray, _: Sequence[bytes], draw: random.Random) -> None:
    at = draw.randrange(len(data) + 1)
    data[at:at] = data[at : at + draw.randint(1, 16)]


def _token(data: bytearray, _: Sequence[bytes], draw: random.Random) -> None:
    at = draw.randrange(len(data) + 1)
    data[at:at] = draw.choice(TOKENS)


def _splice(data: bytearray, seeds: Sequence[bytes], draw: random.Random) -> None:
    other = draw.choice(seeds)
    data[draw.randrange(len(data) + 1) :] = other[draw.randrange(len(other) + 1) :]


CHANGES: tuple[Callable[[bytearray, Sequence[bytes], random.Random], None], ...] = (
    _flip,
    _set,
    _number,
    _cut,
    _remove,
    _repeat,
    _token,
    _splice,
)
