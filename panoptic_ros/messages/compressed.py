# SPDX-License-Identifier: Apache-2.0
"""JPEG and PNG as ``sensor_msgs/CompressedImage`` carries them, to RGB and back.

Source of ``format``: compressed_image_transport, ``<encoding>; <codec> compressed <packed as>``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import FrameError
from panoptic_ros.core.files.jpeg_segments import (
    END,
    START,
    DamagedJpegError,
    JpegHeader,
    read_header,
    scan_end,
)
from panoptic_ros.core.files.png_chunks import HEADER_BYTES, SIGNATURE, DamagedPngError, png_size
from panoptic_ros.messages.encodings import (
    LAYOUTS,
    SIXTEEN_BIT,
    Packed,
    check_size,
    is_known,
    to_rgb,
    unreadable,
)

# The camera's pixel grid is what camera_info speaks of: an EXIF orientation must not turn it.
_COLOR = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
_GREY = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
_PNG_KIND, _PNG_GREY = 25, 0
"""Byte of a PNG file that says what its pixels are, and its value for grey ones."""

_VALUES = re.compile(r"\d+[USF]C\d+", re.ASCII)
"""Encodings of sensor_msgs that are no colours, beside those that ``encodings`` reads."""

_DEPTH = "compressedDepth"
"""What compressed_depth_image_transport writes into ``format``."""

_MISSING_VALUE = 128
"""What decoders show of a JPEG's blocks that never came: every coefficient is 0."""

_NONSENSE = bytes(range(1, 129))


@dataclass(frozen=True)
class _File:
    """What a file's header says.

    Attributes:
        height: In pixels.
        width: In pixels.
        is_grey: Whether it has one value per pixel.
        jpeg: The header of a JPEG.
    """

    height: int
    width: int
    is_grey: bool
    jpeg: JpegHeader | None = None


def decompress(data: NDArray[np.uint8], form: str = "") -> NDArray[np.uint8]:
    """Decode a JPEG or PNG image.

    Args:
        data: The file, (n,) uint8.
        form: ``format`` of the message: a mosaic or the planes of a YUV image in a grey file
            become colours as those of a raw image do.

    Returns:
        RGB, (H, W, 3) uint8, mostly a view with a negative channel stride.

    Raises:
        FrameError: It is no JPEG or PNG, is cut off, damaged or too large, or holds depth.
    """
    source, packed_as = packed_encodings(form)
    content = data.tobytes()
    file = _header(content)
    check_size(file.height, file.width)
    encoding = source if file.is_grey else packed_as or source
    if encoding and not is_known(encoding):
        raise unreadable(encoding)
    image = _pixels(content, _GREY if file.is_grey else _COLOR, file)
    if is_known(source) and _is_raw_material(source) and _has_one_value(image):
        return _from_grey(np.ascontiguousarray(image[..., 0]), source)
    if file.is_grey:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), np.uint8)
    return image[..., ::-1]


def packed_encodings(form: str) -> tuple[str, str]:
    """Encoding that the camera had, and that of the pixels in the file where they were converted.

    Args:
        form: ``format`` of a message; words that are no encodings are left out.

    Raises:
        FrameError: It speaks of depth in compressedDepth's own way.

    >>> packed_encodings("bayer_rggb8; jpeg compressed "), packed_encodings("jpeg")
    (('bayer_rggb8', ''), ('', ''))
    >>> packed_encodings("rgb8; jpeg compressed bgr8")
    ('rgb8', 'bgr8')
    """
    if _DEPTH in form:
        raise FrameError(f"format {form!r} holds depth; needs a jpeg or png image")
    source, _, codec = form.partition(";")
    words = source.strip(), codec.partition("compressed")[2].strip()
    first, second = (word if is_known(word) or _is_unread(word) else "" for word in words)
    return first, second


def holds_depth(message: Any) -> bool:
    """Whether a message holds depth or other values that are no colours, by what it says.

    Args:
        message: Any message that holds an image.
    """
    if hasattr(message, "format"):
        form = str(message.format)
        encoding = _DEPTH if _DEPTH in form else packed_encodings(form)[0]
    else:
        encoding = str(getattr(message, "encoding", ""))
    return encoding == _DEPTH or (bool(_VALUES.fullmatch(encoding)) and not is_known(encoding))


