# SPDX-License-Identifier: Apache-2.0
"""What the network and the tracks said about one frame, as bytes; the image is in the bag."""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.class_votes import Votes
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import Drivable, Frame, Panoptic, Segment, Track

_LEVEL = 1
"""Of compression; more takes longer than it saves."""


def pack(result: Result) -> bytes:
    """Write a result without its image; nothing of it is lost."""
    panoptic, drivable = result.panoptic, result.drivable
    arrays: dict[str, NDArray[Any]] = {
        "labels": panoptic.labels,
        "ids": panoptic.ids,
        "confidence": panoptic.confidence,
        "mask": drivable.mask,
        "sure": drivable.confidence,
        "boundary": drivable.boundary,
        "ends": drivable.ends,
        "foot": drivable.foot,
    }
    if panoptic.ego is not None:
        arrays["ego"] = panoptic.ego
    told = {
        "segments": [asdict(segment) for segment in panoptic.segments],
        "tracks": [asdict(track) for track in result.tracks],
        "stages_ms": result.stages_ms,
    }
    arrays["told"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return zlib.compress(file.getbuffer(), _LEVEL)


def unpack(data: bytes, frame: Frame, labels: LabelSet) -> Result:
    """Read a result.

    Args:
        data: What ``pack`` wrote.
        frame: Of the result.
        labels: The model's classes.

    Raises:
        ValueError, KeyError, TypeError, zlib.error: It is something else.
    """
    with np.load(io.BytesIO(zlib.decompress(data)), allow_pickle=False) as arrays:
        told = json.loads(arrays["told"].tobytes())
        panoptic = Panoptic(
            arrays["labels"],
            arrays["ids"],
            arrays["confidence"],
            tuple(_segment(entry) for entry in told["segments"]),
            arrays.get("ego"),
        )
        names = ("mask", "sure", "boundary", "ends", "foot")
        drivable = Drivable(*(arrays[name] for name in names))
    tracks = tuple(_track(entry) for entry in told["tracks"])
    return Result(frame, panoptic, tracks, drivable, told["stages_ms"], labels)


def _segment(entry: dict[str, Any]) -> Segment:
    x0, y0, x1, y1 = entry["box"]
    return Segment(**{**entry, "box": (x0, y0, x1, y1), "votes": _votes(entry["votes"])})


def _track(entry: dict[str, Any]) -> Track:
    vy, vx = entry["velocity"]
    read = {
        "segment": _segment(entry["segment"]),
        "velocity": (vy, vx),
        "pieces": tuple(entry["pieces"]),
        "votes": _votes(entry["votes"]),
    }
    return Track(**{**entry, **read})


def _votes(entries: list[list[Any]]) -> Votes:
    return tuple((int(label), float(share)) for label, share in entries)
