# SPDX-License-Identifier: Apache-2.0
"""A short drive as images, ``panoptic replay`` with a drawn engine, and what its bag holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2

from panoptic_ros.cli.main import main
from test.drawn.painted_engine import street

FRAMES = 5


def write_images(folder: Path) -> Path:
    """Write the drive; returns its folder."""
    folder.mkdir()
    for number in range(FRAMES):
        image = street(10 + 3 * number, width=128, height=96)
        cv2.imwrite(str(folder / f"{number}.png"), image[..., ::-1])
    return folder


def replay(*words: object) -> int:
    return main(["replay", *map(str, words), "--engine", "painted"])


def messages(path: Path) -> dict[str, list[tuple[int, Any]]]:
    from rosbags.highlevel import AnyReader

    found: dict[str, list[tuple[int, Any]]] = {}
    with AnyReader([path]) as reader:
        for entry, time_ns, data in reader.messages():
            message = reader.deserialize(data, entry.msgtype)
            found.setdefault(entry.topic, []).append((time_ns, message))
    return found
