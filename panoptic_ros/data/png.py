# SPDX-License-Identifier: Apache-2.0
"""Label images: decoding them is most of the time of an evaluation."""

from __future__ import annotations

import importlib
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.files.limits import image_limits, is_image_size
from panoptic_ros.core.files.png_chunks import SIGNATURE, DamagedPngError, png_size
from panoptic_ros.data.unread import unread

_RGB_8_BIT = bytes((8, 2))
_KIND = slice(24, 26)
"""Where a PNG says its bit depth and colour type."""
_PALETTE_TYPE = 3
_TRANSPARENCY = b"tRNS"


def read_png(path: Path) -> NDArray[Any]:
    """Read a label image as it is stored; a palette is looked up.

    Uses the decoder of ``kornia-rs`` for 8-bit RGB where it is installed: the same pixels, several
    times sooner.

    Returns:
        (H, W) or (H, W, C), uint8 or uint16; three channels are RGB, four are RGBA.

    Raises:
        DataError: The file is missing, is not an image or is too large.
    """
    kind = _checked_kind(path)
    fast = _fast_decoder()
    if fast is not None and kind == _RGB_8_BIT:
        try:
            return np.asarray(fast.read_image_png_u8(str(path), "rgb"))
        except Exception:  # it raises nothing narrower; cv2 judges damaged files
            pass
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise unread(path)
    if image.ndim == 3:
        to_rgb = cv2.COLOR_BGR2RGB if image.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        image = cv2.cvtColor(image, to_rgb)
    return np.asarray(image)


def read_rgb(path: Path, what: str = "8-bit RGB") -> NDArray[np.uint8]:
    """Read a label image of three 8-bit channels; a palette is looked up, opaque alpha dropped.

    Args:
        path: The file.
        what: What it should be, for messages.

    Returns:
        RGB, (H, W, 3).

    Raises:
        DataError: The file is missing, is another kind of image, or hides labels by its alpha.
    """
    return as_rgb(path, read_png(path), what)


def as_rgb(path: Path, image: NDArray[Any], what: str) -> NDArray[np.uint8]:
    """Take what ``read_png`` read of a file for three 8-bit channels; see ``read_rgb``.

    Raises:
        DataError: It is another kind of image, or hides labels by its alpha.
    """
    if image.ndim != 3 or image.dtype != np.uint8:
        raise DataError(f"{path}: is {image.dtype} {image.shape}, needs {what}")
    return np.asarray(_without_alpha(path, image), np.uint8)


def read_grey_16(path: Path, what: str) -> NDArray[np.uint16]:
    """Read a label image of one 16-bit channel; equal channels and opaque alpha are one channel.

    Args:
        path: The file.
        what: What it should be, for messages.

    Returns:
        (H, W).

    Raises:
        DataError: The file is missing or is another kind of image.
    """
    image = read_png(path)
    if image.ndim == 3 and image.dtype == np.uint16:
        colors = _without_alpha(path, image)
        if (colors == colors[..., :1]).all():
            image = colors[..., 0]
    if image.ndim != 2 or image.dtype != np.uint16:
        raise DataError(f"{path}: is {image.dtype} {image.shape}, needs {what}")
    return np.asarray(image)


def has_palette(path: Path) -> bool:
    """Whether a PNG stores numbers of colours; False where there is no such file."""
    try:
        with path.open("rb") as file:
            start = file.read(_KIND.stop)
    except OSError:
        return False
    return start.startswith(SIGNATURE) and start[_KIND.stop - 1 :] == bytes([_PALETTE_TYPE])


def read_palette_indices(path: Path) -> NDArray[np.uint8]:
    """Read the numbers that a PNG with a palette stores instead of their colours.

    Returns:
        (H, W).

    Raises:
        DataError: The file is missing, damaged or too large.
    """
    _checked_kind(path)
    content = np.frombuffer(_with_grey_palette(path.read_bytes()), np.uint8)
    try:
        image = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        image = None
    if image is None:
        raise unread(path)
    return np.ascontiguousarray(image if image.ndim == 2 else image[..., 0], np.uint8)


def _with_grey_palette(content: bytes) -> bytes:
    """Put color i = (i, i, i) in place of the palette, so that decoders give the indices."""
    greys = np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes()
    parts, at = [SIGNATURE], len(SIGNATURE)
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        name, end = content[at + 4 : at + 8], at + 12 + size
        if name == b"PLTE":
            told = name + greys[: 3 * (1 << content[24])]
            length = (len(told) - 4).to_bytes(4, "big")
            parts.append(length + told + zlib.crc32(told).to_bytes(4, "big"))
        elif name != _TRANSPARENCY:
            parts.append(content[at:end])
        at = end
    return b"".join(parts)


def _without_alpha(path: Path, image: NDArray[Any]) -> NDArray[Any]:
    """Drop the fourth channel; what it makes transparent must be void, i.e. 0, already."""
    if image.shape[2] < 4:
        return image
    colors, alpha = image[..., :3], image[..., 3]
    if ((alpha != np.iinfo(image.dtype).max) & colors.any(axis=2)).any():
        raise DataError(
            f"{path}: has labels under transparent pixels, so it is not clear whether they count; "
            "save it without alpha channel"
        )
    return np.ascontiguousarray(colors)


def _checked_kind(path: Path) -> bytes:
    """Bit depth and colour type of a PNG that can be decoded safely; empty for other files.

    Raises:
        DataError: The file cannot be read, or not safely decoded.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unread(path) from error
    check_png(path, content)
    return content[_KIND] if content.startswith(SIGNATURE) else b""


def check_png(path: Path, content: bytes) -> None:
    """Make sure that a file can be decoded safely if it is a PNG.

    Args:
        path: As messages name it.
        content: The file.

    Raises:
        DataError: It is a PNG that is cut off or too large.
    """
    if not content.startswith(SIGNATURE):
        return
    try:
        height, width = png_size(content)
    except DamagedPngError as error:
        raise DataError(f"{path}: {error}") from error
    if not is_image_size(height, width):
        raise DataError(f"{path}: is {width}x{height}, needs {image_limits()}")


@lru_cache(maxsize=1)
def _fast_decoder() -> Any:
    try:
        return importlib.import_module("kornia_rs.io")
    except ImportError:
        return None
