# SPDX-License-Identifier: Apache-2.0
"""One is singular."""

from __future__ import annotations

import pytest

from panoptic_ros.core.errors import counted


@pytest.mark.parametrize(
    ("count", "noun", "plural", "words"),
    [
        (1, "frame", "", "1 frame"),
        (0, "frame", "", "0 frames"),
        (2, "frame", "", "2 frames"),
        (2, "class", "classes", "2 classes"),
        (1, "class", "classes", "1 class"),
    ],
)
def test_a_number_and_its_noun_agree(count: int, noun: str, plural: str, words: str) -> None:
    assert counted(count, noun, plural) == words
