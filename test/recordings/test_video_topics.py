# SPDX-License-Identifier: Apache-2.0
"""Video topics of bags: decoded from the key frame before the wanted part on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.recordings.open import open_source
from panoptic_ros.recordings.source import Source, TimeRange
from panoptic_ros.recordings.storage.decode import DEFINITIONS
from test.drawn.drawn_bags import time_of, write_messages
from test.drawn.drawn_inputs import SECOND_NS, number_of
from test.drawn.drawn_video import ENCODERS, GROUP, packets
from test.recordings.test_encodings import in_json, sized, timestamp

pytest.importorskip("rosbags")

ALL = list(range(12))
COMPRESSED = "sensor_msgs/msg/CompressedImage"
VIDEO = "foxglove_msgs/msg/CompressedVideo"
PACKET = "ffmpeg_image_transport_msgs/msg/FFMPEGPacket"


def serialised(kind: str, form: str, number: int, data: bytes) -> bytes:
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    for name, text in DEFINITIONS.items():
        store.register(get_types_from_msg(text, name))
    seconds, rest = divmod(time_of(number), SECOND_NS)
    stamp = store.types["builtin_interfaces/msg/Time"](sec=seconds, nanosec=rest)
    header = store.types["std_msgs/msg/Header"](stamp=stamp, frame_id="front")
    fields: dict[str, Any] = {"data": np.frombuffer(data, np.uint8)}
    if kind == VIDEO:
        fields.update(timestamp=stamp, frame_id="front", format=form)
    elif kind == PACKET:
        fields.update(header=header, width=64, height=48, encoding=f"{form};yuv420p;bgr8;bgr8")
        fields.update(pts=number, flags=0, is_bigendian=False)
    else:
        fields.update(header=header, format=form)
    return bytes(store.serialize_cdr(store.types[kind](**fields), kind))


def write_bag(path: Path, codec: str, kind: str = COMPRESSED, lost: int | None = None) -> Path:
    messages = [
        serialised(kind, codec, number, data)
        for number, data in enumerate(packets(codec))
        if number != lost
    ]
    return write_messages(path, kind, "cdr", messages)


def read(path: Path, span: TimeRange | None = None) -> tuple[list[int], Source]:
    with open_source(path, span=span) as source:
        frames = list(source.frames())
        assert [int(recorded.name) for recorded in frames] == list(range(len(frames)))
        return [number_of(recorded.frame.image) for recorded in frames], source


@pytest.mark.parametrize("kind", [COMPRESSED, VIDEO, PACKET])
@pytest.mark.parametrize("codec", ENCODERS)
def test_video_topics_are_read(tmp_path: Path, codec: str, kind: str) -> None:
    seen, source = read(write_bag(tmp_path / "a.mcap", codec, kind))
    assert seen == ALL
    assert source.count == 12
    assert source.read_errors.notes == []


@pytest.mark.parametrize("codec", ENCODERS)
@pytest.mark.parametrize("first", [1, 4, 5, 8])
def test_a_part_starts_where_it_should_between_key_frames(
    tmp_path: Path, codec: str, first: int
) -> None:
    span = TimeRange(first / 10, 0.3)
    seen, source = read(write_bag(tmp_path / "a.mcap", codec), span)
    assert seen == ALL[first : first + 3]
    assert source.read_errors.notes == []


def test_what_a_missing_packet_costs_is_counted(tmp_path: Path) -> None:
    seen, source = read(write_bag(tmp_path / "a.mcap", "h264", lost=7))
    assert seen == [0, 1, 2, 3, 4, 5, 6, 10, 11]
    assert source.read_errors.skipped == 2
    assert "after one that is missing" in source.read_errors.notes[0]


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_video_in_other_encodings_is_read(tmp_path: Path, encoding: str) -> None:
    import base64

    def message(number: int, data: bytes) -> bytes:
        if encoding == "json":
            return in_json(number, format="h264", data=base64.b64encode(data).decode())
        return timestamp(number) + sized(2, b"front") + sized(3, data) + sized(4, b"h264")

    made = [message(number, data) for number, data in enumerate(packets("h264"))]
    bag = write_messages(tmp_path / "a.mcap", "foxglove.CompressedVideo", encoding, made)
    assert read(bag)[0] == ALL


def test_a_video_without_any_key_frame_is_refused(tmp_path: Path) -> None:
    messages = [serialised(COMPRESSED, "h264", n, packets("h264")[n]) for n in range(1, 5)]
    bag = write_messages(tmp_path / "a.mcap", COMPRESSED, "cdr", messages)
    with pytest.raises(DataError, match="before the next key frame"):
        read(bag)


def test_a_damaged_first_packet_costs_its_group_and_no_more(tmp_path: Path) -> None:
    messages = [serialised(COMPRESSED, "h264", n, data) for n, data in enumerate(packets("h264"))]
    messages[0] = messages[0][:6]
    numbers, source = read(write_messages(tmp_path / "v.mcap", COMPRESSED, "cdr", messages))
    assert numbers == list(range(GROUP, 12))
    assert source.read_errors.skipped == GROUP