def _is_unread(encoding: str) -> bool:
    """Whether it is one of sensor_msgs that is not read."""
    return encoding == "nv24" or bool(_VALUES.fullmatch(encoding))


def compress(rgb: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Encode an image as JPEG.

    Args:
        rgb: (H, W, 3) uint8.
        quality: 1..100.

    Returns:
        The file, (n,) uint8.
    """
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(content, np.uint8).reshape(-1)


def _header(content: bytes) -> _File:
    """Read what kind of file it is and how large its image; say what is not whole."""
    if content.startswith(START):
        return _jpeg_file(content)
    if content.startswith(SIGNATURE) and len(content) >= HEADER_BYTES:
        return _png_file(content)
    raise FrameError(
        f"compressed image starts with {content[:8].hex() or 'nothing'}; needs a JPEG or PNG file"
    )


def _png_file(content: bytes) -> _File:
    try:
        height, width = png_size(content)
    except DamagedPngError as error:
        raise FrameError(f"png image of {len(content)} bytes is damaged, it {error}") from error
    return _File(height, width, content[_PNG_KIND] == _PNG_GREY)


def _jpeg_file(content: bytes) -> _File:
    try:
        header = read_header(content)
    except DamagedJpegError as error:
        raise FrameError(f"jpeg image of {len(content)} bytes is damaged, it {error}") from error
    size = f"{header.width}x{header.height}"
    if scan_end(content, header.scan_start) < 0:
        raise FrameError(f"jpeg image of {size} is cut off after {len(content)} B")
    lost = header.lost_restarts(content)
    if lost:
        raise FrameError(f"jpeg image of {size} is damaged, it lacks {lost} restart segments")
    return _File(header.height, header.width, header.components == 1, header)


def _pixels(content: bytes, flags: int, file: _File) -> NDArray[np.uint8]:
    """Decode, and make sure that nothing was made up.

    Raises:
        FrameError: The file is damaged, or ends before its image does.
    """
    image = _decoded(content, flags)
    if image is None:
        raise FrameError(f"compressed image of {file.width}x{file.height} is damaged")
    if file.jpeg is not None and _ends_early(content, file.jpeg, image, flags):
        raise FrameError(
            f"jpeg image of {file.width}x{file.height} is cut off, though it has an end marker"
        )
    return image


def _ends_early(content: bytes, header: JpegHeader, image: NDArray[np.uint8], flags: int) -> bool:
    """Whether a JPEG's data ends before its image does.

    Decoders fill what is missing with grey and tell nobody. So where the last pixel is that grey,
    bytes of nonsense are put before the end marker: behind whole data they are skipped, else they
    become pixels. Of files with several scans only the last is looked at, so all are tried.
    """
    if header.units and (image[-1, -1] != _MISSING_VALUE).any():
        return False
    end = scan_end(content, header.scan_start)
    again = _decoded(content[:end] + _NONSENSE + END, flags)
    return again is None or not np.array_equal(again, image)


def _decoded(content: bytes, flags: int) -> NDArray[np.uint8] | None:
    """Decode to BGR (H, W, 3), or to one value (H, W, 1)."""
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:
        return None
    if image is None:
        return None
    return np.asarray(image, np.uint8).reshape(*image.shape[:2], -1)


def _is_raw_material(encoding: str) -> bool:
    """Whether single values only become colours together: mosaics, and planes of YUV."""
    name = _eight_bit(encoding)
    return LAYOUTS[name].channels == 1 and name not in ("mono8", "8UC1")


def _has_one_value(image: NDArray[np.uint8]) -> bool:
    """Whether all channels are the same, as where a mosaic was taken for a grey image."""
    return bool((image[..., 1:] == image[..., :1]).all())


def _eight_bit(encoding: str) -> str:
    return SIXTEEN_BIT.get(encoding, (0, encoding))[1]


def _from_grey(values: NDArray[np.uint8], encoding: str) -> NDArray[np.uint8]:
    """Take the values of a grey file for those of a raw image."""
    name = _eight_bit(encoding)
    rows, width = values.shape
    # Planes of chroma lie below those of luma.
    height = rows * 2 // 3 if LAYOUTS[name].chroma_planes else rows
    return to_rgb(Packed(values.reshape(-1), height, width, width, name))
