# SPDX-License-Identifier: Apache-2.0
"""Label one bag, from its address to results in their place, whatever happens on the way."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from panoptic_ros import __version__
from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import EngineRunError, FrameError, LateFrameError, ModelError
from panoptic_ros.core.model import runtime_words
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.fleet.addresses import bag_id, bag_stem
from panoptic_ros.fleet.bag_report import BUSY, DONE, FAILED, OK, PARTIAL, SKIPPED, BagReport
from panoptic_ros.fleet.figures import CameraFigures
from panoptic_ros.fleet.folder import FleetFolder, output_of
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.opened import NoImagesError, OpenedBag, by_time, fingerprint
from panoptic_ros.fleet.page import BagPage
from panoptic_ros.fleet.sink import Sink, open_sink
from panoptic_ros.recordings.source import Source


class LimitError(Exception):
    """A bag took longer than it may."""


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


@dataclass
class _Work:
    """One bag while it is labelled."""

    sources: Sequence[Source]
    sink: Sink
    figures: list[CameraFigures]
    skipped: Counter[str] = field(default_factory=Counter)


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
        self._pipeline: Pipeline | None = None

    def close(self) -> None:
        """Close the engine; safe to call twice."""
        if self._pipeline is not None:
            pipeline, self._pipeline = self._pipeline, None
            pipeline.engine.close()

    def label(self, uri: str) -> BagReport:
        """Label a bag; never raises.

        Args:
            uri: Its address.

        Returns:
            What became of it; ``skipped`` where it had been labelled before.
        """
        started = time.monotonic()
        report = BagReport(uri, bag_id(uri), FAILED, host=socket.gethostname())
        try:
            self._folder = self._folder or FleetFolder(self._out, self._job.scratch)
            return self._claimed(self._folder, report, started)
        except Exception as error:  # of any library below; a bag must not end the others
            return replace(report, error=words(error), seconds=_since(started))

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

    def _claimed(self, folder: FleetFolder, report: BagReport, started: float) -> BagReport:
        with folder.claimed(report.id) as scratch:
            if scratch is None:
                return replace(report, status=SKIPPED, error=BUSY)
            files: dict[str, Path] = {}
            try:
                report = self._described(report)
                before = folder.report(report.id)
                if before is not None and self._stands(before, report.key):
                    return before if before.status == FAILED else _as_done(before)
                report, files = self._labelled(report, scratch, started)
            except NoImagesError as error:
                report = replace(report, status=SKIPPED, error=str(error))
            except Exception as error:  # of any library below
                self._forget(error)
                report = replace(report, status=FAILED, error=words(error))
            report = replace(report, seconds=_since(started))
            folder.publish(report, files)
            return report

    def _stands(self, before: BagReport, key: str) -> bool:
        """Whether what became of a bag before need not be tried again."""
        is_same = before.key == key
        return is_same and (before.status != FAILED or not self._job.retries_failed)

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
        self, report: BagReport, scratch: Path, started: float
    ) -> tuple[BagReport, dict[str, Path]]:
        """Label a bag into a folder; gives the report and the files by their names."""
        job, pipeline = self._job, self._opened()
        results = scratch / "results"
        results.mkdir()
        with OpenedBag(report.uri, scratch, job.scratch_bytes) as bag:
            sources = bag.sources(job.image_topics)
            labels = pipeline.engine.spec.labels
            topics = [source.topic for source in sources]
            stem = bag_stem(report.uri)
            sink = open_sink(results, stem, topics, labels, job, bag)
            work = _Work(sources, sink, [CameraFigures(labels) for _ in sources])
            page = BagPage(report.uri, pipeline.engine, job) if job.has_page else None
            with closing(sink):
                self._run(work, pipeline, page, started)
                sink.finish()
            if bag.failure:
                raise OSError(bag.failure)
            report = replace(_summed(report, work, bag), runtime=runtime_words(pipeline.engine))
        if report.status == FAILED:
            return report, {}
        if page is not None:
            page.write(results / "report.html", report)
        files = {
            path.relative_to(results).as_posix(): path
            for path in sorted(results.rglob("*"))
            if path.is_file()
        }
        outputs = tuple(output_of(name, path) for name, path in files.items())
        return replace(report, outputs=outputs), files

    def _run(self, work: _Work, pipeline: Pipeline, page: BagPage | None, started: float) -> None:
        states = [pipeline.new_state() for _ in work.sources]
        for camera, recorded in by_time(work.sources):
            if self._job.limit_s is not None and _since(started) > self._job.limit_s:
                raise LimitError(f"took longer than {self._job.limit_s:g} s; raise --limit-s")
            try:
                result = pipeline.step(recorded.frame, states[camera])
            except LateFrameError:
                work.skipped["came after a newer one"] += 1
                continue
            except FrameError as error:
                work.sources[camera].read_errors.skip(f"image {recorded.name}: {error}")
                continue
            work.sink.write(camera, result, recorded)
            work.figures[camera].add(result)
            if page is not None:
                page.add(result)

    def _opened(self) -> Pipeline:
        """Open the engine, which must be that of the job."""
        if self._pipeline is None:
            from panoptic_ros.engine.open import open_engine

            found = model_sha256(self._job.engine)
            if found != self._job.model_sha256:
                raise ModelError(
                    f"{self._job.engine} has the check sum {found[:12]} on "
                    f"{socket.gethostname()}, the job is for {self._job.model_sha256[:12]}; give "
                    "every machine the same file"
                )
            engine = open_engine(self._job.engine, self._job.threads)
            self._pipeline = Pipeline(engine, self._job.config)
        return self._pipeline

    def _forget(self, error: Exception) -> None:
        """Open an engine that failed anew for the next bag."""
        if isinstance(error, EngineRunError):
            self.close()


def model_sha256(engine: str) -> str:
    """Check sum of a model, empty for an engine without a file.

    Raises:
        ModelError: There is no such model.
    """
    from panoptic_ros.engine.models import find_model, shipped_models
    from panoptic_ros.engine.open import DRAWN
    from panoptic_ros.engine.storage.manifest import sha256_of

    if engine == DRAWN and engine not in shipped_models():
        return ""
    return sha256_of(find_model(engine))


def words(error: BaseException) -> str:
    """Say in one line what went wrong; the name of what is no error of ours is part of it."""
    from panoptic_ros.core.errors import PanopticError

    text = " ".join(str(error).split()) or "no more is known"
    own = isinstance(error, (PanopticError, LimitError))
    return text if own else f"{type(error).__name__}: {text}"


def _summed(report: BagReport, work: _Work, bag: OpenedBag) -> BagReport:
    """Sum up what was labelled and what could not be."""
    skipped = Counter(work.skipped)
    notes = [*bag.read_errors.notes, *work.sink.notes]
    for source in work.sources:
        if source.read_errors.skipped:
            skipped["could not be read"] += source.read_errors.skipped
        notes += [note for note in source.read_errors.notes if note not in notes]
    frames = sum(figures.frames for figures in work.figures)
    is_damaged = any(bool(source.read_errors) for source in work.sources) or bool(bag.read_errors)
    if not frames:
        why = notes[0] if notes else "all frames came after newer ones"
        return replace(
            report, status=FAILED, error=f"no image can be read: {why}", skipped=dict(skipped)
        )
    cameras: dict[str, dict[str, Any]] = {
        source.topic: figures.to_json()
        for source, figures in zip(work.sources, work.figures, strict=True)
    }
    return replace(
        report,
        status=PARTIAL if is_damaged else OK,
        frames=frames,
        skipped=dict(skipped),
        notes=tuple(notes),
        recorded_s=round(sum(figures.recorded_s for figures in work.figures), 3),
        cameras=cameras,
    )


def _as_done(before: BagReport) -> BagReport:
    """Say that a bag had been labelled; what became of it then is not told again."""
    if before.status == SKIPPED:
        return before
    return replace(before, status=SKIPPED, error=DONE)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
