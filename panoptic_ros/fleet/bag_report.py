# SPDX-License-Identifier: Apache-2.0
"""What became of one bag: its manifest beside the results, and its line in a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

OK, PARTIAL, FAILED, SKIPPED = "ok", "partial", "failed", "skipped"
"""All frames labelled; some could not be read; no result; nothing to do."""

BUSY = "another call is labelling it"
DONE = "was labelled before"


@dataclass(frozen=True)
class Output:
    """One file of results.

    Attributes:
        name: Path below the bag's folder.
        size: In bytes.
        sha256: Check sum.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class BagReport:
    """What became of one bag.

    Attributes:
        uri: Address of the bag.
        id: Name of its folder of results.
        status: ``ok``, ``partial``, ``failed`` or ``skipped``.
        error: Why there is no result, empty otherwise.
        frames: Labelled frames of all cameras.
        skipped: Frames without a result, by cause.
        notes: What else was wrong or is worth knowing, one sentence each.
        seconds: Time that labelling took.
        recorded_s: Time from the first to the last frame, summed over the cameras.
        key: What the results were made from; see ``Job.key``.
        fingerprint: The bag's etag, or size and time of change.
        engine: Name of the model.
        runtime: What ran it: runtime, processor and precision; see ``runtime_words``.
        model_sha256: Its check sum.
        parameters_sha256: Check sum of the pipeline's parameters.
        version: Of this package.
        host: Where it was labelled.
        outputs: The files of results.
        cameras: Figures of each camera by its image topic; see ``CameraFigures``.
    """

    uri: str
    id: str
    status: str
    error: str = ""
    frames: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    recorded_s: float = 0.0
    key: str = ""
    fingerprint: str = ""
    engine: str = ""
    runtime: str = ""
    model_sha256: str = ""
    parameters_sha256: str = ""
    version: str = ""
    host: str = ""
    outputs: tuple[Output, ...] = ()
    cameras: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def is_busy(self) -> bool:
        """Whether somebody else is at it, so that its fate is not known yet."""
        return self.status == SKIPPED and self.error == BUSY

    @property
    def is_done(self) -> bool:
        """Whether its results stand, or it is known that there are none to be had."""
        return self.status in (OK, PARTIAL, SKIPPED) and not self.is_busy

    def to_json(self) -> dict[str, Any]:
        """Write it with JSON types."""
        return asdict(self)


def from_json(document: Mapping[str, Any]) -> BagReport:
    """Read a report; fields of other versions are left out.

    Raises:
        TypeError, KeyError: It is none.
    """
    known = {entry.name for entry in fields(BagReport)}
    content = {name: value for name, value in document.items() if name in known}
    content["notes"] = tuple(content.get("notes", ()))
    content["outputs"] = tuple(Output(**entry) for entry in content.get("outputs", ()))
    return BagReport(**content)
