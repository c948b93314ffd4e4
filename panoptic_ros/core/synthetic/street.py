# SPDX-License-Identifier: Apache-2.0
"""A drawn street whose every pixel has a known class and object, for tests and for demonstrations.

Cars and persons move on a plane seen by a driving, turning camera; nearer ones hide farther ones.
Colours are flat and belong to one class and one object at a time, so ``synthetic_engine`` can read
the truth back from the image alone, even after a resize.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.types import Frame

ROAD, SIDEWALK, BUILDING, POLE, VEGETATION, SKY, PERSON, CAR = 0, 1, 2, 5, 8, 10, 11, 13
"""Cityscapes train ids of what is drawn."""

Color = tuple[int, int, int]

STUFF_COLORS: dict[int, tuple[Color, ...]] = {
    ROAD: ((84, 84, 90), (232, 232, 226)),
    SIDEWALK: ((170, 158, 158),),
    BUILDING: ((142, 118, 100), (118, 100, 92), (186, 180, 190)),
    POLE: ((40, 40, 44),),
    VEGETATION: ((66, 104, 58),),
    SKY: ((164, 200, 232),),
}
"""Shades of each stuff class."""

CAR_SLOTS, PERSON_SLOTS = 20, 12
"""As many objects of a class can be told apart at one time, by colour."""

_EYE_HEIGHT_M = 1.5
_NEAREST_M, _FARTHEST_M = 5.0, 70.0


def slot_colors(label: int, slot: int) -> tuple[Color, Color]:
    """Light and dark shade of one object.

    Args:
        label: ``CAR`` or ``PERSON``.
        slot: 0.. below ``CAR_SLOTS`` or ``PERSON_SLOTS``; objects seen together differ in it.
    """
    if label == CAR:
        # Half of the cars are bright; the others are dim, their hues between those of the first.
        hues = CAR_SLOTS // 2
        hue = 180.0 * (slot % hues + 0.5 * (slot // hues)) / hues
        light, dark = ((230, 225), (230, 120)) if slot < hues else ((230, 165), (230, 75))
    else:
        hue, light, dark = 180.0 * (slot + 0.25) / PERSON_SLOTS, (110, 250), (120, 170)
    shades = np.array([[(hue, *light), (hue, *dark)]], np.uint8)
    rgb = cv2.cvtColor(shades, cv2.COLOR_HSV2RGB)[0].tolist()
    return (rgb[0][0], rgb[0][1], rgb[0][2]), (rgb[1][0], rgb[1][1], rgb[1][2])


@dataclass(frozen=True, eq=False)
class Truth:
    """What is on a drawn frame.

    Attributes:
        labels: Cityscapes train id, (H, W) uint8.
        ids: Number of the object, the same as long as it exists, 0 for stuff, (H, W) uint16.
    """

    labels: NDArray[np.uint8]
    ids: NDArray[np.uint16]


@dataclass(frozen=True)
class _RoadUser:
    """An object on the plane: x to the right, z ahead of the camera's start, in metres."""

    number: int
    label: int
    x_m: float
    z_m: float
    vx_m_s: float
    vz_m_s: float
    slot: int = 0

    def on_stage_s(self, speed_m_s: float) -> tuple[float, float]:
        """First and last second in which a camera of that speed can see it; may be reversed."""
        closing_m_s = speed_m_s - self.vz_m_s
        if closing_m_s == 0.0:
            is_near = _NEAREST_M <= self.z_m <= _FARTHEST_M
            return (0.0, math.inf) if is_near else (math.inf, 0.0)
        times = sorted((self.z_m - limit_m) / closing_m_s for limit_m in (_NEAREST_M, _FARTHEST_M))
        return max(0.0, times[0]), times[1]


