# SPDX-License-Identifier: Apache-2.0
"""One is singular; a list says what it leaves out."""

from __future__ import annotations

import pytest

from panoptic_ros.core.errors import counted, listed


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


@pytest.mark.parametrize(
    ("count", "words"), [(0, ""), (2, "0, 1"), (3, "0, 1, 2"), (5, "0, 1, 2 and 2 more")]
)
def test_a_list_that_is_cut_says_so_and_a_whole_one_does_not(count: int, words: str) -> None:
    assert listed(range(count), most=3) == words
