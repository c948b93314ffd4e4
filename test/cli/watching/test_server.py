# SPDX-License-Identifier: Apache-2.0
"""``panoptic watch``: what a browser gets from it, asked by plain HTTP and by a real browser."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import cv2
import numpy as np
import pytest

from panoptic_ros.cli.watching.server import WatchServer
from panoptic_ros.core.errors import ConfigError

pytest.importorskip("jinja2")

from panoptic_ros.cli.watching.page import watch_page

GREEN = (20, 200, 40)
ODD = "</script><b>&'\""
STATE: dict[str, Any] = {
    "node": "/panoptic",
    "cameras": [{"name": "front", "frames": 7, "rate_hz": 9.5, "age_s": 0.1}],
    "statuses": [
        {"name": "engine", "level": "warning", "message": ODD, "values": [["infer_ms", "35.3"]]}
    ],
    "topics": [{"name": "/panoptic/front/label", "type": "sensor_msgs/msg/Image", "listeners": 2}],
}


class DrawnNode:
    """A node with one camera that shows a green wall, the same for ever."""

    def __init__(self) -> None:
        wall = np.full((90, 160, 3), GREEN[::-1], np.uint8)
        self.jpeg = cv2.imencode(".jpg", wall)[1].tobytes()

    def snapshot(self) -> dict[str, Any]:
        return STATE

    def next_image(self, camera: str, after: int, patience_s: float) -> tuple[int, bytes] | None:
        threading.Event().wait(0.05)
        return (after + 1, self.jpeg) if camera == "front" else None


@pytest.fixture
def url() -> Iterator[str]:
    with WatchServer(DrawnNode(), "127.0.0.1", 0, watch_page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server.url
        server.shutdown()
        thread.join()


def test_state_and_page_are_given(url: str) -> None:
    with urlopen(f"{url}state.json", timeout=60) as answer:
        assert json.load(answer) == STATE
    with urlopen(url, timeout=60) as answer:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        page = answer.read().decode()
    assert "<title>/panoptic</title>" in page
    assert ODD not in page


def test_a_stream_is_one_jpeg_after_another(url: str) -> None:
    with urlopen(f"{url}stream/front", timeout=60) as answer:
        assert answer.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"
        for _ in range(3):
            assert answer.readline() == b"--frame\r\n"
            assert answer.readline() == b"Content-Type: image/jpeg\r\n"
            length = int(answer.readline().removeprefix(b"Content-Length: "))
            assert answer.readline() == b"\r\n"
            assert answer.read(length) == DrawnNode().jpeg
            assert answer.readline() == b"\r\n"


def test_other_paths_are_not_found(url: str) -> None:
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{url}../etc/passwd", timeout=60)


def test_a_taken_port_is_one_line(url: str) -> None:
    port = int(url.rstrip("/").rpartition(":")[2])
    with pytest.raises(ConfigError, match=f"127.0.0.1:{port}: .*choose another --port"):
        WatchServer(DrawnNode(), "127.0.0.1", port, watch_page)


def test_a_port_that_is_none_is_one_line() -> None:
    with pytest.raises(ConfigError, match="port must be 0-65535; choose another --port"):
        WatchServer(DrawnNode(), "127.0.0.1", 70_000, watch_page)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_browser_shows_overlay_figures_and_topics(url: str, tmp_path: Path) -> None:
    shot = tmp_path / "shot.png"
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--window-size=900,700"]
    words += [f"--user-data-dir={tmp_path / 'profile'}", "--timeout=4000"]
    done = subprocess.run(
        [*words, f"--screenshot={shot}", "--dump-dom", url],
        capture_output=True,
        text=True,
        timeout=60,
    )
    for words_shown in ("infer_ms", "35.3", "9.5 overlays/s", "/panoptic/front/label"):
        assert words_shown in done.stdout
    assert shot.exists(), done.stderr
    red, green, blue = np.moveaxis(cv2.imread(str(shot))[..., ::-1].astype(int), 2, 0)
    is_wall = (abs(red - GREEN[0]) < 12) & (abs(green - GREEN[1]) < 12) & (abs(blue - 40) < 12)
    assert is_wall.mean() > 0.1