class DrawnStreet:
    """An iterable of (frame, truth); two of the same arguments are equal to the byte.

    Args:
        size: (width, height) of the images.
        fps: Images per second.
        seconds: Length.
        seed: Which street.
        speed_m_s: Speed of the camera.
        frame_id: Frame id of the images.
    """

    def __init__(
        self,
        size: tuple[int, int] = (1280, 720),
        fps: float = 25.0,
        seconds: float = 15.0,
        seed: int = 0,
        speed_m_s: float = 7.0,
        frame_id: str = "camera",
    ) -> None:
        self.size = size
        self.fps = fps
        self.count = max(1, round(seconds * fps))
        self.frame_id = frame_id
        self._speed_m_s = speed_m_s
        self._users = _colored(_cast(seed, seconds, speed_m_s), speed_m_s)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[Frame, Truth]]:
        for number in range(self.count):
            yield self.draw(number)

    def draw(self, number: int) -> tuple[Frame, Truth]:
        """Draw image ``number``; stamps start at 1 s."""
        time_s = number / self.fps
        canvas = _Canvas(self.size, turn=0.12 * float(np.sin(0.5 * time_s)))
        way_m = self._speed_m_s * time_s
        canvas.background(way_m)
        placed = [(user.z_m + user.vz_m_s * time_s - way_m, user) for user in self._users]
        for z_m, user in sorted(placed, key=lambda pair: -pair[0]):
            if _NEAREST_M <= z_m <= _FARTHEST_M:
                canvas.object(user, user.x_m + user.vx_m_s * time_s, z_m)
        stamp_ns = 1_000_000_000 + round(number * 1e9 / self.fps)
        frame = Frame(canvas.image, stamp_ns, self.frame_id)
        return frame, Truth(canvas.labels, canvas.ids)


def _cast(seed: int, seconds: float, speed_m_s: float) -> list[_RoadUser]:
    """Choose who takes part."""
    rng = np.random.default_rng(seed)
    users, number = [], 1
    reach_m = speed_m_s * seconds + _FARTHEST_M
    lanes = ((-5.2, -6.0), (-1.8, speed_m_s - 0.4), (1.8, speed_m_s + 0.5), (5.6, 0.0))
    for lane_x_m, lane_speed in lanes:
        z_m = 8.0 + float(rng.uniform(0.0, 8.0))
        start_m = z_m
        # Oncoming cars start farther away than the camera ever gets.
        end_m = reach_m + max(0.0, -lane_speed) * seconds if lane_speed < 1.0 else start_m + 50.0
        while z_m < end_m:
            users.append(_RoadUser(number, CAR, lane_x_m, z_m, 0.0, lane_speed))
            number += 1
            z_m += float(rng.uniform(13.0, 22.0))
    for z_m in np.arange(14.0, reach_m, 9.0):
        side = 1.0 if rng.random() < 0.5 else -1.0
        crosses = rng.random() < 0.3
        vx = -side * float(rng.uniform(0.5, 1.2)) if crosses else 0.0
        vz = 0.0 if crosses else float(rng.uniform(-1.3, 1.3))
        x_m = side * float(rng.uniform(8.6, 9.8))
        users.append(_RoadUser(number, PERSON, x_m, float(z_m), vx, vz))
        number += 1
    return users


def _colored(users: list[_RoadUser], speed_m_s: float) -> list[_RoadUser]:
    """Give out slots so that objects seen together differ; who finds none free stays away."""
    left_s = {CAR: [-math.inf] * CAR_SLOTS, PERSON: [-math.inf] * PERSON_SLOTS}
    colored = []
    for user in sorted(users, key=lambda one: one.on_stage_s(speed_m_s)[0]):
        enters_s, leaves_s = user.on_stage_s(speed_m_s)
        slots = left_s[user.label]
        # Strides of 7 give neighbours unlike colours; 7 has no divisor in common with the counts.
        slot = min(range(len(slots)), key=lambda one: (slots[one], one * 7 % len(slots)))
        if slots[slot] < enters_s <= leaves_s:
            slots[slot] = leaves_s
            colored.append(replace(user, slot=slot))
    return colored


