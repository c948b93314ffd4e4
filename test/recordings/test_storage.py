# SPDX-License-Identifier: Apache-2.0
"""The storage files of a bag are believed, whatever their packing, order and metadata.yaml."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.recordings.open import is_bag, open_source
from panoptic_ros.recordings.source import RecordedFrame, Source, TimeRange
from test.drawn.drawn_bags import cdr, time_of, write_metadata, write_part
from test.drawn.drawn_inputs import number_of, write_bag1

pytest.importorskip("rosbags")

ALL = list(range(12))
FORMS = [
    pytest.param(storage, packing, id=f"{storage} {packing or 'plain'}")
    for storage in ("db3", "mcap")
    for packing in ("", "messages", "file", "chunks")
    if (storage, packing) != ("db3", "chunks")
]
ORDERS = {
    "by time": [range(4), range(4, 8), range(8, 12)],
    "by name only": [range(8, 12), range(4), range(4, 8)],
    "interleaved": [range(0, 12, 3), range(1, 12, 3), range(2, 12, 3)],
    "one inside another": [[0, 1, 10, 11], range(2, 6), range(6, 10)],
    "one by one": [[number] for number in reversed(ALL)],
}


def read(path: Path, span: TimeRange | None = None) -> tuple[list[int], Source]:
    with open_source(path, span=span) as source:
        frames = list(source.frames())
        check_times(frames)
        return [number_of(recorded.frame.image) for recorded in frames], source


def check_times(frames: list[RecordedFrame]) -> None:
    times = [recorded.time_ns for recorded in frames]
    assert times == sorted(times)


def write_parts(folder: Path, storage: str, packing: str, order: str = "by time") -> list[Path]:
    return [
        write_part(folder / f"rec_{index}.{storage}", numbers, packing)
        for index, numbers in enumerate(ORDERS[order])
    ]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("storage", "packing"), FORMS)
def test_images_come_by_time_whatever_the_order_of_the_files(
    tmp_path: Path, storage: str, packing: str, order: str
) -> None:
    write_parts(tmp_path / "bag", storage, packing, order)
    seen, source = read(tmp_path / "bag")
    assert seen == ALL
    assert source.count == 12
    assert not source.read_errors
    assert "metadata.yaml is missing" in source.read_errors.notes[0]


@pytest.mark.parametrize(("storage", "packing"), FORMS)
def test_the_only_file_of_a_folder_needs_no_metadata(
    tmp_path: Path, storage: str, packing: str
) -> None:
    write_part(tmp_path / f"result.{storage}", range(4), packing)
    seen, source = read(tmp_path)
    assert seen == [0, 1, 2, 3]
    assert source.read_errors.notes == []


def test_one_part_of_a_bag_without_metadata_may_not_be_all_of_it(tmp_path: Path) -> None:
    write_part(tmp_path / "rec_3.mcap", range(4), "")
    seen, source = read(tmp_path)
    assert seen == [0, 1, 2, 3]
    assert not source.read_errors
    assert "metadata.yaml is missing" in source.read_errors.notes[0]


@pytest.mark.parametrize(("storage", "packing"), FORMS)
def test_a_part_of_the_time_crosses_files(tmp_path: Path, storage: str, packing: str) -> None:
    write_parts(tmp_path / "bag", storage, packing, "by name only")
    assert read(tmp_path / "bag", TimeRange(0.3, 0.6))[0] == [3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(("storage", "packing"), FORMS)
def test_one_file_is_read_by_its_name(tmp_path: Path, storage: str, packing: str) -> None:
    file = write_part(tmp_path / f"rec_0.{storage}", range(4), packing)
    assert is_bag(file)
    seen, source = read(file)
    assert seen == [0, 1, 2, 3]
    assert source.read_errors.notes == []


@pytest.mark.parametrize("name", ["drive", "drive.dat", "drive.db3", "drive.mcap.tmp"])
@pytest.mark.parametrize(("storage", "packing"), FORMS)
def test_a_file_is_known_by_what_it_holds(
    tmp_path: Path, storage: str, packing: str, name: str
) -> None:
    file = write_part(tmp_path / f"rec_0.{storage}", range(4), packing)
    assert read(file.rename(tmp_path / name))[0] == [0, 1, 2, 3]


def test_a_ros1_bag_that_was_still_recorded_is_read(tmp_path: Path) -> None:
    bag = write_bag1(tmp_path / "drive.bag").rename(tmp_path / "drive.bag.active")
    assert read(bag)[0] == [0, 1, 2, 3, 4, 5]


METADATA = {
    "right": ("", False),
    "empty": ("is empty or not about a bag", False),
    "no YAML": ("cannot be read", False),
    "no counts": ("counts 0 messages, the files hold 12", False),
    "no parts": ("does not list rec_0", False),
    "a part not listed": ("does not list rec_2", False),
    "another plugin": ("names the storage", False),
    "another packing": ("in another packing", False),
    "a part that is gone": ("lists rec_7", True),
    "more messages": ("counts 99 messages, the files hold 12", True),
}
"""What metadata.yaml has wrong: words of the note, and whether something may be missing."""


def write_wrong_metadata(folder: Path, storage: str, files: list[Path], wrong: str) -> None:
    names = [file.name for file in files]
    plugin = {"db3": "sqlite3", "mcap": "mcap"}[storage]
    if wrong == "another plugin":
        plugin = {"db3": "mcap", "mcap": "sqlite3"}[storage]
    if wrong == "another packing":
        names = [
            name.removesuffix(".zstd") if name.endswith(".zstd") else f"{name}.zstd"
            for name in names
        ]
    names += {"a part that is gone": [f"rec_7.{storage}"]}.get(wrong, [])
    kept = {"no parts": 0, "a part not listed": 2}.get(wrong, len(names))
    count = {"no counts": 0, "more messages": 99}.get(wrong, 12)
    write_metadata(folder, names[:kept], count, storage=plugin)
    content = {"empty": "", "no YAML": "a: [b"}.get(wrong)
    if content is not None:
        (folder / "metadata.yaml").write_text(content)


@pytest.mark.parametrize("wrong", METADATA)
@pytest.mark.parametrize(("storage", "packing"), FORMS)
def test_metadata_that_does_not_fit_is_one_note(
    tmp_path: Path, storage: str, packing: str, wrong: str
) -> None:
    folder = tmp_path / "bag"
    write_wrong_metadata(folder, storage, write_parts(folder, storage, packing), wrong)
    seen, source = read(folder)
    words, is_loss = METADATA[wrong]
    assert seen == ALL
    assert bool(source.read_errors) == is_loss
    assert len(source.read_errors.notes) == (1 if words else 0)
    assert all(words in note for note in source.read_errors.notes)


def cut(file: Path, share: float) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("has_metadata", [True, False], ids=["metadata", "no metadata"])
@pytest.mark.parametrize(("storage", "packing"), FORMS)
def test_a_part_that_is_cut_off_costs_itself_at_most(
    tmp_path: Path, storage: str, packing: str, has_metadata: bool, share: float
) -> None:
    files = write_parts(tmp_path / "bag", storage, packing)
    cut(files[1], share)
    if has_metadata:
        write_metadata(tmp_path / "bag", [file.name for file in files], 12)
    seen, source = read(tmp_path / "bag")
    assert set(seen) >= {0, 1, 2, 3, 8, 9, 10, 11}
    assert source.read_errors
    assert any("rec_1" in note for note in source.read_errors.notes)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("storage", ["db3", "mcap"])
def test_of_a_packed_file_that_is_cut_off_what_unpacks_is_read(
    tmp_path: Path, storage: str, share: float
) -> None:
    plain = write_part(tmp_path / f"rec.{storage}", ALL * 40)
    packed = tmp_path / f"rec.{storage}.zstd"
    packed.write_bytes(frames_of(plain.read_bytes()))
    plain.unlink()
    cut(packed, share)
    with open_source(packed) as source:
        count = len(list(source.frames()))
    assert 480 * share - 60 <= count < 480
    assert source.read_errors


def frames_of(data: bytes) -> bytes:
    """Pack in several frames behind each other, as ``zstd`` and ``pzstd`` may write."""
    from test.drawn.drawn_bags import zstd_packed

    step = 1 << 17
    return b"".join(zstd_packed(data[at : at + step]) for at in range(0, len(data), step))


def test_a_part_that_was_being_packed_is_read_once(tmp_path: Path) -> None:
    write_parts(tmp_path / "bag", "db3", "")
    packed = write_part(tmp_path / "other" / "rec_1.db3", range(4, 8), "file")
    cut(packed, 0.5)
    packed.rename(tmp_path / "bag" / packed.name)
    seen, source = read(tmp_path / "bag")
    assert seen == ALL
    assert not source.read_errors


def test_mixed_storages_and_packings_are_one_bag(tmp_path: Path) -> None:
    write_part(tmp_path / "bag" / "a.mcap", range(8, 12), "chunks")
    write_part(tmp_path / "bag" / "b.db3", range(4), "file")
    write_part(tmp_path / "bag" / "c.mcap", range(4, 8), "messages")
    assert read(tmp_path / "bag")[0] == ALL


def test_files_in_subfolders_that_metadata_lists_are_read(tmp_path: Path) -> None:
    write_part(tmp_path / "bag" / "rec_0.db3", range(6))
    write_part(tmp_path / "bag" / "more" / "rec_1.db3", range(6, 12))
    write_metadata(tmp_path / "bag", ["rec_0.db3", "more/rec_1.db3"], 12)
    seen, source = read(tmp_path / "bag")
    assert seen == ALL
    assert source.read_errors.notes == []


def test_files_outside_of_the_folder_are_not_read(tmp_path: Path) -> None:
    write_part(tmp_path / "bag" / "rec_0.db3", range(6))
    write_part(tmp_path / "other.db3", range(6, 12))
    write_metadata(tmp_path / "bag", ["rec_0.db3", "../other.db3"], 12)
    assert read(tmp_path / "bag")[0] == [0, 1, 2, 3, 4, 5]


def test_the_log_of_a_killed_recorder_beside_its_database_is_read(tmp_path: Path) -> None:
    file = write_part(tmp_path / "rec_0.db3", range(4))
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode = WAL")
    rows = [(1, time_of(number), cdr(number)) for number in range(4, 8)]
    database.executemany("INSERT INTO messages(topic_id, timestamp, data) VALUES(?, ?, ?)", rows)
    database.commit()
    copied = tmp_path / "killed.db3"
    for end in ("", "-wal"):
        Path(f"{copied}{end}").write_bytes(Path(f"{file}{end}").read_bytes())
    database.close()
    assert read(copied)[0] == [0, 1, 2, 3, 4, 5, 6, 7]


def test_unpacked_copies_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(room))
    write_parts(tmp_path / "bag", "mcap", "file")
    most = 0
    with open_source(tmp_path / "bag") as source:
        for _ in source.frames():
            most = max(most, len(list(room.iterdir())))
    assert most <= 2
    assert list(room.iterdir()) == []


def test_without_room_for_a_packed_file_the_error_names_tmpdir(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("panoptic_ros.recordings.storage.zstd.unpack_file", full)
    file = write_part(tmp_path / "rec_0.db3", range(4), "file")
    with pytest.raises(DataError, match=r"No space left on device.*TMPDIR"):
        open_source(file)
