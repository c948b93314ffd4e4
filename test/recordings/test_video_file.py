# SPDX-License-Identifier: Apache-2.0
"""Video files: AVI that stands still, cut files, and several video streams."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.recordings.open import open_source
from panoptic_ros.recordings.source import Source
from panoptic_ros.recordings.storage.avi import packets_of
from test.drawn.drawn_inputs import image, number_of

av = pytest.importorskip("av")

GAPS = {
    "none": tuple(range(8)),
    "in the middle": (0, 1, 2, 5, 6, 9, 10, 11),
    "one long": (0, 1, 2, 3, 4, 5, 6, 20),
    "at every image": tuple(range(0, 24, 3)),
}


def write_avi(path: Path, times: Sequence[int], codec: str = "mpeg4") -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=10)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(image(number), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 10)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def write_with_colour_matrix(path: Path, matrix: int) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.colorspace = matrix
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(image(number), format="rgb24")
            out.mux(stream.encode(frame.reformat(format="yuv420p")))
        out.mux(stream.encode(None))
    return path


def read(path: Path) -> tuple[list[int], Source]:
    with open_source(path) as source:
        return [number_of(recorded.frame.image) for recorded in source.frames()], source


@pytest.mark.parametrize("codec", ["mpeg4", "mjpeg"])
@pytest.mark.parametrize("times", GAPS.values(), ids=GAPS)
def test_an_avi_that_stands_still_is_whole(
    tmp_path: Path, times: tuple[int, ...], codec: str
) -> None:
    path = write_avi(tmp_path / "a.avi", times, codec)
    seen, source = read(path)
    assert seen == list(range(8))
    assert source.read_errors.notes == []
    assert packets_of(path, 0) == times[-1] + 1


def test_an_avi_that_ends_with_empty_packets_is_whole(tmp_path: Path) -> None:
    path = write_avi(tmp_path / "a.avi", GAPS["in the middle"])
    data = bytearray(path.read_bytes())
    index = data.index(b"idx1")
    last = data.rindex(b"00dc", 0, index)
    size = int.from_bytes(data[last + 4 : last + 8], "little")
    # The last image becomes an empty packet, and what it held a chunk that nobody reads.
    data[last + 4 : last + 8] = bytes(4)
    data[last + 8 : last + 16] = b"JUNK" + (size + size % 2 - 8).to_bytes(4, "little")
    data[-4:] = bytes(4)
    path.write_bytes(bytes(data))
    seen, source = read(path)
    assert seen == list(range(7))
    assert source.read_errors.notes == []


@pytest.mark.parametrize("times", GAPS.values(), ids=GAPS)
def test_an_avi_that_is_cut_off_says_so(tmp_path: Path, times: tuple[int, ...]) -> None:
    path = write_avi(tmp_path / "a.avi", times)
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"00dc", 0, data.index(b"idx1")) + 20])
    seen, source = read(path)
    assert seen == list(range(len(seen)))
    assert 6 <= len(seen) < 8
    assert source.read_errors


@pytest.mark.parametrize("cover_first", [True, False], ids=["cover first", "cover last"])
@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov"])
def test_of_a_video_with_a_cover_the_longest_stream_is_read(
    tmp_path: Path, ending: str, cover_first: bool
) -> None:
    path = tmp_path / f"a.{ending}"
    with av.open(str(path), "w") as out:
        streams = {}
        for name in ("cover", "video") if cover_first else ("video", "cover"):
            stream = out.add_stream("mjpeg" if name == "cover" else "mpeg4", rate=10)
            stream.width, stream.height = (96, 96) if name == "cover" else (64, 48)
            stream.pix_fmt = "yuvj420p" if name == "cover" else "yuv420p"
            streams[name] = stream
        black = av.VideoFrame.from_ndarray(np.zeros((96, 96, 3), np.uint8), format="rgb24")
        out.mux(streams["cover"].encode(black))
        for number in range(8):
            frame = av.VideoFrame.from_ndarray(image(number), format="rgb24")
            out.mux(streams["video"].encode(frame))
        for stream in streams.values():
            out.mux(stream.encode(None))
    seen, source = read(path)
    assert seen == list(range(8))
    assert "has 2 video streams" in source.read_errors.notes[0]
    assert "64x48" in source.read_errors.notes[0]
    assert not source.read_errors


@pytest.mark.parametrize("matrix", [8, 14], ids=["YCgCo", "ICtCp"])
def test_colours_that_cannot_be_converted_are_refused_by_name(tmp_path: Path, matrix: int) -> None:
    video = write_with_colour_matrix(tmp_path / "drive.mkv", matrix)
    with pytest.raises(DataError, match=rf"colour matrix {matrix}.*BT\.709"):
        read(video)


def test_colours_of_a_usual_matrix_are_read(tmp_path: Path) -> None:
    assert read(write_with_colour_matrix(tmp_path / "drive.mkv", 1))[0] == [0, 1, 2]


def box(kind: bytes, content: bytes = b"", length: int | None = None) -> bytes:
    """A box of an MP4; ``length`` is what it says instead of what it is."""
    return (8 + len(content) if length is None else length).to_bytes(4, "big") + kind + content


BEGIN = box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")
LARGE = b"\0\0\0\1mdat" + (116).to_bytes(8, "big") + bytes(100)
FAULTS = {
    "empty": (b"", "the file is empty"),
    "cut in its first box": (b"\0\0\0\x20ftypisom", "an MP4 without its index.*was cut off"),
    "cut in its images": (BEGIN + box(b"mdat", bytes(40), 4000), "was cut off"),
    "cut in large images": (BEGIN + LARGE[:-1], "an MP4 without its index.*was cut off"),
    "no index": (BEGIN + LARGE, "recorder was stopped before it wrote one"),
    "cut in its index": (
        BEGIN + box(b"moov", bytes(20), 78),
        "ends inside its index: 50 bytes are missing",
    ),
    "a damaged index": (BEGIN + LARGE + box(b"moov", b"\xff" * 40), "index or images are damaged"),
    "zeros": (BEGIN + bytes(400), "is damaged from byte 32 on, without its index"),
    "noise": (BEGIN + b"\0\0\1\0\x93\1\2\3" + bytes(300), "is damaged from byte 32 on"),
    "a part of a stream": (
        BEGIN + box(b"moof", bytes(8)) + box(b"mdat", bytes(9)),
        "part of an MP4 in fragments",
    ),
}


@pytest.mark.parametrize(("begin", "words"), FAULTS.values(), ids=FAULTS)
def test_what_ffmpeg_calls_invalid_data_is_said_better(
    tmp_path: Path, begin: bytes, words: str
) -> None:
    path = tmp_path / "drive.mp4"
    path.write_bytes(begin)
    with pytest.raises(DataError, match=words):
        open_source(path)
