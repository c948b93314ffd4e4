# SPDX-License-Identifier: Apache-2.0
"""The page about one bag, as ``panoptic replay --report`` writes it."""

from __future__ import annotations

from pathlib import Path

from panoptic_ros.core.model import Engine
from panoptic_ros.core.result import Result
from panoptic_ros.fleet.bag_report import BagReport
from panoptic_ros.fleet.job import Job
from panoptic_ros.report.page import write_page
from panoptic_ros.report.record import RunRecord, facts_of
from panoptic_ros.report.samples import SampledFrames

LATENCY = "Time of the pipeline for one frame, without writing its results."


class BagPage:
    """Collects what a bag's page shows; of several cameras the frames stand in one row.

    Args:
        uri: Address of the bag.
        engine: The network.
        job: What is done.
    """

    def __init__(self, uri: str, engine: Engine, job: Job) -> None:
        labels = engine.spec.labels
        self._record = RunRecord(f"Labels of {uri}", uri, engine.description, labels, LATENCY)
        self._record.settings["parameters"] = job.parameters_sha256
        self._sampled = SampledFrames(labels)

    def add(self, result: Result) -> None:
        """Take the next result in."""
        facts = facts_of(result, sum(result.stages_ms.values()), result.stages_ms)
        self._record.frames.append(facts)
        self._sampled.offer(result)
        self._sampled.offer_doubtful(result, facts.confidence)

    def write(self, path: Path, report: BagReport) -> None:
        """Write the page.

        Raises:
            ConfigError: Jinja2 is not installed.
            DataError: The file cannot be written.
        """
        if not self._record.frames:
            return
        self._record.skipped = sum(report.skipped.values())
        self._record.frames_in = report.frames + self._record.skipped
        self._record.notes.extend(report.notes)
        write_page(path, self._record, self._sampled.samples(), self._sampled.doubtful())
