# SPDX-License-Identifier: Apache-2.0
"""A surface that stays empty is explained."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DrivableConfig
from panoptic_ros.core.drivable.empty import EmptySurface, no_class_warning
from panoptic_ros.core.drivable.filter import find_drivable
from test.drawn.drawings import LABELS, scene

CONFIG = DrivableConfig()
NO_ROAD = LabelSet(
    "yard", tuple(replace(label, is_drivable=label.is_thing) for label in LABELS.labels)
)


def warning_of(
    *rows: str, sure: float, labels: LabelSet = LABELS, config: DrivableConfig = CONFIG
) -> str:
    surface, frame = EmptySurface(labels, config), scene(*rows)
    frame = replace(frame, confidence=np.full(frame.labels.shape, round(255 * sure), np.uint8))
    surface.take(frame, find_drivable(frame, labels, config))
    return surface.warning()


def test_a_label_set_without_a_drivable_class_is_told() -> None:
    told = no_class_warning(NO_ROAD, CONFIG)
    assert "is drivable, so the drivable surface stays empty" in told
    assert warning_of("ssss", "rrrr", sure=1.0, labels=NO_ROAD) == told
    assert no_class_warning(LABELS, CONFIG) == ""
    assert no_class_warning(NO_ROAD, replace(CONFIG, optional_classes=("road=0.7",))) == ""


@pytest.mark.parametrize(
    ("sure", "words"),
    [
        (0.43, "road never counts for more than 0.43 .* drivable.min_confidence is 0.6"),
        (0.65, "road never counts for more than 0.65 .* drivable.sure_confidence is 0.7"),
    ],
)
def test_a_class_that_is_never_sure_enough_is_told(sure: float, words: str) -> None:
    assert re.search(words, warning_of("ssss", "rrrr", sure=sure))


@pytest.mark.parametrize(
    ("rows", "sure"), [(("ssss", "rrrr"), 0.8), (("ssss", "ssss"), 0.4), (("rrrr", "ssss"), 0.8)]
)
def test_nothing_is_told_of_a_surface_or_where_no_class_was_doubted(
    rows: tuple[str, ...], sure: float
) -> None:
    assert warning_of(*rows, sure=sure) == ""
