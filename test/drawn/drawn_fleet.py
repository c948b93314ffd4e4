# SPDX-License-Identifier: Apache-2.0
"""Small drives as bags for many at once: good, cut off, empty, and one that ends its worker."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.messages.convert import COMPRESSED_IMAGE
from panoptic_ros.recordings.bag_writer import BagWriter, typestore
from test.drawn.drawn_inputs import SECOND_NS, compressed_message

POISON = (255, 0, 255)
"""An image of this colour ends the process that looks at it; see ``fleet_call``."""

SIZE = (192, 96)
FRONT = "/front/image/compressed"


@cache
def street(count: int, seed: int = 0) -> tuple[NDArray[np.uint8], ...]:
    drawn = DrawnStreet(SIZE, fps=10.0, seconds=count / 10, seed=seed)
    return tuple(frame.image for frame, _ in drawn)


def write_drive(
    path: Path,
    images: Sequence[NDArray[np.uint8]],
    topics: Sequence[str] = (FRONT,),
    late_s: float = 0.02,
) -> Path:
    """One MCAP file at 10 Hz from t = 5 s on, received a little after the stamps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with BagWriter(path) as writer:
        for number, image in enumerate(images):
            stamp_ns = 5 * SECOND_NS + number * SECOND_NS // 10
            message = compressed_message(typestore(), image, stamp_ns)
            for topic in topics:
                writer.write(topic, message, stamp_ns + round(late_s * 1e9))
    return path


def write_video_drive(path: Path, packets: Sequence[bytes]) -> Path:
    """One MCAP file with a packet of H.264 every 0.1 s, in order of decoding."""
    types = typestore().types
    header, message = types["std_msgs/msg/Header"], types[COMPRESSED_IMAGE]
    with BagWriter(path) as writer:
        for number, packet in enumerate(packets):
            time_ns = 5 * SECOND_NS + number * SECOND_NS // 10
            stamp = types["builtin_interfaces/msg/Time"](*divmod(time_ns, SECOND_NS))
            data = np.frombuffer(packet, np.uint8)
            writer.write("/front/video", message(header(stamp, "front"), "h264", data), time_ns)
    return path


def write_empty(path: Path) -> Path:
    """A whole bag without a message."""
    with BagWriter(path):
        return path


def write_fleet(
    folder: Path, good: int, corrupt: int, poisonous: int, empty: int, frames: int = 3
) -> list[Path]:
    """Bags of all kinds, mixed; the kind is in the name."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = ["good"] * good + ["corrupt"] * corrupt + ["poison"] * poisonous + ["empty"] * empty
    order = np.random.default_rng(1).permutation(len(kinds))
    return [_write(folder, number, kinds[which], frames) for number, which in enumerate(order)]


def _write(folder: Path, number: int, kind: str, frames: int) -> Path:
    path = folder / f"drive_{number:03d}_{kind}.mcap"
    if kind == "empty":
        return write_empty(path)
    images = list(street(frames, number % 4))
    if kind == "poison":
        images[-1] = np.full_like(images[-1], POISON)
    write_drive(path, images)
    if kind == "corrupt":
        path.write_bytes(path.read_bytes()[:300])
    return path
