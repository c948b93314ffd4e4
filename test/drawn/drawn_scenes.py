# SPDX-License-Identifier: Apache-2.0
"""What a tracker must live through, as drawn scenes with exact masks and known ids."""

from __future__ import annotations

import math

import numpy as np

from test.drawn.drawn_world import (
    BICYCLE,
    BUILDING,
    CAR,
    PERSON,
    POLE,
    RIDER,
    TRUCK,
    Actor,
    Network,
    Pose,
    Scene,
    straight,
)


def _at(fps: float, seconds: float) -> tuple[float, ...]:
    return tuple(number / fps for number in range(round(fps * seconds)))


def _parked(count: int = 12, gap: float = 52.0) -> tuple[Actor, ...]:
    return tuple(
        Actor(straight((n - count // 2) * gap, 20.0 + 3 * (n % 3)), (44, 26), shade=40 + 15 * n)
        for n in range(count)
    )


def _irregular() -> tuple[float, ...]:
    steps = np.random.default_rng(3).choice([0.033, 0.066, 0.1, 0.25], 60)
    return tuple(np.cumsum(steps).tolist())


def _crowd(count: int, seed: int) -> tuple[Actor, ...]:
    rng = np.random.default_rng(seed)
    feet = np.sort(rng.uniform(-30, 60, count))
    actors = []
    for y in feet:
        x, vx, phase = rng.uniform(-150, 150), rng.uniform(-14, 14), rng.uniform(0, 6)
        actors.append(
            Actor(
                lambda t, x=x, y=y, vx=vx, phase=phase: (
                    x + vx * t,
                    y - 18.0 + 1.5 * math.sin(4 * t + phase),
                ),
                (12 + 0.08 * (y + 30), 36 + 0.2 * (y + 30)),
                PERSON,
                int(rng.integers(20, 235)),
            )
        )
    return tuple(actors)


def _traffic() -> tuple[Actor, ...]:
    lanes = ((-30.0, 18.0, -70.0), (-8.0, 24.0, -55.0), (20.0, 32.0, 60.0), (55.0, 44.0, 85.0))
    return tuple(
        Actor(
            straight(-np.sign(speed) * (n * 4.2 * height - 120), y, speed),
            (1.9 * height, height),
            TRUCK if n % 4 == 3 else CAR,
            30 + 20 * n,
        )
        for y, height, speed in lanes
        for n in range(9)
    )


_WALL = Actor(straight(0, 0), (60, 400), BUILDING, 150)
_POLES = tuple(Actor(straight(x, 0), (6, 400), POLE, 60) for x in (-110, -60, -10, 40, 90))
_CAR_RIGHT = Actor(straight(-180, 20, 70), (70, 36), shade=30)


SCENES = (
    Scene("standing", _parked()),
    Scene("pan", _parked(), pose=lambda t: Pose(x=-150 + 75 * t)),
    Scene("fast pan to and fro", _parked(), pose=lambda t: Pose(x=60 * math.sin(4.5 * t))),
    Scene("zoom in", _parked(), pose=lambda t: Pose(zoom=0.5 * math.exp(0.35 * t))),
    Scene("zoom out", _parked(), pose=lambda t: Pose(zoom=2.0 * math.exp(-0.35 * t))),
    Scene("roll", _parked(), pose=lambda t: Pose(roll=0.25 * math.sin(2.5 * t))),
    Scene("bumps", _parked(), pose=lambda t: Pose(y=14 * math.sin(9 * t), x=20 * t)),
    Scene(
        "two cars cross",
        (Actor(straight(150, 10, -75), (60, 30), shade=200), _CAR_RIGHT),
    ),
    Scene(
        "persons cross",
        (
            Actor(straight(-90, 0, 40), (16, 44), PERSON, 220),
            Actor(straight(90, 4, -40), (16, 46), PERSON, 30),
        ),
    ),
    Scene(
        "behind a wall",
        (
            Actor(straight(-110, 0, 62), (16, 44), PERSON, 220),
            Actor(straight(110, 40, -75), (30, 24), CAR, 20),
            _WALL,
        ),
    ),
    Scene(
        "behind a wall in a pan",
        (Actor(straight(-90, 0, 62), (16, 44), PERSON, 220), _WALL),
        pose=lambda t: Pose(x=60 * math.sin(1.6 * t)),
    ),
    Scene("behind poles", (_CAR_RIGHT, *_POLES)),
    Scene("in pieces", (_CAR_RIGHT, *_POLES), network=Network(in_pieces=True)),
    Scene(
        "in pieces while the camera pans",
        (Actor(straight(130, -14, -60), (56, 30), shade=220), _CAR_RIGHT, _POLES[0], _POLES[3]),
        pose=lambda t: Pose(x=30 * math.sin(1.5 * t)),
        network=Network(in_pieces=True),
    ),
    Scene("traffic", _traffic()),
    Scene("five frames a second", _traffic(), times_s=_at(5, 6)),
    Scene("sixty frames a second", _traffic(), times_s=_at(60, 2)),
    Scene("irregular stamps", _traffic(), times_s=_irregular()[:50]),
    Scene(
        "drop-outs",
        _traffic(),
        network=Network(misses=lambda number, frame: (7 * number + 5 * frame) % 13 < 2),
    ),
    Scene(
        "empty frames",
        _parked(),
        pose=lambda t: Pose(x=40 * t),
        network=Network(misses=lambda number, frame: frame % 10 in (4, 5)),
    ),
    Scene(
        "doubts",
        (*_parked(6, 50.0), *_crowd(8, 4)),
        pose=lambda t: Pose(x=8 * math.sin(3 * t)),
        network=Network(
            score=lambda number, frame: 0.9 if (frame + number) % 4 == 0 or frame < 2 else 0.12,
        ),
    ),
    Scene(
        "class flickers",
        (*_parked(6, 104.0), *_crowd(6, 5)),
        network=Network(
            label=lambda number, frame, label: (
                {CAR: TRUCK, PERSON: RIDER}[label] if (frame + number) % 5 == 4 else label
            ),
        ),
    ),
    Scene(
        "riders",
        tuple(
            actor
            for n in range(4)
            for actor in (
                Actor(straight(-150 + 70 * n, 40, 30 - 18 * n), (34, 22), BICYCLE, 40),
                Actor(straight(-150 + 70 * n, 18, 30 - 18 * n), (14, 34), RIDER, 210),
            )
        ),
    ),
    Scene(
        "braking",
        (
            Actor(lambda t: (-150 + 180 * t - 24 * t * t, 10), (40, 22), shade=20),
            Actor(lambda t: (150 - 20 * t * t, 45), (56, 30), shade=220),
        ),
    ),
    Scene("oncoming", (Actor(straight(-12, 0, -9, 4), (22, 14), growth=0.9), *_parked(6, 104.0))),
    Scene("crowd", _crowd(24, 1)),
    Scene("crowd in a pan", _crowd(16, 2), pose=lambda t: Pose(x=40 * math.sin(3.0 * t))),
)
