# SPDX-License-Identifier: Apache-2.0
"""Cameras that are there now: told from recordings, stamped on arrival, one line where none is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.recordings.live import LiveSource, is_live
from panoptic_ros.recordings.open import open_source
from panoptic_ros.recordings.source import TimeRange
from test.drawn.drawn_inputs import number_of, write_video

pytest.importorskip("av")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[str]:
    """Address of a stream of eight images."""
    write_video(tmp_path / "camera.ts", count=8)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/camera.ts"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("/dev/video0", True),
        ("rtsp://user:word@camera/stream", True),
        (Path("rtsp://camera/stream"), True),
        ("drive.mp4", False),
        ("/dev/videos/drive.mp4", False),
        ("rtsp", False),
    ],
    ids=str,
)
def test_cameras_are_told_from_recordings(path: Path | str, is_one: bool) -> None:
    assert is_live(path) == is_one


@pytest.mark.parametrize("kind", [str, Path])
def test_images_of_a_stream_are_stamped_when_they_come(stream: str, kind: type) -> None:
    before_ns = time.time_ns()
    with open_source(kind(stream)) as source:
        assert isinstance(source, LiveSource)
        assert source.is_live
        frames = [recorded.frame for recorded in source]
    assert [number_of(frame.image) for frame in frames] == list(range(8))
    stamps = [frame.stamp_ns for frame in frames]
    assert stamps == sorted(stamps)
    assert before_ns < stamps[0]
    assert stamps[-1] < time.time_ns()


def test_the_time_of_a_stream_can_be_over_at_once(stream: str) -> None:
    with open_source(stream, span=TimeRange(0.0, 1e-9)) as source, pytest.raises(DataError):
        next(source.frames())


@pytest.mark.parametrize("path", ["/dev/video99", "http://user:secret@127.0.0.1:9/camera"])
def test_a_camera_that_is_not_there_is_one_line_without_its_password(path: str) -> None:
    with open_source(path) as source, pytest.raises(DataError) as caught:
        next(source.frames())
    assert "needs a camera like /dev/video0 or a stream like rtsp://" in str(caught.value)
    assert "secret" not in str(caught.value)
