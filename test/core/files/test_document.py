# SPDX-License-Identifier: Apache-2.0
"""Documents from anybody: whatever is wrong with them is one error, soon and cheap."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoptic_ros.core.files.document import DocumentError, nearest, parse_json, read_yaml
from panoptic_ros.core.files.limits import MAX_YAML_BYTES

LAUGHS = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"

BAD_YAML = {
    "no YAML": (b"a: [", "expected the node content"),
    "not text": (b"a: \xff", "can't decode"),
    "no date": (b"a: 2001-99-99", "month must be in"),
    "grows in memory": (LAUGHS.encode(), r"alias \*a is not taken"),
    "deep": (b"[" * 1000, "nested too deeply"),
    "deep in blocks": (b"- " * 1000, "nested too deeply"),
    "a class of Python": (b"!!python/name:os.system", "could not determine a constructor"),
    "a key twice": (b"a: 1\nb: {c: 1, d: 0, c: 2}\n", "'c' stands twice, again in line 2"),
    "a key twice in a list": (b"- {a: 1}\n- a: 1\n  a: 1\n", "'a' stands twice, again in line 3"),
    "large": (b"#" * (MAX_YAML_BYTES + 1), "larger than"),
}


@pytest.mark.parametrize("case", BAD_YAML)
def test_bad_yaml_is_one_error(tmp_path: Path, case: str) -> None:
    content, words = BAD_YAML[case]
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match=words):
        read_yaml(path)


def test_what_is_no_yaml_is_said_in_one_line_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("/panoptic:\n  decode: {center_threshold: 0.2\n")
    with pytest.raises(DocumentError) as caught:
        read_yaml(path)
    assert str(caught.value) == (
        "line 3, column 1: while parsing a flow mapping, expected ',' or '}', but got "
        "'<stream end>'"
    )


def test_yaml_of_plain_values_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: {b: [1, 0.5, null, true]}\n# end\n")
    assert read_yaml(path) == {"a": {"b": [1, 0.5, None, True]}}


def test_keys_of_different_mappings_and_an_empty_file_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"- {a: 1, b: {a: 2}}\n- {a: 3, 1: x, '1': y}\n")
    assert read_yaml(path) == [{"a": 1, "b": {"a": 2}}, {"a": 3, 1: "x", "1": "y"}]
    path.write_bytes(b"# nothing\n")
    assert read_yaml(path) is None


@pytest.mark.parametrize("text", ["[" * 100_000, "nul", '"', '{"a": ' * 100_000])
def test_bad_json_is_one_error(text: str) -> None:
    with pytest.raises(DocumentError):
        parse_json(text)


@pytest.mark.parametrize(
    ("word", "count", "words"),
    [
        ("topic_3x", 20, "; the nearest is 'topic_3'"),
        ("a", 0, ""),
        ("a", 1, "; there are: topic_0"),
        ("a", 10, "; there are: " + ", ".join(f"topic_{number}" for number in range(10))),
    ],
    ids=["near", "nothing", "one", "all"],
)
def test_a_word_that_is_like_none_gets_the_list(word: str, count: int, words: str) -> None:
    assert nearest(word, [f"topic_{number}" for number in range(count)]) == words


def test_a_long_list_is_cut_to_the_likest_words() -> None:
    known = [f"x{number:02}" for number in range(29)] + ["ground.camera_height"]
    said = nearest("height", known)
    assert said.startswith("; there are: ground.camera_height, ")
    assert said.endswith(" and 20 more")
    assert said.count(",") == 9
