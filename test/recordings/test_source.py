# SPDX-License-Identifier: Apache-2.0
"""Folders and videos as inputs, whole and damaged."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.recordings.open import open_source
from panoptic_ros.recordings.source import FIRST_STAMP_NS, TimeRange
from panoptic_ros.recordings.video_writer import VideoWriter
from test.drawn.drawn_inputs import SECOND_NS, image, number_of, write_folder, write_video

pytest.importorskip("av")


def numbers(path: Path, **options: object) -> list[int]:
    with open_source(path, **options) as source:  # type: ignore[arg-type]
        return [number_of(recorded.frame.image) for recorded in source.frames()]


def test_a_folder_is_read_in_the_order_of_the_numbers_in_its_names(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, ["frame_1.png", "frame_2.png", "frame_10.png"])
    with open_source(folder, fps=20) as source:
        frames = list(source.frames())
    assert [recorded.stem for recorded in frames] == ["frame_1", "frame_2", "frame_10"]
    assert [recorded.frame.stamp_ns - FIRST_STAMP_NS for recorded in frames] == [
        0,
        SECOND_NS // 20,
        SECOND_NS // 10,
    ]
    assert source.count == 3
    assert not source.read_errors


def test_one_image_is_a_folder_of_one(tmp_path: Path) -> None:
    write_folder(tmp_path, ["a.png", "b.png"])
    assert numbers(tmp_path / "b.png") == [1]


def test_an_unreadable_image_is_skipped_and_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, ["1.png", "2.png", "3.png"])
    (folder / "2.png").write_bytes(b"\x89PNG but no more")
    with open_source(folder) as source:
        assert [number_of(recorded.frame.image) for recorded in source.frames()] == [0, 2]
    assert source.read_errors.skipped == 1
    assert "2.png" in source.read_errors.notes[0]


def test_images_of_another_size_are_passed_on(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, ["1.png", "2.png"])
    cv2.imwrite(str(folder / "3.png"), np.zeros((1, 1, 3), np.uint8))
    with open_source(folder) as source:
        assert [recorded.frame.image.shape[:2] for recorded in source.frames()] == [
            (48, 64),
            (48, 64),
            (1, 1),
        ]


def test_an_empty_folder_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no image; needs files like \.jpg"):
        open_source(tmp_path)


def test_a_missing_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.mcap: no such file"):
        open_source(tmp_path / "nowhere.mcap")


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_must_be_a_positive_number(tmp_path: Path, fps: float) -> None:
    with pytest.raises(ConfigError, match="fps is"):
        open_source(tmp_path, fps=fps)


@pytest.mark.parametrize(
    ("start_s", "duration_s"),
    [
        (-1.0, None),
        (float("nan"), None),
        (float("inf"), None),
        (0.0, 0.0),
        (0.0, -2.0),
        (0.0, float("inf")),
    ],
)
def test_a_span_must_be_sane(start_s: float, duration_s: float | None) -> None:
    with pytest.raises(ConfigError, match="needs"):
        TimeRange(start_s, duration_s)


def test_a_video_gives_its_images_with_its_own_clock(tmp_path: Path) -> None:
    video = write_video(tmp_path / "drive.mp4", count=8, fps=10)
    with open_source(video) as source:
        frames = list(source.frames())
    assert [number_of(recorded.frame.image) for recorded in frames] == list(range(8))
    assert [recorded.frame.stamp_ns - FIRST_STAMP_NS for recorded in frames] == [
        number * SECOND_NS // 10 for number in range(8)
    ]
    assert source.count == 8
    assert not source.read_errors


def test_another_rate_replaces_the_clock_of_a_video(tmp_path: Path) -> None:
    video = write_video(tmp_path / "drive.mp4", count=3, fps=10)
    with open_source(video, fps=50) as source:
        stamps = [recorded.frame.stamp_ns - FIRST_STAMP_NS for recorded in source.frames()]
    assert stamps == [0, SECOND_NS // 50, SECOND_NS // 25]


@pytest.mark.parametrize("kind", ["folder", "video"])
def test_a_span_cuts_the_input(tmp_path: Path, kind: str) -> None:
    if kind == "folder":
        path = write_folder(tmp_path / "f", [f"{number}.png" for number in range(8)])
    else:
        path = write_video(tmp_path / "drive.mp4", count=8, fps=10)
    with open_source(path, span=TimeRange(0.2, 0.3)) as source:
        assert source.count == 3
        assert [number_of(recorded.frame.image) for recorded in source.frames()] == [2, 3, 4]


def test_a_video_cut_in_the_middle_of_an_image_gives_the_images_before_it(
    tmp_path: Path,
) -> None:
    video = write_video(tmp_path / "drive.mp4", count=8, movflags="faststart")
    data = video.read_bytes()
    video.write_bytes(data[: len(data) - len(data) // 8])
    with open_source(video) as source:
        seen = [number_of(recorded.frame.image) for recorded in source.frames()]
    assert 3 <= len(seen) < 8
    assert seen == list(range(len(seen)))
    assert source.read_errors.notes


def test_a_video_without_its_index_is_refused(tmp_path: Path) -> None:
    video = write_video(tmp_path / "drive.mp4")
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    with pytest.raises(DataError, match=r"drive\.mp4"):
        open_source(video)


def test_a_text_file_is_refused_with_what_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a video")
    with pytest.raises(DataError, match=r"needs a ROS bag \(\.mcap, \.db3, \.bag\)"):
        open_source(path)


@pytest.mark.parametrize("size", [(48, 64), (47, 63), (1, 1)], ids=["even", "odd", "one pixel"])
def test_what_the_writer_writes_can_be_read(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "out.mp4"
    with VideoWriter(path) as writer:
        for number in range(3):
            writer.write(image(number, *size), number * SECOND_NS // 4)
        writer.write(image(3), 2 * SECOND_NS)
    with open_source(path) as source:
        frames = list(source.frames())
    assert [number_of(recorded.frame.image) for recorded in frames] == [0, 1, 2, 3]
    assert [(recorded.frame.stamp_ns - FIRST_STAMP_NS) // 1_000_000 for recorded in frames] == [
        0,
        250,
        500,
        2000,
    ]


def test_a_film_goes_on_when_the_stamps_jump_back(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4") as writer:
        for number, second in enumerate([5, 6, 1, 2]):
            writer.write(image(number), second * SECOND_NS)
    assert numbers(tmp_path / "out.mp4") == [0, 1, 2, 3]
