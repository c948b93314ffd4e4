# SPDX-License-Identifier: Apache-2.0
"""Names decide which value becomes which; what leads nowhere is said by one value."""

from __future__ import annotations

import numpy as np
import pytest

from panoptic_ros.core.classes.label_table import LabelTable, NameRules, TargetClass, target_name

ROBOT = (TargetClass("free", 0), TargetClass("blocked", 200), TargetClass("other", 9))


@pytest.mark.parametrize(
    ("name", "rules", "target"),
    [
        ("free", {}, "free"),
        ("road", {}, ""),
        ("road", {"road": "free"}, "free"),
        ("free", {"free": "other"}, "other"),
        ("free", {"free": None, "*": "other"}, ""),
        ("road", {"*": "other"}, "other"),
        ("free", {"*": "other"}, "free"),
    ],
    ids=["itself", "unknown", "a rule", "rule first", "nothing", "others", "not of the others"],
)
def test_a_name_becomes_what_rules_say_else_itself_else_the_others(
    name: str, rules: NameRules, target: str
) -> None:
    assert target_name(name, {"free", "blocked", "other"}, rules) == target


def test_values_follow_the_names_and_void_becomes_nothing() -> None:
    rules = {"car": "blocked", "moon": None}
    table = LabelTable.by_name("robot", ROBOT, ["free", "car", "moon"], rules, nothing=7)
    labels = np.array([[0, 1, 2], [3, 255, 1]], np.uint8)
    assert table.apply(labels).tolist() == [[0, 200, 7], [7, 7, 200]]
