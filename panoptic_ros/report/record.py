# SPDX-License-Identifier: Apache-2.0
"""Collect what a run did, frame by frame, and sum it up as ``stats.json``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.result import Result
from panoptic_ros.core.timing.percentiles import percentiles
from panoptic_ros.core.types import VOID

ALL_VOID = (
    "Every pixel of every frame is void: no class was sure enough. Check that the images show a "
    "street in daylight and are not nearly black, and the thresholds below decode."
)
CLASS_SAMPLING_PX = 4
"""Class shares are counted on every n-th row and column of an image."""


@dataclass(frozen=True)
class FrameFacts:
    """One processed frame in numbers.

    Attributes:
        stamp_ns: Its stamp.
        latency_ms: From stamp to published result, or the time of the whole pipeline.
        tracks: (track id, class index) of the objects in it.
        drivable_share: Share of its pixels that are drivable.
        class_shares: Share of its pixels by class index, only classes that occur.
        stages_ms: Milliseconds by stage, empty where not known.
        confidence: Mean confidence of its pixels, 0 to 1; None where not known.
    """

    stamp_ns: int
    latency_ms: float
    tracks: tuple[tuple[int, int], ...]
    drivable_share: float
    class_shares: Mapping[int, float]
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    confidence: float | None = None


@dataclass(frozen=True)
class TrackHistory:
    """One track over the run; ``spans_s`` are the times it was seen, gaps left out."""

    id: int
    label: int
    frames: int
    spans_s: tuple[tuple[float, float], ...]


DROPPED_AT = {
    "to_node": "lost on the way to the node",
    "busy": "a newer one was waiting",
    "from_node": "lost on the way from the node",
}
"""Stages at which images are lost, in words."""


@dataclass
class RunRecord:
    """Everything the report tells; filled while the run goes on.

    Attributes:
        title: Headline.
        source: What was played, in words.
        engine: The engine's description.
        labels: The classes.
        latency_meaning: What ``FrameFacts.latency_ms`` measures, in words.
        frames_in: Images that were sent or read.
        dropped: Images without a result: a newer one was waiting, or they were lost on the way.
        dropped_at: Those of them that were lost at each stage, where that is known: ``to_node``,
            ``busy`` (a newer one was waiting) and ``from_node``.
        skipped: Images that could not be used.
        late: Images that came after a newer one.
        left_out: Images beyond ``max_rate_hz``.
        notes: Remarks, one sentence each.
        warnings: What makes the results doubtful, one sentence each.
        settings: How the run was made: command, parameters, calibration; by their names.
        film: Name of the film of the overlay beside the page, empty where there is none.
        stages: Percentiles by stage where only those are known; else made from the frames.
        frames: The processed frames in order.
    """

    title: str
    source: str
    engine: str
    labels: LabelSet
    latency_meaning: str
    frames_in: int = 0
    dropped: int = 0
    dropped_at: dict[str, int] = field(default_factory=dict)
    skipped: int = 0
    late: int = 0
    left_out: int = 0
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    film: str = ""
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    frames: list[FrameFacts] = field(default_factory=list)

    def times_s(self) -> list[float]:
        """Seconds of every frame since the first one."""
        if not self.frames:
            return []
        first_ns = self.frames[0].stamp_ns
        return [(facts.stamp_ns - first_ns) / 1e9 for facts in self.frames]

    def label_name(self, label: int) -> str:
        """Name of a class index."""
        return self.labels.labels[label].name if label < len(self.labels) else "void"

    def tracks(self) -> list[TrackHistory]:
        """Histories of all tracks in the order of their birth."""
        times = self.times_s()
        seen: dict[int, list[int]] = {}
        votes: dict[int, Counter[int]] = {}
        for index, facts in enumerate(self.frames):
            for key, label in facts.tracks:
                seen.setdefault(key, []).append(index)
                votes.setdefault(key, Counter())[label] += 1
        return [
            TrackHistory(key, votes[key].most_common(1)[0][0], len(at), _spans(at, times))
            for key, at in seen.items()
        ]

    def stage_percentiles(self) -> dict[str, dict[str, float]]:
        """p50, p95, p99 in ms by stage, in order of the stages."""
        if self.stages:
            return self.stages
        names = dict.fromkeys(name for facts in self.frames for name in facts.stages_ms)
        return {
            name: rounded_percentiles([facts.stages_ms.get(name, 0.0) for facts in self.frames])
            for name in names
        }

    def stats(self) -> dict[str, Any]:
        """Sum the run up; only JSON types."""
        tracks = self.tracks()
        return {
            "title": self.title,
            "source": self.source,
            "engine": self.engine,
            "frames": {
                "in": self.frames_in,
                "processed": len(self.frames),
                "dropped": self.dropped,
                **({"dropped_at": dict(self.dropped_at)} if self.dropped_at else {}),
                "skipped": self.skipped,
                "late": self.late,
                "left_out": self.left_out,
            },
            "latency_ms": rounded_percentiles([facts.latency_ms for facts in self.frames]),
            "latency_is": self.latency_meaning,
            "stages_ms": self.stage_percentiles(),
            "tracks": {
                "count": len(tracks),
                "by_class": _by_class(self, tracks),
                "mean_seconds": _mean([_life_s(track) for track in tracks]),
                "seen_again": sum(len(track.spans_s) > 1 for track in tracks),
            },
            "objects_per_frame": self.objects_per_frame(),
            "class_shares": self.mean_class_shares(),
            "drivable_share": _mean([facts.drivable_share for facts in self.frames]),
            "notes": [*self.all_warnings(), *self.notes],
            "warnings": self.all_warnings(),
            "settings": dict(self.settings),
        }

    def all_warnings(self) -> list[str]:
        """What was noted, and what the frames show by themselves."""
        if self.frames and not any(facts.class_shares for facts in self.frames):
            return [*self.warnings, ALL_VOID]
        return list(self.warnings)

    def objects_per_frame(self) -> dict[str, dict[str, float]]:
        """Mean and most objects of each class in one frame."""
        counts = self.counts()
        return {
            self.label_name(label): {"mean": _mean(values), "most": max(values)}
            for label, values in sorted(counts.items())
        }

    def counts(self) -> dict[int, list[int]]:
        """Objects in every frame by class index, only classes that occur."""
        per_frame = [Counter(label for _, label in facts.tracks) for facts in self.frames]
        labels = sorted({label for counter in per_frame for label in counter})
        return {label: [counter[label] for counter in per_frame] for label in labels}

    def mean_class_shares(self) -> dict[str, float]:
        """Mean share of the image by class name, largest first."""
        total: Counter[int] = Counter()
        for facts in self.frames:
            total.update(facts.class_shares)
        count = max(1, len(self.frames))
        return {
            self.label_name(label): round(share / count, 5)
            for label, share in sorted(total.items(), key=lambda item: -item[1])
        }


def facts_of(result: Result, latency_ms: float, stages_ms: Mapping[str, float]) -> FrameFacts:
    """Take the numbers out of a result."""
    return FrameFacts(
        stamp_ns=result.frame.stamp_ns,
        latency_ms=latency_ms,
        tracks=tuple((track.id, track.label) for track in result.tracks),
        drivable_share=float(result.drivable.mask.mean()),
        class_shares=class_shares(result.track_labels()),
        stages_ms=stages_ms,
        confidence=mean_confidence(result),
    )


def mean_confidence(result: Result) -> float | None:
    """Mean confidence of the labelled pixels, 0 to 1; None where it is not known."""
    known = result.panoptic.confidence[result.panoptic.labels != VOID]
    return float(known.mean()) / 255.0 if known.size and known.min() < known.max() else None


def class_shares(labels: NDArray[np.uint8]) -> dict[int, float]:
    """Share of the pixels by class index; void counts in the whole but is left out.

    >>> class_shares(np.array([[0, 0], [1, 255]], np.uint8).repeat(4, 0).repeat(4, 1))
    {0: 0.5, 1: 0.25}
    """
    sample = labels[::CLASS_SAMPLING_PX, ::CLASS_SAMPLING_PX]
    counts = np.bincount(sample.ravel(), minlength=256)
    found = np.flatnonzero(counts[:VOID])
    return {int(label): float(counts[label] / sample.size) for label in found}


def rounded_percentiles(values_ms: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 as the report and ``stats.json`` show them."""
    return percentiles(values_ms, decimals=2)


def _spans(at: Sequence[int], times_s: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Join neighbouring frame numbers to (first, last) times."""
    spans: list[tuple[float, float]] = []
    start = before = at[0]
    for index in [*at[1:], -1]:
        if index != before + 1:
            spans.append((times_s[start], times_s[before]))
            start = index
        before = index
    return tuple(spans)


def _by_class(record: RunRecord, tracks: Sequence[TrackHistory]) -> dict[str, int]:
    counts = Counter(record.label_name(track.label) for track in tracks)
    return dict(counts.most_common())


def _life_s(track: TrackHistory) -> float:
    return track.spans_s[-1][1] - track.spans_s[0][0]


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4) if values else 0.0
