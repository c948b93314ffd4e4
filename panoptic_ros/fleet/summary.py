# SPDX-License-Identifier: Apache-2.0
"""A folder of results summed up: hours, objects, failures, slow bags, frames to look at."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.core.files.document import reason_of
from panoptic_ros.fleet.bag_report import FAILED, BagReport
from panoptic_ros.fleet.figures import KINDS

MOST_SLOW, MOST_HARD = 20, 30
_LARGER_IS_HARDER = {"uncertain": False, "id_changes": True, "flicker": True, "disagreement": True}
"""Whether a larger value is the harder one."""

COLUMNS = (
    "uri",
    "id",
    "status",
    "error",
    "frames",
    "skipped",
    "seconds",
    "recorded_s",
    "engine",
    "model_sha256",
    "host",
)
"""Columns of the table that every bag has; hours and objects of each class follow."""


@dataclass(frozen=True, order=True)
class HardFrame:
    """A frame that somebody should look at.

    Attributes:
        rank: Place among the frames of its kind, from 0.
        kind: Why: ``uncertain``, ``id_changes``, ``flicker`` or ``disagreement``.
        value: Mean confidence, objects with another id, share of pixels that changed.
        uri: Address of the bag.
        id: The bag's folder of results.
        topic: Image topic.
        stamp_ns: Its stamp.
    """

    rank: int
    kind: str
    value: float
    uri: str
    id: str
    topic: str
    stamp_ns: int


@dataclass
class FleetSummary:
    """Sums up reports of bags, one after the other; keeps a row for each.

    Attributes:
        statuses: Bags by what became of them.
        frames: Labelled frames.
        recorded_s: Recorded time of all cameras.
        seconds: Time that labelling took, of all workers.
        class_s: Seconds in which a class is seen, by its name.
        objects: Tracked objects by class.
        failures: Failed bags by their reason.
        rows: The table.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    frames: int = 0
    recorded_s: float = 0.0
    seconds: float = 0.0
    class_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    objects: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    rows: list[dict[str, Any]] = field(default_factory=list)
    _hard: dict[str, list[tuple[float, str, str, str, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, report: BagReport) -> None:
        """Take a bag in."""
        self.statuses[report.status] += 1
        self.frames += report.frames
        self.recorded_s += report.recorded_s
        self.seconds += report.seconds
        if report.status == FAILED:
            self.failures[_reason(report)] += 1
        row: dict[str, Any] = {name: getattr(report, name) for name in COLUMNS}
        row["skipped"] = sum(report.skipped.values())
        for topic, camera in report.cameras.items():
            self._add_camera(report, topic, camera, row)
        self.rows.append(row)

    def add_hard(self, kind: str, value: float, report: BagReport, topic: str, stamp: int) -> None:
        """Offer a frame to the list of those to look at."""
        kept = self._hard[kind]
        kept.append((value, report.uri, report.id, topic, stamp))
        if len(kept) > 4 * MOST_HARD:
            self._cut(kind)

    def hard_frames(self) -> list[HardFrame]:
        """The hardest of each kind; the first of every kind come first."""
        found = []
        for kind in list(self._hard):
            self._cut(kind)
            found += [
                HardFrame(rank, kind, value, uri, bag, topic, stamp)
                for rank, (value, uri, bag, topic, stamp) in enumerate(self._hard[kind])
            ]
        return sorted(found)

    def slowest(self) -> list[dict[str, Any]]:
        """Rows of the bags that took longest for a second of recording."""
        labelled = [row for row in self.rows if row["frames"]]
        ranked = sorted(labelled, key=lambda row: -row["seconds"] / row["frames"])
        return ranked[:MOST_SLOW]

    def document(self) -> dict[str, Any]:
        """Sum up with JSON types."""
        hours = self.recorded_s / 3600
        return {
            "bags": dict(sorted(self.statuses.items())),
            "frames": self.frames,
            "hours": round(hours, 4),
            "labelling_hours": round(self.seconds / 3600, 4),
            "class_hours": {
                name: round(seconds / 3600, 5) for name, seconds in _largest(self.class_s)
            },
            "objects_per_hour": {
                name: round(count / hours, 2) if hours else 0.0
                for name, count in self.objects.most_common()
            },
            "failures": dict(self.failures.most_common()),
        }

    def _add_camera(self, report: BagReport, topic: str, camera: Any, row: dict[str, Any]) -> None:
        for name, seconds in camera["class_s"].items():
            self.class_s[name] += seconds
            row[f"hours {name}"] = row.get(f"hours {name}", 0.0) + seconds / 3600
        for name, count in camera["objects"].items():
            self.objects[name] += count
            row[f"objects {name}"] = row.get(f"objects {name}", 0) + count
        for kind in KINDS:
            for hard in camera["hard_frames"].get(kind, ()):
                self.add_hard(kind, hard["value"], report, topic, hard["stamp_ns"])

    def _cut(self, kind: str) -> None:
        self._hard[kind].sort(reverse=_LARGER_IS_HARDER[kind])
        del self._hard[kind][MOST_HARD:]


def to_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Write the table as CSV; what a bag does not have stays empty."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns_of(rows), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def write_parquet(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write the table as Parquet.

    Raises:
        ConfigError: pyarrow is not installed.
        DataError: The file cannot be written.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigError("a Parquet file needs pyarrow; run: pip install pyarrow") from error
    columns = {name: [_encodable(row.get(name)) for row in rows] for name in columns_of(rows)}
    try:
        parquet.write_table(pyarrow.table(columns), path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({reason_of(error)})") from error


def _encodable(value: Any) -> Any:
    """A value as it is; of names of files that are no UTF-8 the odd bytes are escaped."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def columns_of(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Names of the columns: those of every bag, then hours, then objects by class."""
    known = {name for row in rows for name in row} - set(COLUMNS)
    return [*COLUMNS, *sorted(known)]


def to_tasks(frames: Sequence[HardFrame]) -> str:
    """Write the frames to look at as tasks, as Label Studio imports them."""
    tasks = [
        {
            "data": {
                "bag": frame.uri,
                "topic": frame.topic,
                "stamp_ns": str(frame.stamp_ns),
                "image": f"triage/{image_name(frame)}",
            },
            "meta": {"reason": frame.kind, "value": frame.value},
        }
        for frame in frames
    ]
    return json.dumps(tasks, indent=1) + "\n"


def image_name(frame: HardFrame) -> str:
    """Name of the file of a frame's image."""
    topic = frame.topic.strip("/").replace("/", "_")
    return f"{frame.id}-{topic}-{frame.stamp_ns}.jpg"


def _reason(report: BagReport) -> str:
    """An error without what is different for every bag."""
    path = report.uri.removeprefix("file://")
    text = report.error
    for word in (report.uri, path, path.rpartition("/")[2]):
        text = text.replace(f"{word}: ", "").replace(word, "...") if word else text
    return text[:160]


def _largest(values: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(values.items(), key=lambda entry: -entry[1])
