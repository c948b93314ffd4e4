# SPDX-License-Identifier: Apache-2.0
"""Bags in and out: three formats, whole, cut off and damaged."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.recordings.open import open_source
from panoptic_ros.recordings.source import CalibratedSource, RecordedFrame, Source, TimeRange
from test.drawn.drawn_bags import write_part
from test.drawn.drawn_inputs import SECOND_NS, number_of, write_bag1, write_bag2

pytest.importorskip("rosbags")

FIVE_S = 5 * SECOND_NS
WALL = 1_700_000_000 * SECOND_NS


def read(path: Path, **options: Any) -> tuple[list[RecordedFrame], Source]:
    with open_source(path, **options) as source:
        return list(source.frames()), source


def seen(frames: list[RecordedFrame]) -> list[int]:
    return [number_of(recorded.frame.image) for recorded in frames]


def whole_bag(tmp_path: Path, kind: str, count: int = 6) -> Path:
    if kind == "ros1":
        return write_bag1(tmp_path / "drive.bag", count)
    storage = "sqlite3" if "db3" in kind else "mcap"
    folder = write_bag2(tmp_path / "drive", count, storage=storage)
    return folder if "folder" in kind else next(folder.glob("drive.*"))


KINDS = ["mcap", "mcap folder", "db3", "db3 folder", "ros1"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_images_and_stamps(tmp_path: Path, kind: str) -> None:
    frames, source = read(whole_bag(tmp_path, kind))
    assert seen(frames) == [0, 1, 2, 3, 4, 5]
    assert [recorded.frame.stamp_ns for recorded in frames] == [
        FIVE_S + number * SECOND_NS // 10 for number in range(6)
    ]
    assert {recorded.frame.frame_id for recorded in frames} == {"front_optical"}
    assert source.count == 6
    assert source.topic == "/front/image_raw"
    assert not source.read_errors


@pytest.mark.parametrize("kind", KINDS)
def test_a_bag_can_be_read_twice(tmp_path: Path, kind: str) -> None:
    with open_source(whole_bag(tmp_path, kind)) as source:
        assert seen(list(source.frames())) == seen(list(source.frames()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_span_is_counted_from_the_first_image(tmp_path: Path, kind: str) -> None:
    frames, _ = read(whole_bag(tmp_path, kind), span=TimeRange(0.2, 0.2))
    assert seen(frames) == [2, 3]


def test_compressed_images_are_read(tmp_path: Path) -> None:
    frames, _ = read(
        write_bag2(tmp_path / "bag", topics=("/front/image_raw/compressed",), compressed=True)
    )
    assert seen(frames) == [0, 1, 2, 3, 4, 5]
    assert frames[0].camera_info.width == 64


def test_the_camera_info_beside_the_images_comes_with_them(tmp_path: Path) -> None:
    frames, _ = read(write_bag2(tmp_path / "bag"))
    assert all(recorded.camera_info.width == 64 for recorded in frames)


@pytest.mark.parametrize(
    ("topic", "focal"),
    [("/front/image_raw", 1.0), ("/front/image_rect", 2.0), ("/front/image_rect/compressed", 2.0)],
)
def test_the_camera_info_is_about_the_images_of_the_topic(
    tmp_path: Path, topic: str, focal: float
) -> None:
    bag = write_bag2(tmp_path / "bag", topics=(topic,), damaged_infos=(0,))
    frames, _ = read(bag)
    assert [recorded.camera_info.k[0] for recorded in frames] == [focal] * 6


def test_a_calibration_file_of_rectified_images_counts_by_its_projection(tmp_path: Path) -> None:
    camera = tmp_path / "camera.yaml"
    camera.write_text(
        "{image_width: 64, image_height: 48, distortion_coefficients: {data: [0.1, 0, 0, 0, 0]}, "
        "camera_matrix: {data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}, "
        "projection_matrix: {data: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0]}}"
    )
    bag = write_bag2(tmp_path / "bag", topics=("/front/image_rect",))
    with CalibratedSource(open_source(bag), camera) as source:
        info = next(source.frames()).camera_info
    assert (info.k[0], info.d.size) == (2.0, 0)


def test_the_last_good_camera_info_stays_where_the_next_is_damaged(tmp_path: Path) -> None:
    frames, source = read(write_bag2(tmp_path / "bag", damaged_infos=(2, 3, 5)))
    assert [recorded.camera_info.width for recorded in frames] == [64] * 6
    assert source.read_errors.skipped == 3


@pytest.mark.parametrize("damaged", [(0,), (0, 1, 2)], ids=["first", "first three"])
def test_images_before_the_first_good_camera_info_get_that_one(
    tmp_path: Path, damaged: tuple[int, ...]
) -> None:
    frames, source = read(write_bag2(tmp_path / "bag", damaged_infos=damaged))
    assert [recorded.camera_info.width for recorded in frames] == [64] * 6
    assert source.read_errors.skipped == len(damaged)


def test_where_every_camera_info_is_damaged_there_is_none(tmp_path: Path) -> None:
    frames, source = read(write_bag2(tmp_path / "bag", damaged_infos=tuple(range(6))))
    assert [recorded.camera_info for recorded in frames] == [None] * 6
    assert source.read_errors.skipped == 6


def test_a_bag_without_camera_info_gives_none(tmp_path: Path) -> None:
    frames, _ = read(write_bag2(tmp_path / "bag", info=False))
    assert all(recorded.camera_info is None for recorded in frames)


def test_with_several_cameras_the_error_lists_them(tmp_path: Path) -> None:
    bag = write_bag2(tmp_path / "bag", topics=("/front/image_raw", "/rear/image_raw"))
    with pytest.raises(DataError, match=r"--topic: /front/image_raw \(6\), /rear/image_raw \(6\)"):
        open_source(bag)
    assert len(read(bag, topic="/rear/image_raw")[0]) == 6


def test_a_topic_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no images on /up; there are: /front/image_raw"):
        open_source(write_bag2(tmp_path / "bag"), topic="/up")


def test_a_bag_without_images_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no image topic; needs sensor_msgs/msg/Image"):
        open_source(write_bag2(tmp_path / "bag", topics=()))


def test_images_without_stamp_get_the_time_of_the_bag(tmp_path: Path) -> None:
    frames, source = read(write_bag2(tmp_path / "bag", stamps=[0] * 6))
    assert [recorded.frame.stamp_ns for recorded in frames] == [
        FIVE_S + number * SECOND_NS // 10 for number in range(6)
    ]
    assert "without stamp" in source.read_errors.notes[0]


@pytest.mark.parametrize(
    ("stamps", "passed_on"),
    [
        ([0, 5, 9, 0, 5, 9], [0, 5, 9, 0, 5, 9]),
        ([0, WALL, WALL + 1, 0, WALL + 2, 0], [None, WALL, WALL + 1, None, WALL + 2, None]),
    ],
    ids=["a simulation that is played twice", "a driver that forgets some"],
)
def test_zero_is_a_time_where_simulated_time_goes_on_from_it(
    stamps: list[int], passed_on: list[int | None], tmp_path: Path
) -> None:
    frames, source = read(write_bag2(tmp_path / "bag", stamps=stamps))
    received = [FIVE_S + number * SECOND_NS // 10 for number in range(6)]
    assert [recorded.frame.stamp_ns for recorded in frames] == [
        time_ns if stamp_ns is None else stamp_ns
        for stamp_ns, time_ns in zip(passed_on, received, strict=True)
    ]
    assert bool(source.read_errors.notes) == (None in passed_on)


def test_stamps_that_run_backwards_are_passed_on(tmp_path: Path) -> None:
    stamps = [7, 8, 9, 1, 2, 3]
    frames, _ = read(write_bag2(tmp_path / "bag", stamps=stamps))
    assert [recorded.frame.stamp_ns for recorded in frames] == stamps


@pytest.mark.parametrize("share", [0.4, 0.7, 0.9])
@pytest.mark.parametrize("kind", ["mcap", "mcap folder", "ros1"])
def test_a_cut_bag_gives_what_was_written_before_the_cut(
    tmp_path: Path, kind: str, share: float
) -> None:
    bag = whole_bag(tmp_path, kind, count=10)
    file = next(bag.glob("*.mcap")) if bag.is_dir() else bag
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    frames, source = read(bag)
    assert seen(frames) == list(range(len(frames)))
    # An image is 9 KB of about 95 KB; at most one is lost to the cut itself.
    assert len(frames) >= int(10 * share) - 1
    assert source.read_errors.notes


@pytest.mark.parametrize("packing", ["zstd", "BZ2", "LZ4"])
def test_a_packed_bag_is_read_whole_and_cut(tmp_path: Path, packing: str) -> None:
    if packing == "zstd":
        bag = next(write_bag2(tmp_path / "drive", 400, is_packed=True).glob("*.mcap"))
    else:
        bag = write_bag1(tmp_path / "drive.bag", 400, packing)
    assert len(read(bag, span=TimeRange(0, 10))[0]) == 100
    data = bag.read_bytes()
    bag.write_bytes(data[: len(data) // 2])
    frames, source = read(bag)
    assert 0 < len(frames) < 400
    times = [recorded.time_ns for recorded in frames]
    assert times == [FIVE_S + number * SECOND_NS // 10 for number in range(len(frames))]
    assert source.read_errors.notes


def test_a_cut_database_gives_the_rows_that_are_left(tmp_path: Path) -> None:
    bag = whole_bag(tmp_path, "db3", count=12)
    data = bag.read_bytes()
    bag.write_bytes(data[: len(data) * 3 // 4])
    frames, source = read(bag)
    assert len(frames) >= 4
    assert seen(frames) == sorted(seen(frames))
    assert source.read_errors.notes


def test_a_recording_that_was_killed_has_no_metadata_and_is_still_read(tmp_path: Path) -> None:
    bag = whole_bag(tmp_path, "mcap folder")
    (bag / "metadata.yaml").unlink()
    assert seen(read(bag)[0]) == [0, 1, 2, 3, 4, 5]


def test_a_damaged_message_is_skipped_and_the_next_ones_are_read(tmp_path: Path) -> None:
    bag = whole_bag(tmp_path, "mcap")
    data = bytearray(bag.read_bytes())
    at = data.index(b"rgb8")
    data[at : at + 4] = b"zzz9"
    bag.write_bytes(bytes(data))
    frames, source = read(bag)
    assert seen(frames) == [1, 2, 3, 4, 5]
    assert source.read_errors.skipped == 1
    assert "zzz9" in source.read_errors.notes[0]


@pytest.mark.parametrize("name", ["bad.mcap", "bad.db3", "bad.bag"])
@pytest.mark.parametrize("content", [b"", b"nothing of a bag" * 64], ids=["empty", "noise"])
def test_a_file_that_is_no_bag_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{name}: nothing can be read"):
        open_source(tmp_path / name)


def test_noise_in_the_middle_never_crashes(tmp_path: Path) -> None:
    noise = np.random.default_rng(3)
    for kind in ("mcap", "db3", "ros1"):
        (tmp_path / kind).mkdir()
        bag = whole_bag(tmp_path / kind, kind, count=4)
        data = bag.read_bytes()
        for _ in range(25):
            broken = bytearray(data)
            start = int(noise.integers(0, len(data) - 64))
            broken[start : start + 64] = noise.bytes(64)
            bag.write_bytes(bytes(broken))
            try:
                frames, _ = read(bag)
            except DataError:
                continue
            assert len(frames) <= 4


def test_the_written_bag_is_read_back_with_definitions_and_stamps(tmp_path: Path) -> None:
    from rosbags.highlevel import AnyReader

    from panoptic_ros.messages.convert import image_message
    from panoptic_ros.recordings.bag_writer import BagWriter, bag_types

    path = tmp_path / "result.mcap"
    types = bag_types()
    stamp = types.make("builtin_interfaces/msg/Time", sec=5, nanosec=7)
    header = types.make("std_msgs/msg/Header", stamp=stamp, frame_id="cam")
    label = np.arange(12, dtype=np.uint8).reshape(3, 4)
    with BagWriter(path) as writer:
        writer.write("/panoptic_node/label", image_message(label, "mono8", types, header), 5)
        info = types.make("vision_msgs/msg/LabelInfo", header=header, class_map=[], threshold=0.5)
        writer.write("/panoptic_node/label_info", info, 6)
    with AnyReader([path]) as reader:
        found = [
            (entry.topic, time_ns, reader.deserialize(data, entry.msgtype))
            for entry, time_ns, data in reader.messages()
        ]
        qos = {entry.topic: entry.ext.offered_qos_profiles[0] for entry in reader.connections}
    assert [(topic, time_ns) for topic, time_ns, _ in found] == [
        ("/panoptic_node/label", 5),
        ("/panoptic_node/label_info", 6),
    ]
    image = found[0][2]
    assert (image.encoding, image.step, image.header.stamp.nanosec) == ("mono8", 4, 7)
    np.testing.assert_array_equal(image.data.reshape(3, 4), label)
    assert qos["/panoptic_node/label_info"].durability.name == "TRANSIENT_LOCAL"
    assert not list(tmp_path.glob("*.part"))


def test_what_was_written_is_kept_when_the_run_fails(tmp_path: Path) -> None:
    from panoptic_ros.messages.convert import image_message
    from panoptic_ros.recordings.bag_writer import BagWriter, bag_types

    path = tmp_path / "result.mcap"
    types = bag_types()
    stamp = types.make("builtin_interfaces/msg/Time", sec=5, nanosec=7)
    header = types.make("std_msgs/msg/Header", stamp=stamp, frame_id="cam")
    image = image_message(np.zeros((48, 64, 3), np.uint8), "rgb8", types, header)

    def stopped() -> None:
        with BagWriter(path) as writer:
            writer.write("/camera/image", image, 5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert len(read(path)[0]) == 1


def test_the_result_must_be_named_mcap(tmp_path: Path) -> None:
    from panoptic_ros.recordings.bag_writer import BagWriter

    with pytest.raises(ConfigError, match=r"name it result\.mcap"):
        BagWriter(tmp_path / "result.bag")


@pytest.mark.parametrize(("column", "value"), [("timestamp", "soon"), ("data", "words")])
def test_a_row_of_other_types_costs_only_itself(tmp_path: Path, column: str, value: str) -> None:
    bag = whole_bag(tmp_path, "db3")
    with closing(sqlite3.connect(bag)) as database, database:
        # The rows are image, camera_info, image, ...
        database.execute(f"UPDATE messages SET {column} = ? WHERE id = 5", (value,))
    frames, source = read(bag)
    assert seen(frames) == [0, 1, 3, 4, 5]
    assert any("unreadable: 1 message" in note for note in source.read_errors.notes)


@pytest.mark.parametrize("column", ["id", "name", "type"])
def test_a_topic_of_other_types_costs_only_itself(tmp_path: Path, column: str) -> None:
    bag = whole_bag(tmp_path, "db3")
    with closing(sqlite3.connect(bag)) as database, database:
        # The table as a recorder makes it lets none of its columns be empty.
        database.execute("CREATE TABLE others AS SELECT * FROM topics")
        database.execute("DROP TABLE topics")
        database.execute("ALTER TABLE others RENAME TO topics")
        database.execute(f"UPDATE topics SET {column} = NULL WHERE type LIKE '%CameraInfo'")
    frames, source = read(bag)
    assert seen(frames) == [0, 1, 2, 3, 4, 5]
    assert any("unreadable: 1 topic" in note for note in source.read_errors.notes)


def test_a_message_that_cannot_be_decoded_is_counted_once_wherever_it_lies(tmp_path: Path) -> None:
    bag = whole_bag(tmp_path, "mcap")
    data = bytearray(bag.read_bytes())
    at = data.index(b"rgb8") - 4  # the length of the encoding, now beyond the message
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    bag.write_bytes(bytes(data))
    frames, source = read(bag)
    assert seen(frames) == [1, 2, 3, 4, 5]
    assert source.read_errors.skipped == 1


def test_a_packed_bag_may_be_closed_while_its_images_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "bag"
    folder.mkdir()
    write_part(folder / "bag_0.mcap", range(4), "file")
    source = open_source(folder)
    frames = source.frames()
    next(frames)
    source.close()
    frames.close()
