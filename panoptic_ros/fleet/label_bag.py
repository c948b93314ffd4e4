# SPDX-License-Identifier: Apache-2.0
"""Label one bag, from its address to results in their place, whatever happens on the way."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from panoptic_ros import __version__
from panoptic_ros.core.camera.camera_config import CameraConfig
from panoptic_ros.core.camera.output_size import resized
from panoptic_ros.core.camera.view import CameraView
from panoptic_ros.core.closing import Closing
from panoptic_ros.core.model import runtime_words
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.fleet.addresses import bag_id, bag_stem
from panoptic_ros.fleet.bag_report import BUSY, DONE, FAILED, SKIPPED, BagReport
from panoptic_ros.fleet.bag_run import BagRun, Step
from panoptic_ros.fleet.failure import seconds_since, words
from panoptic_ros.fleet.folder import FleetFolder, output_of
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.job_engine import JobEngine
from panoptic_ros.fleet.label_part import label_part
from panoptic_ros.fleet.opened import NoImagesError, OpenedBag, fingerprint
from panoptic_ros.fleet.page import BagPage
from panoptic_ros.fleet.parts.cut import Part
from panoptic_ros.fleet.parts.joined_results import JoinedResults
from panoptic_ros.fleet.parts.part_files import PartFiles
from panoptic_ros.fleet.sink import open_sink
from panoptic_ros.fleet.task import Task, Unfinished
from panoptic_ros.recordings.source import RecordedFrame


def label_bag(uri: str, out: str, job: Job) -> BagReport:
    """Label one bag with an engine of its own; never raises.

    Args:
        uri: Address of the bag.
        out: Folder of the fleet's results.
        job: What to do.

    Returns:
        What became of it; the same is in its manifest, unless nothing could be written.
    """
    with Labeller(out, job) as labeller:
        return labeller.label(uri)


class _PartsMissingError(Exception):
    """A bag is to be joined of parts that are not there yet."""

    def __init__(self, numbers: tuple[int, ...]) -> None:
        self.numbers = numbers


class Labeller(Closing):
    """Labels one bag after the other with one engine, which is opened when it is first needed.

    Used by one thread; owns the engine.

    Args:
        out: Folder of the fleet's results.
        job: What to do.
    """

    def __init__(self, out: str, job: Job) -> None:
        self._out = out
        self._job = job
        self._folder: FleetFolder | None = None
        self._engine = JobEngine(job)

    def close(self) -> None:
        """Close the engine; safe to call twice."""
        self._engine.close()

    def label(self, uri: str) -> BagReport:
        """Label a bag, of a long one all parts one after the other; never raises.

        Args:
            uri: Its address.

        Returns:
            What became of it; ``skipped`` where it had been labelled before.
        """
        while isinstance(done := self.do(Task(uri)), Unfinished):
            for number in done.parts:
                part = self.do(Task(uri, number))
                if isinstance(part, BagReport):
                    return part if part.status != FAILED else self.give_up(uri, part.error)
        return done

    def do(self, task: Task) -> BagReport | Unfinished:
        """Do one task; never raises.

        Args:
            task: A bag, or a part of it.

        Returns:
            What became of the bag, or that more is to be done. Of a part that fails the report
            is not written down.
        """
        started = time.monotonic()
        report = BagReport(task.uri, bag_id(task.uri), FAILED, host=socket.gethostname())
        name = report.id if task.part is None else f"{report.id}.{task.part}"
        try:
            folder = self._folder = self._folder or FleetFolder(self._out, self._job.scratch)
            with folder.claimed(name) as scratch:
                if scratch is None:
                    return replace(report, status=SKIPPED, error=BUSY)
                if task.part is None:
                    return self._bag(folder, report, scratch, started)
                return self._part(folder, report, task.part, scratch)
        except Exception as error:  # of any library below; a bag must not end the others
            self._engine.forget(error)
            told = words(error) if task.part is None else f"part {task.part}: {words(error)}"
            return replace(report, error=told, seconds=seconds_since(started))

    def give_up(self, uri: str, why: str) -> BagReport:
        """Write down that a bag cannot be labelled; never raises."""
        report = BagReport(uri, bag_id(uri), FAILED, why, host=socket.gethostname())
        try:
            self._folder = self._folder or FleetFolder(self._out, self._job.scratch)
            with self._folder.claimed(report.id) as scratch:
                if scratch is not None:
                    report = self._described(report)
                    self._folder.publish(report, {})
        except Exception as error:  # as above
            return replace(report, error=f"{why}; {words(error)}")
        return report

    def _bag(
        self, folder: FleetFolder, report: BagReport, scratch: Path, started: float
    ) -> BagReport | Unfinished:
        """Label a bag, or join its parts, and write down what became of it."""
        files: dict[str, Path] = {}
        try:
            report = self._described(report)
            parts = PartFiles(folder, report.id, report.key)
            stands = self._standing(folder, report)
            if stands is not None:
                return stands
            report, files = self._labelled(report, parts, scratch)
        except _PartsMissingError as missing:
            return Unfinished(missing.numbers)
        except NoImagesError as error:
            report = replace(report, status=SKIPPED, error=str(error))
        except Exception as error:  # of any library below
            self._engine.forget(error)
            report = replace(report, status=FAILED, error=words(error))
        report = replace(report, seconds=round(report.seconds + seconds_since(started), 3))
        folder.publish(report, files)
        if self._job.cut is not None and report.is_done:
            parts.drop()
        return report

    def _part(
        self, folder: FleetFolder, report: BagReport, number: int, scratch: Path
    ) -> BagReport | Unfinished:
        """Label a part, unless it is there or its bag is done."""
        report, job = self._described(report), self._job
        files = PartFiles(folder, report.id, report.key)
        if files.has(number):
            return Unfinished()
        # Parts go when their bag is published, so this comes after looking for them.
        stands = self._standing(folder, report)
        if stands is not None:
            return stands
        with OpenedBag(report.uri, scratch, job.scratch_bytes) as bag:
            part = bag.parts(job.cut)[number]
            label_part(bag, part, self._engine.pipeline(), job, files, scratch)
        return Unfinished()

    def _standing(self, folder: FleetFolder, report: BagReport) -> BagReport | None:
        """What became of a bag before, where that need not be tried again."""
        before = folder.report(report.id)
        if before is None or before.key != report.key:
            return None
        if before.status == FAILED:
            return None if self._job.retries_failed else before
        # What became of it then is not told again.
        return before if before.status == SKIPPED else replace(before, status=SKIPPED, error=DONE)

    def _described(self, report: BagReport) -> BagReport:
        """Say what the results are made from."""
        job = self._job
        mark = fingerprint(report.uri)
        return replace(
            report,
            fingerprint=mark,
            key=job.key(report.uri, mark),
            engine=job.engine,
            model_sha256=job.model_sha256,
            parameters_sha256=job.parameters_sha256,
            version=__version__,
        )

    def _labelled(
        self, report: BagReport, files: PartFiles, scratch: Path
    ) -> tuple[BagReport, dict[str, Path]]:
        """Label a bag into a folder; gives the report and the files by their names."""
        job = self._job
        results = scratch / "results"
        results.mkdir()
        with OpenedBag(report.uri, scratch, job.scratch_bytes) as bag, ExitStack() as stack:
            sources = bag.sources(job.image_topics)
            topics = [source.topic for source in sources]
            cameras = [job.config.recorded_camera(topic) for topic in topics]
            parts = bag.parts(job.cut)
            if missing := files.missing(len(parts)):
                raise _PartsMissingError(missing)
            pipeline = self._engine.pipeline()
            labels = pipeline.engine.spec.labels
            sink = open_sink(results, bag_stem(report.uri), topics, labels, job, bag)
            stack.enter_context(closing(sink))
            page = BagPage(report.uri, pipeline.engine, job) if job.has_page else None
            run = BagRun(bag, sources, sink, labels, page)
            if parts:
                step = _joined_steps(parts, files, cameras, pipeline, scratch, stack)
            else:
                step = _steps(pipeline, cameras)
            run.run(step, job.limit_s)
            report = run.summed(report)
            notes = (*report.notes, *self._engine.notes)
            report = replace(report, notes=notes, runtime=runtime_words(pipeline.engine))
        if report.status == FAILED:
            return report, {}
        run.write_page(results / "report.html", report)
        report = replace(report, seconds=sum(files.seconds(part.number) or 0.0 for part in parts))
        return _with_outputs(report, results)


def _steps(pipeline: Pipeline, cameras: Sequence[CameraConfig]) -> Step:
    """Run the frames of every camera through the pipeline."""
    states = [pipeline.new_state(camera) for camera in cameras]

    def step(camera: int, recorded: RecordedFrame) -> Result:
        return resized(pipeline.step(recorded.frame, states[camera]), cameras[camera])

    return step


def _joined_steps(
    parts: Sequence[Part],
    files: PartFiles,
    cameras: Sequence[CameraConfig],
    pipeline: Pipeline,
    scratch: Path,
    stack: ExitStack,
) -> Step:
    """Take the results of every camera from the parts."""
    labels, lost_after_s = pipeline.engine.spec.labels, pipeline.config.tracking.lost_after_s
    joined = [
        stack.enter_context(JoinedResults(parts, files, camera, labels, lost_after_s, scratch))
        for camera in range(len(cameras))
    ]
    views = [CameraView(camera) for camera in cameras]

    def step(camera: int, recorded: RecordedFrame) -> Result:
        result = joined[camera].step(recorded)
        seen = replace(result, frame=views[camera].look(result.frame))
        return resized(seen, cameras[camera])

    return step


def _with_outputs(report: BagReport, results: Path) -> tuple[BagReport, dict[str, Path]]:
    files = {
        path.relative_to(results).as_posix(): path
        for path in sorted(results.rglob("*"))
        if path.is_file()
    }
    outputs = tuple(output_of(name, path) for name, path in files.items())
    return replace(report, outputs=outputs), files
