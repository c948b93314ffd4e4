# SPDX-License-Identifier: Apache-2.0
"""MCAP in all its legal forms is read to the end, and damage to its index costs nothing."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import combinations
from pathlib import Path

import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.recordings.open import open_source
from panoptic_ros.recordings.source import Source, TimeRange
from test.drawn.drawn_bags import McapForm, write_mcap
from test.drawn.drawn_inputs import number_of

pytest.importorskip("rosbags")

ALL = [0, 1, 2, 3, 4, 5]
OPTIONAL = [entry.name for entry in fields(McapForm) if entry.default is True]
MISSING = [
    *combinations(OPTIONAL, 1),
    *combinations(OPTIONAL, 2),
    ("schemas", "channels", "statistics"),
    ("message_index", "schemas", "channels", "statistics"),
    tuple(OPTIONAL),
]
OTHER_FORMS = {
    "profile": McapForm(profile=""),
    "ros1 profile": McapForm(profile="ros1"),
    "empty chunks": McapForm(empty_chunks=True),
    "empty chunks without statistics": McapForm(empty_chunks=True, statistics=False),
    "some outside of chunks": McapForm(loose=(2, 4)),
    "chunks not by time": McapForm(order=(3, 0, 1, 5, 4, 2)),
    "not by time, no chunks": McapForm(chunks=False, order=(1, 0, 2, 3, 5, 4)),
    "not by time, no index": McapForm(summary=False, order=(1, 0, 2, 3, 5, 4)),
    "counts 0": McapForm(counts=0),
    "Zstandard": McapForm(compression="zstd", order=(3, 0, 1, 5, 4, 2)),
    "LZ4": McapForm(compression="lz4", order=(3, 0, 1, 5, 4, 2)),
    "LZ4 without index": McapForm(compression="lz4", summary=False),
}


def read(path: Path, span: TimeRange | None = None) -> tuple[list[int], Source]:
    with open_source(path, span=span) as source:
        return [number_of(recorded.frame.image) for recorded in source.frames()], source


@pytest.mark.parametrize("missing", MISSING, ids=", ".join)
def test_every_optional_part_may_be_missing(tmp_path: Path, missing: tuple[str, ...]) -> None:
    form = replace(McapForm(), **dict.fromkeys(missing, False))
    seen, source = read(write_mcap(tmp_path / "a.mcap", form))
    assert seen == ALL
    assert source.count == 6
    assert source.read_errors.notes == []


@pytest.mark.parametrize("form", OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_other_legal_forms_are_read_by_time(tmp_path: Path, form: McapForm) -> None:
    seen, source = read(write_mcap(tmp_path / "a.mcap", form))
    assert seen == ALL
    assert source.read_errors.notes == []


@pytest.mark.parametrize("form", OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_a_part_is_the_same_in_every_form(tmp_path: Path, form: McapForm) -> None:
    path = write_mcap(tmp_path / "a.mcap", form)
    assert read(path, TimeRange(0.1, 0.3))[0] == [1, 2, 3]


@pytest.mark.parametrize("end", [8, 20, 40, 100])
@pytest.mark.parametrize("form", OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_a_file_cut_off_in_its_index_keeps_its_images(
    tmp_path: Path, form: McapForm, end: int
) -> None:
    path = write_mcap(tmp_path / "a.mcap", replace(form, summary=True))
    path.write_bytes(path.read_bytes()[:-end])
    seen, _ = read(path)
    assert seen == ALL


def test_a_file_without_its_end_says_so(tmp_path: Path) -> None:
    path = write_mcap(tmp_path / "a.mcap", McapForm())
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"\x0f\x04\0\0\0\0\0\0\0")])
    seen, source = read(path)
    assert seen == ALL
    assert "the recording was cut off" in source.read_errors.notes[0]
    assert source.read_errors


def test_fewer_images_than_the_statistics_promise_are_told(tmp_path: Path) -> None:
    seen, source = read(write_mcap(tmp_path / "a.mcap", McapForm(counts=9)))
    assert seen == ALL
    assert "counts 9 images, 6 can be read" in source.read_errors.notes[0]
    assert source.read_errors


def test_an_index_that_fails_its_checksum_is_not_used(tmp_path: Path) -> None:
    path = write_mcap(tmp_path / "a.mcap", McapForm())
    data = bytearray(path.read_bytes())
    data[-12:-8] = b"\1\2\3\4"
    path.write_bytes(bytes(data))
    seen, source = read(path)
    assert seen == ALL
    assert "its index cannot be used (it fails its checksum)" in source.read_errors.notes[0]


@pytest.mark.parametrize("has_summary", [True, False])
def test_chunks_in_an_unknown_compression_are_told(tmp_path: Path, has_summary: bool) -> None:
    path = write_mcap(tmp_path / "a.mcap", McapForm(compression="zstd", summary=has_summary))
    path.write_bytes(path.read_bytes().replace(b"\4\0\0\0zstd", b"\4\0\0\0zpaq"))
    with pytest.raises(DataError, match="compression 'zpaq' is not known"):
        read(path)