class _Canvas:
    """Image, labels and ids that are painted together."""

    def __init__(self, size: tuple[int, int], turn: float) -> None:
        self.width, self.height = size
        self.image = np.zeros((self.height, self.width, 3), np.uint8)
        self.labels = np.zeros((self.height, self.width), np.uint8)
        self.ids = np.zeros((self.height, self.width), np.uint16)
        self._focal = 0.9 * self.width
        self._middle = self.width * (0.5 + turn)
        self._horizon = self.height * 0.45

    def background(self, way_m: float) -> None:
        """Paint sky, houses, trees, pavement and road with its marks."""
        self._fill(SKY, 0, [(0, 0), (self.width, 0), (self.width, self.height), (0, self.height)])
        for side in (-1.0, 1.0):
            self._houses(side, way_m)
        self._plane(SIDEWALK, 0, -40.0, 40.0, 3.0, 400.0)
        self._plane(ROAD, 0, -7.4, 7.4, 2.0, 400.0)
        for x_m in (-3.5, 0.0, 3.5):
            first = -(way_m % 8.0)
            for start in np.arange(first, 70.0, 8.0):
                if start + 3.0 > 3.0:
                    near = max(3.0, float(start))
                    self._plane(ROAD, 1, x_m - 0.08, x_m + 0.08, near, float(start) + 3.0)

    def object(self, user: _RoadUser, x_m: float, z_m: float) -> None:
        """Paint a car or a person standing at (x, z)."""
        light, dark = slot_colors(user.label, user.slot)
        if user.label == CAR:
            body = [(-0.9, 0.3), (0.9, 0.3), (0.9, 0.95), (0.7, 1.45), (-0.7, 1.45), (-0.9, 0.95)]
            details = [
                [(-0.62, 0.98), (0.62, 0.98), (0.55, 1.35), (-0.55, 1.35)],
                [(-0.85, 0.0), (-0.55, 0.0), (-0.55, 0.34), (-0.85, 0.34)],
                [(0.55, 0.0), (0.85, 0.0), (0.85, 0.34), (0.55, 0.34)],
            ]
        else:
            body = [(-0.24, 0.8), (0.24, 0.8), (0.2, 1.5), (0.1, 1.75), (-0.1, 1.75), (-0.2, 1.5)]
            details = [[(-0.2, 0.0), (0.2, 0.0), (0.2, 0.82), (-0.2, 0.82)]]
        for outline, color in ((body, light), *((detail, dark) for detail in details)):
            points = [self._point(x_m + dx, y_m, z_m) for dx, y_m in outline]
            self._paint(points, color, user.label, user.number)

    def _houses(self, side: float, way_m: float) -> None:
        for index in reversed(range(int(way_m / 12.0), int(way_m / 12.0) + 9)):
            near = max(2.0, index * 12.0 - way_m)
            far = index * 12.0 + 11.0 - way_m
            if far <= near:
                continue
            tree = (index * 7 + int(side)) % 4 == 0
            label, shade = (VEGETATION, 0) if tree else (BUILDING, (index * 5) % 3)
            top = 5.0 if tree else 7.0 + (index * 37 % 5) * 1.3
            x_m = side * 12.0
            wall = [(near, 0.0), (far, 0.0), (far, top), (near, top)]
            self._fill(label, shade, [self._point(x_m, y_m, z_m) for z_m, y_m in wall])

    def _plane(
        self, label: int, shade: int, left_m: float, right_m: float, near_m: float, far_m: float
    ) -> None:
        corners = ((left_m, near_m), (left_m, far_m), (right_m, far_m), (right_m, near_m))
        self._fill(label, shade, [self._point(x_m, 0.0, z_m) for x_m, z_m in corners])

    def _point(self, x_m: float, y_m: float, z_m: float) -> tuple[float, float]:
        """Project a point: x to the right, y above the ground, z ahead."""
        scale = self._focal / z_m
        return self._middle + x_m * scale, self._horizon + (_EYE_HEIGHT_M - y_m) * scale

    def _fill(self, label: int, shade: int, points: list[tuple[float, float]]) -> None:
        self._paint(points, STUFF_COLORS[label][shade], label, 0)

    def _paint(
        self, points: list[tuple[float, float]], color: Color, label: int, number: int
    ) -> None:
        # Far outside points would overflow fillPoly's fixed-point coordinates.
        polygon = np.clip(np.round(points), -30_000, 30_000).astype(np.int32)
        cv2.fillPoly(self.image, [polygon], color)
        cv2.fillPoly(self.labels, [polygon], label)
        cv2.fillPoly(self.ids, [polygon], number)
