# SPDX-License-Identifier: Apache-2.0
"""What a decoder must know of a video packet before it decodes it: key frame, gap, codec.

Sources: ITU-T H.264 (7.3), ITU-T H.265 (7.3) and the AV1 bitstream specification (5.3). H.264 and
H.265 lie in Annex B, AV1 in its low overhead format, as Foxglove and ffmpeg_image_transport say.
"""

from __future__ import annotations

from dataclasses import dataclass

_START = b"\0\0\1"
_CODECS = (("264", "h264"), ("avc", "h264"), ("265", "hevc"), ("hevc", "hevc"), ("av1", "av1"))
_STILL = ("jpeg", "jpg", "png", "webp", "tiff")

_H264_SLICES = frozenset(range(1, 6))
_H264_KEYS = frozenset({5, 7})
_H264_SPS = 7
_H264_HIGH = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
"""Profiles whose parameter set has a chroma format."""
_HEVC_FIRST_PARAMETERS = 32
_HEVC_KEYS = frozenset(range(16, 24)) | {33}
_AV1_SEQUENCE = 1
_AV1_FRAMES = frozenset({3, 6})


def codec_of(form: str) -> str:
    """Codec that a message's format or encoding names; empty for still images.

    >>> codec_of("h265"), codec_of("hevc_nvenc;yuv420p;bgr8;bgr8"), codec_of("libx264")
    ('hevc', 'hevc', 'h264')
    >>> codec_of("bgr8; jpeg compressed bgr8"), codec_of("vp9")
    ('', 'vp9')
    """
    text = form.lower()
    if any(name in text for name in _STILL):
        return ""
    first = text.split(";")[0].strip()
    if first in ("vp8", "vp9"):
        return first
    return next((codec for part, codec in _CODECS if part in text), "")


def is_key(codec: str, data: bytes) -> bool:
    """Whether decoding can start at a packet."""
    if codec == "h264":
        return any(nal[0] & 31 in _H264_KEYS or _is_recovery(nal) for nal in nal_units(data))
    if codec == "hevc":
        return any(nal[0] >> 1 & 63 in _HEVC_KEYS for nal in nal_units(data))
    if codec == "av1":
        return _AV1_SEQUENCE in _obu_types(data)
    if codec == "vp9":
        return bool(data) and data[0] & 0b1100 == 0 and data[0] >> 6 == 2
    return bool(data) and not data[0] & 1


def has_image(codec: str, data: bytes) -> bool:
    """Whether a packet holds more than parameters for those that follow."""
    if codec == "h264":
        return any(nal[0] & 31 in _H264_SLICES for nal in nal_units(data))
    if codec == "hevc":
        return any(nal[0] >> 1 & 63 < _HEVC_FIRST_PARAMETERS for nal in nal_units(data))
    if codec == "av1":
        return not _AV1_FRAMES.isdisjoint(_obu_types(data))
    return bool(data)


def nal_units(data: bytes) -> list[bytes]:
    """Split a packet in Annex B; empty where it has no start code."""
    parts = data.split(_START)[1:]
    return [part for part in parts if part.rstrip(b"\0")]


@dataclass
class FrameNumbers:
    """Follows ``frame_num`` of H.264, which shows when a packet is missing (7.4.3).

    A decoder would go on without a word and repeat the image before.
    """

    _modulus: int = 0
    _has_planes: bool = False
    _allows_gaps: bool = True
    _last: int | None = None
    _last_is_reference: bool = False

    def misses_one(self, data: bytes) -> bool:
        """Take in a packet and say whether one is missing before it."""
        for nal in nal_units(data):
            kind = nal[0] & 31
            if kind == _H264_SPS:
                self._learn(nal)
            elif kind in (1, 5) and self._modulus:
                return self._step(nal, kind == 5)
        return False

    def forget_last(self) -> None:
        """Compare the next packet with none."""
        self._last = None

    def _step(self, nal: bytes, is_idr: bool) -> bool:
        bits = _Bits(nal[1:])
        bits.unsigned(), bits.unsigned(), bits.unsigned()
        if self._has_planes:
            bits.take(2)
        number = bits.take(self._modulus.bit_length() - 1)
        last, was_reference = self._last, self._last_is_reference
        self._last, self._last_is_reference = number, bool(nal[0] & 0x60)
        if is_idr or last is None or self._allows_gaps:
            return False
        follows = {last, (last + 1) % self._modulus} if was_reference else {last}
        return number not in follows

    def _learn(self, nal: bytes) -> None:
        bits = _Bits(nal[1:])
        profile = bits.take(8)
        bits.take(16)
        bits.unsigned()
        self._has_planes = False
        if profile in _H264_HIGH and not self._skip_chroma(bits):
            self._modulus = 0
            return
        self._modulus = 1 << bits.unsigned() + 4
        order = bits.unsigned()
        if order == 0:
            bits.unsigned()
        elif order == 1:
            bits.take(1)
            bits.unsigned(), bits.unsigned()
            for _ in range(min(bits.unsigned(), 255)):
                bits.unsigned()
        bits.unsigned()
        self._allows_gaps = bool(bits.take(1))

    def _skip_chroma(self, bits: _Bits) -> bool:
        """Step over the chroma format; False where scaling lists follow, which are not read."""
        if bits.unsigned() == 3:
            self._has_planes = bool(bits.take(1))
        bits.unsigned(), bits.unsigned()
        bits.take(1)
        return not bits.take(1)


class _Bits:
    """Reads bits and Exp-Golomb numbers (9.1); beyond the end they are 0."""

    def __init__(self, data: bytes) -> None:
        plain = data[:64].replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(plain, "big")
        self._left = 8 * len(plain)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            return 0
        return self._value >> self._left & (1 << count) - 1

    def unsigned(self) -> int:
        zeros = 0
        while self._left > 0 and zeros < 32 and not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)


def _is_recovery(nal: bytes) -> bool:
    """Whether it is an SEI that names a recovery point, as streams with intra refresh have."""
    return nal[0] & 31 == 6 and nal[1:2] == b"\6"


def _obu_types(data: bytes) -> set[int]:
    found = set()
    at = 0
    while at < len(data):
        head = data[at]
        found.add(head >> 3 & 15)
        at += 2 if head & 4 else 1
        if not head & 2:
            break
        size = shift = 0
        while at < len(data):
            size |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if data[at - 1] < 128:
                break
        at += size
    return found
