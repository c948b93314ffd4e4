# SPDX-License-Identifier: Apache-2.0
"""TFMessage into the tree: every transform of it, and none that is none."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.ground.transform_tree import TransformTree
from panoptic_ros.messages.clouds.transform_message import note_transforms

QUARTER = (0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5))


def transform(
    child: str, parent: str, shift: tuple[float, ...], turn: tuple[float, ...], second: int = 5
) -> Any:
    return SimpleNamespace(
        header=SimpleNamespace(frame_id=parent, stamp=SimpleNamespace(sec=second, nanosec=0)),
        child_frame_id=child,
        transform=SimpleNamespace(
            translation=SimpleNamespace(**dict(zip("xyz", shift, strict=True))),
            rotation=SimpleNamespace(**dict(zip("xyzw", turn, strict=True))),
        ),
    )


def noted(*transforms: Any, is_static: bool) -> TransformTree:
    tree = TransformTree()
    note_transforms(tree, SimpleNamespace(transforms=list(transforms)), is_static)
    return tree


def test_every_transform_of_a_message_is_noted_with_shift_and_turn() -> None:
    camera = transform("camera", "mast", (1.0, 2.0, 3.0), QUARTER)
    mast = transform("mast", "base", (0.0, 0.0, 10.0), (0.0, 0.0, 0.0, 1.0))
    pose = noted(camera, mast, is_static=True).pose("base", "camera", 0)
    assert pose is not None
    np.testing.assert_allclose(pose @ (1.0, 0.0, 0.0, 1.0), (1.0, 3.0, 13.0, 1.0), atol=1e-12)


def test_a_turn_that_is_none_leaves_out_its_transform_alone() -> None:
    broken = transform("lidar", "base", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0))
    camera = transform("camera", "base", (1.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
    tree = noted(broken, camera, is_static=True)
    assert tree.pose("base", "camera", 0) is not None
    assert tree.pose("base", "lidar", 0) is None


@pytest.mark.parametrize(("is_static", "ahead_m"), [(True, 3.0), (False, 2.0)])
def test_what_moves_is_between_its_stamps_and_what_is_static_is_the_last_said(
    is_static: bool, ahead_m: float
) -> None:
    upright = (0.0, 0.0, 0.0, 1.0)
    first = transform("camera", "base", (1.0, 0.0, 0.0), upright, second=5)
    last = transform("camera", "base", (3.0, 0.0, 0.0), upright, second=7)
    pose = noted(first, last, is_static=is_static).pose("base", "camera", 6_000_000_000)
    assert pose is not None
    assert pose[0, 3] == pytest.approx(ahead_m)
