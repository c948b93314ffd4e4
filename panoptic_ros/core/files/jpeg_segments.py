# SPDX-License-Identifier: Apache-2.0
"""What a JPEG file says about itself before it is decoded.

Source: ITU-T T.81, annex B: a file is markers (0xFF and a code), most with a segment behind them.
In the entropy-coded data of a scan 0xFF is followed by 0, or is a marker.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

START = b"\xff\xd8"
END = b"\xff\xd9"

# Start-of-frame markers: 0xC0..0xCF without DHT (C4), JPG (C8) and DAC (CC).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL = (0xC0, 0xC1)
_SCAN, _RESTARTS = 0xDA, 0xDD
_MARKER, _RESTART, _RESTART_MASK = 0xFF, 0xD0, 0xF8
_BLOCK_PX = 8


class DamagedJpegError(ValueError):
    """What is wrong; the reader adds the name."""


@dataclass(frozen=True)
class JpegHeader:
    """What stands before the first scan.

    Attributes:
        height: In pixels.
        width: In pixels.
        components: 1 grey, 3 colour, 4 CMYK.
        units: Units (MCU) of a scan with all components, 0 where there are several scans.
        restart_interval: Units between two restart markers, 0 for none.
        scan_start: Where the first scan's entropy-coded data begins, in bytes.
    """

    height: int
    width: int
    components: int
    units: int
    restart_interval: int
    scan_start: int

    def lost_restarts(self, content: bytes) -> int:
        """Count the restart markers that should be there and are not; 0 where all are.

        Args:
            content: The file; it has an end marker.
        """
        if not (self.restart_interval and self.units):
            return 0
        expected = -(-self.units // self.restart_interval) - 1
        size = scan_end(content, self.scan_start) - self.scan_start
        data = np.frombuffer(content, np.uint8, size, self.scan_start)
        codes = data[1:][data[:-1] == _MARKER]
        return max(0, expected - int((codes & _RESTART_MASK == _RESTART).sum()))


def scan_end(content: bytes, start: int) -> int:
    """Where the end marker behind ``start`` is, -1 where there is none."""
    return content.find(END, start)


def read_header(content: bytes) -> JpegHeader:
    """Read everything before the first scan.

    Args:
        content: The file, from ``START`` on.

    Raises:
        DamagedJpegError: It ends or is damaged before that.
    """
    frame, interval, at = b"", 0, len(START)
    code = 0
    while at + 4 <= len(content) and content[at] == _MARKER:
        code = content[at + 1]
        if code == _MARKER:  # a fill byte
            at += 1
            continue
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        segment = content[at + 4 : end]
        if code == _SCAN:
            return _header(frame, segment, interval, end)
        if code in _FRAMES:
            frame = bytes((code,)) + segment
        elif code == _RESTARTS:
            interval = int.from_bytes(segment[:2], "big")
        at = end
    raise DamagedJpegError("has no scan" if frame else "has no frame header")


def _header(frame: bytes, scan: bytes, interval: int, start: int) -> JpegHeader:
    """Put frame and scan header together; ``frame`` begins with its marker's code."""
    components = frame[6] if len(frame) > 6 else 0
    if not components or len(frame) < 7 + 3 * components or not scan:
        raise DamagedJpegError("has no frame header")
    height, width = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
    is_whole = frame[0] in _SEQUENTIAL and scan[0] == components
    units = _units(height, width, [frame[8 + 3 * n] for n in range(components)]) if is_whole else 0
    return JpegHeader(height, width, components, units, interval, start)


def _units(height: int, width: int, samplings: list[int]) -> int:
    """Count the units of an image; a component's sampling is horizontal << 4 | vertical."""
    tall = wide = 1
    if len(samplings) > 1:
        tall = max(max(each & 15 for each in samplings), 1)
        wide = max(max(each >> 4 for each in samplings), 1)
    return -(-height // (_BLOCK_PX * tall)) * -(-width // (_BLOCK_PX * wide))
