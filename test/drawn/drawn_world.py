# SPDX-License-Identifier: Apache-2.0
"""A flat world with actors, seen by a camera that pans, zooms and rolls: exact masks and true ids.

What the network makes of it is drawn as well: objects it misses, doubts, calls by another class
or sees in pieces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.decoding.boxes import bounding_boxes
from panoptic_ros.core.geometry import THUMBNAIL
from panoptic_ros.core.types import VOID, Panoptic, Segment

BUILDING, POLE, PERSON, RIDER, CAR, TRUCK, BICYCLE = 2, 5, 11, 12, 13, 14, 18
"""Cityscapes train ids."""

THINGS = (11, 12, 13, 14, 15, 16, 17, 18)
SIZE = (320, 192)
"""(width, height) of the maps; a world unit is a pixel of it at zoom 1."""

_WORLD = (2400, 800)
_MIN_PIXELS = 30

Way = Callable[[float], tuple[float, float]]


def straight(x: float, y: float, vx: float = 0.0, vy: float = 0.0) -> Way:
    """Move at constant speed, in world units and units per second."""
    return lambda t: (x + vx * t, y + vy * t)


@dataclass(frozen=True)
class Actor:
    """Something with an outline.

    Attributes:
        way: Where its middle is, (x, y) by seconds.
        size: (width, height) in world units.
        label: Its class; stuff hides what is behind it and has no id.
        shade: Brightness, 0..255.
        growth: Its size grows by this share per second.
    """

    way: Way
    size: tuple[float, float]
    label: int = CAR
    shade: int = 90
    growth: float = 0.0


@dataclass(frozen=True)
class Pose:
    """What the camera looks at: (x, y) of the world in the middle, size of a unit, radians."""

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0
    roll: float = 0.0


@dataclass(frozen=True)
class Network:
    """What the network gets wrong: functions of (true id, number of the frame).

    Attributes:
        misses: Whether it does not see the object at all.
        score: How sure it is.
        label: The class it says, given the true one.
        in_pieces: Whether each connected piece becomes a segment of its own.
    """

    misses: Callable[[int, int], bool] = lambda number, frame: False
    score: Callable[[int, int], float] = lambda number, frame: 0.9
    label: Callable[[int, int, int], int] = lambda number, frame, label: label
    in_pieces: bool = False


@dataclass(frozen=True, eq=False)
class DrawnFrame:
    """One frame: what the network says, when, what the image looks like, and the truth."""

    panoptic: Panoptic
    stamp_ns: int
    thumbnail: NDArray[np.uint8]
    ids: NDArray[np.uint16]
    labels: NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """A sequence of shots; actors that come later in the list are nearer."""

    name: str
    actors: tuple[Actor, ...]
    times_s: tuple[float, ...] = tuple(number / 15.0 for number in range(60))
    pose: Callable[[float], Pose] = lambda t: Pose()
    network: Network = field(default_factory=Network)

    def __iter__(self) -> Iterator[DrawnFrame]:
        rng = np.random.default_rng(0)
        for frame, time_s in enumerate(self.times_s):
            camera = _camera(self.pose(time_s))
            ids, labels = self._paint(camera, time_s)
            said = _said(ids, labels, frame, self.network, rng)
            # What the network does not see cannot be followed: it is no part of the truth.
            known = said.ids > 0
            yield DrawnFrame(
                said,
                1_000_000_000 + round(time_s * 1e9),
                self._image(camera, time_s),
                np.where(known, ids, 0).astype(np.uint16),
                np.where(known, labels, VOID).astype(np.uint8),
            )

    def _paint(
        self, camera: NDArray[np.float64], time_s: float
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
        ids = np.zeros(SIZE[::-1], np.uint16)
        labels = np.zeros(SIZE[::-1], np.uint8)
        for number, actor in enumerate(self.actors, start=1):
            outline = _outline(actor, camera, time_s)
            cv2.fillPoly(labels, [outline], actor.label)
            cv2.fillPoly(ids, [outline], number if actor.label in THINGS else 0)
        return ids, labels

    def _image(self, camera: NDArray[np.float64], time_s: float) -> NDArray[np.uint8]:
        scale = np.diag([THUMBNAIL[0] / SIZE[0], THUMBNAIL[1] / SIZE[1]])
        small = scale @ camera
        corner = np.array([_WORLD[0] / 2.0, _WORLD[1] / 2.0])
        of_ground = np.column_stack((small[:, :2], small[:, 2] - small[:, :2] @ corner))
        image = cv2.warpAffine(_ground(), of_ground, THUMBNAIL, borderMode=cv2.BORDER_REFLECT)
        for actor in self.actors:
            cv2.fillPoly(image, [_outline(actor, small, time_s)], actor.shade)
        return np.asarray(image, np.uint8)


def _camera(pose: Pose) -> NDArray[np.float64]:
    """Affine (2, 3) that takes (x, y) of the world to pixels of the map."""
    cos, sin = pose.zoom * math.cos(pose.roll), pose.zoom * math.sin(pose.roll)
    linear = np.array([[cos, -sin], [sin, cos]])
    shift = np.array([SIZE[0] / 2.0, SIZE[1] / 2.0]) - linear @ np.array([pose.x, pose.y])
    return np.column_stack((linear, shift))


def _outline(actor: Actor, camera: NDArray[np.float64], time_s: float) -> NDArray[np.int32]:
    angles = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    # Between an ellipse and a box.
    round_box = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    round_box = np.sign(round_box) * np.sqrt(np.abs(round_box))
    half = np.array(actor.size) / 2.0 * (1.0 + actor.growth * time_s)
    points = round_box * half + np.array(actor.way(time_s))
    return np.asarray(np.round(points @ camera[:, :2].T + camera[:, 2]), np.int32)


_GROUND: list[NDArray[np.uint8]] = []


def _ground() -> NDArray[np.uint8]:
    """Draw houses, crossings and cracks once: noise of three sizes."""
    if not _GROUND:
        rng = np.random.default_rng(7)
        total = np.zeros(_WORLD[::-1], np.float32)
        for cell, weight in ((40, 1.0), (12, 0.6), (5, 0.3)):
            noise = rng.random((_WORLD[1] // cell, _WORLD[0] // cell)).astype(np.float32)
            total += weight * cv2.resize(noise, _WORLD, interpolation=cv2.INTER_LINEAR)
        # Finer detail than a thumbnail can show would seem to move the wrong way.
        _GROUND.append((cv2.GaussianBlur(total, (0, 0), 1.5) / 1.9 * 255).astype(np.uint8))
    return _GROUND[0]


def _said(
    ids: NDArray[np.uint16],
    labels: NDArray[np.uint8],
    frame: int,
    network: Network,
    rng: np.random.Generator,
) -> Panoptic:
    """Number what the network sees in an order of its own."""
    parts = [
        (number, mask)
        for number in np.unique(ids[ids > 0]).tolist()
        if not network.misses(number, frame)
        for mask in _pieces(ids == number, network.in_pieces)
    ]
    seen = np.zeros(ids.shape, np.uint16)
    said = np.where(ids > 0, VOID, labels).astype(np.uint8)
    about = []
    for new, old in enumerate(rng.permutation(len(parts)).tolist(), start=1):
        number, mask = parts[old]
        label = network.label(number, frame, int(labels[mask][0]))
        seen[mask], said[mask] = new, label
        about.append((label, network.score(number, frame), int(mask.sum())))
    boxes = bounding_boxes(seen, len(about))
    segments = tuple(
        Segment(index, label, score, area, box)
        for index, ((label, score, area), box) in enumerate(
            zip(about, boxes, strict=True), start=1
        )
    )
    return Panoptic(said, seen, np.full(ids.shape, 230, np.uint8), segments)


def _pieces(mask: NDArray[np.bool_], apart: bool) -> list[NDArray[np.bool_]]:
    """Cut out what is large enough to be seen, each piece by itself where asked."""
    if not apart:
        return [mask] if mask.sum() >= _MIN_PIXELS else []
    count, pieces = cv2.connectedComponents(mask.astype(np.uint8))
    found = (pieces == number for number in range(1, count))
    return [piece for piece in found if piece.sum() >= _MIN_PIXELS]
