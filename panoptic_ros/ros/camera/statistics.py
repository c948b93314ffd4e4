# SPDX-License-Identifier: Apache-2.0
"""What happened to the images of one camera, in numbers; frames are counted, never logged."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from panoptic_ros.core.timing.percentiles import percentiles
from panoptic_ros.messages.video.video_decoder import MISSING, WAITING

COUNTS = {
    "received": "images that came",
    "published": "results that went out",
    "dropped_busy": "images replaced by a newer one while the worker was busy",
    "dropped_unusable": "images that cannot be read",
    "dropped_before_key_frame": "video packets before the first key frame, or after a loss",
    "left_out": "images beyond max_rate_hz",
    "late": "images dropped because a newer one came before",
    "lost_in_transport": "images published and never received",
    "stamp_jumps": "stamps so far before the last one that tracks start anew",
    "taken_back": "void results published for a silent camera",
}
"""What is counted for every camera."""

_WINDOW = 512
_LONGEST_LATENCY_MS = 3.6e6
"""From here on stamps are taken for those of another clock."""


@dataclass(frozen=True)
class CameraReport:
    """Numbers of one camera since the report before, and in all.

    Attributes:
        seconds: Length of the window.
        received: Images that came in the window.
        published: Results that went out in the window.
        total: Counts since start, see ``COUNTS``.
        latency_ms: p50, p95 and p99 from stamp to publish over the last ``_WINDOW`` results; empty
            where the stamps are not of the node's clock.
        stages_ms: Median by stage over the same results.
        tracks: Objects in the last result.
        silent_s: Seconds since the last image, None before the first.
        waiting_s: Seconds since the first image that no result has followed; 0 where none waits.
        age_s: Now minus the stamp of the last result: how old is what consumers have. None before
            the first, and where stamps are not of the node's clock.
        last_refusal: Why an image could not be used, the latest one in the window.
    """

    seconds: float
    received: int
    published: int
    total: Mapping[str, int]
    latency_ms: tuple[float, ...]
    stages_ms: Mapping[str, float]
    tracks: int
    silent_s: float | None
    waiting_s: float
    age_s: float | None
    last_refusal: str


@dataclass
class CameraStatistics:
    """Counts and times of one camera; any thread may call any method."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _total: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    _before: dict[str, int] = field(default_factory=dict)
    _latency_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _stages_ms: deque[Mapping[str, float]] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _tracks: int = 0
    _last_refusal: str = ""
    _last_image_s: float | None = None
    _waiting_since_s: float | None = None
    _exposed_s: float | None = None
    _since_s: float = field(default_factory=time.monotonic)

    def receive(self, replaced_another: bool, lost_before: int = 0) -> None:
        """Count an image that came; it may have pushed an older one out, or follow lost ones."""
        with self._lock:
            self._total["lost_in_transport"] += lost_before
            self._total["received"] += 1
            self._total["dropped_busy"] += int(replaced_another)
            self._last_image_s = time.monotonic()
            if self._waiting_since_s is None:
                self._waiting_since_s = self._last_image_s

    def leave_out(self, lost_before: int = 0) -> None:
        """Count an image that came and is not wanted, as others are enough."""
        with self._lock:
            self._total["lost_in_transport"] += lost_before
            self._total["received"] += 1
            self._total["left_out"] += 1
            self._last_image_s = time.monotonic()

    def begin(self) -> None:
        """Wait for the camera's first image; counts go on, times do not."""
        with self._lock:
            self._last_image_s = self._waiting_since_s = self._exposed_s = None

    def refuse(self, reason: str) -> None:
        """Count an image that cannot be used."""
        with self._lock:
            self._total["dropped_unusable"] += 1
            self._last_refusal = reason

    def refuse_packet(self, cause: str) -> None:
        """Count a video packet that gives no image; see ``video_decoder`` for the causes."""
        is_waiting = cause in (WAITING, MISSING)
        with self._lock:
            what = "dropped_before_key_frame" if is_waiting else "dropped_unusable"
            self._total[what] += 1
            self._last_refusal = cause

    def come_late(self) -> None:
        """Count an image that came after a newer one."""
        self._count("late")

    def jump_back(self) -> None:
        """Count a stamp that lies so far before the last one that it is a new recording's."""
        self._count("stamp_jumps")

    def publish_void(self) -> None:
        """Count a void result that went out because the camera is silent."""
        self._count("taken_back")

    def publish(self, latency_ms: float, stages_ms: Mapping[str, float], tracks: int) -> None:
        """Count a result that went out.

        Args:
            latency_ms: Now minus stamp; left out where stamps are of another clock, or NaN.
            stages_ms: Milliseconds by stage.
            tracks: Objects in it.
        """
        with self._lock:
            self._total["published"] += 1
            self._waiting_since_s = None
            self._tracks = tracks
            self._stages_ms.append(stages_ms)
            self._exposed_s = None
            if 0 <= latency_ms < _LONGEST_LATENCY_MS:
                self._latency_ms.append(latency_ms)
                self._exposed_s = time.monotonic() - latency_ms / 1e3

    def report(self) -> CameraReport:
        """Sum up, and start the next window."""
        with self._lock:
            now = time.monotonic()
            before, self._before = self._before, dict(self._total)
            since, self._since_s = self._since_s, now
            refusal, self._last_refusal = self._last_refusal, ""
            last, waiting = self._last_image_s, self._waiting_since_s
            return CameraReport(
                seconds=now - since,
                received=self._total["received"] - before.get("received", 0),
                published=self._total["published"] - before.get("published", 0),
                total=dict(self._total),
                latency_ms=_percentiles(self._latency_ms),
                stages_ms=_medians(self._stages_ms),
                tracks=self._tracks,
                silent_s=None if last is None else now - last,
                waiting_s=0.0 if waiting is None else now - waiting,
                age_s=None if self._exposed_s is None else now - self._exposed_s,
                last_refusal=refusal,
            )

    def _count(self, what: str) -> None:
        with self._lock:
            self._total[what] += 1


def _percentiles(values: deque[float]) -> tuple[float, ...]:
    return tuple(percentiles(values).values()) if values else ()


def _medians(rows: deque[Mapping[str, float]]) -> dict[str, float]:
    stages = rows[-1] if rows else {}
    return {
        stage: float(np.median([row[stage] for row in rows if stage in row])) for stage in stages
    }
