# SPDX-License-Identifier: Apache-2.0
"""``panoptic label``: bags by the thousand to labels, by any number of workers, resumable."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from panoptic_ros.cli.options.arguments import not_negative
from panoptic_ros.cli.options.conditions import only_with
from panoptic_ros.cli.options.inputs import add_engine_arguments, engine_name
from panoptic_ros.cli.options.taken_parameters import parameters_of
from panoptic_ros.cli.printing.labelled import LabelledBags
from panoptic_ros.cli.printing.outputs import folder_name
from panoptic_ros.cli.printing.progress import ProgressBar
from panoptic_ros.cli.printing.repeated import tell_repeated
from panoptic_ros.core.errors import ConfigError, DataError, counted, listed
from panoptic_ros.core.files.document import nearest

if TYPE_CHECKING:
    from panoptic_ros.core.node_config import NodeConfig
    from panoptic_ros.fleet.job import Job
    from panoptic_ros.fleet.parts.cut import Cut
    from panoptic_ros.fleet.workers import Workers

"""Without a terminal a line tells how far it is, so often."""
_OVERLAP_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "bags",
        nargs="*",
        metavar="BAG",
        help="bags, folders, patterns, @LIST or list.txt; also s3://, gs://, file://",
    )
    parser.add_argument(
        "--out",
        type=folder_name,
        required=True,
        metavar="DIR",
        help="folder of the results; also s3://, gs://",
    )
    _add_result_arguments(parser)
    add_engine_arguments(parser, "label")
    _add_run_arguments(parser)


def _add_result_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--topics", metavar="A,B", help="image topics to label (default: all of a bag)"
    )
    parser.add_argument(
        "--format",
        default="mcap",
        metavar="NAME",
        help="mcap for a bag of labels (default), or a format of panoptic predict",
    )
    parser.add_argument(
        "--outputs",
        metavar="A,B",
        help="topics below the node's name in a bag of labels (default: label, instance, "
        "panoptic and drivable as lossless PNG, detections)",
    )
    parser.add_argument(
        "--merge", action="store_true", help="put the input's own topics into the bag of labels"
    )
    parser.add_argument("--pages", action="store_true", help="write an HTML page for each bag")


def _add_run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="processes, each with an engine (default: %(default)s)",
    )
    parser.add_argument(
        "--cut-s",
        type=float,
        metavar="S",
        help="cut longer bags into parts of about S seconds, which any worker labels; their ids "
        "are joined",
    )
    parser.add_argument(
        "--overlap-s",
        type=float,
        default=_OVERLAP_S,
        metavar="S",
        help="seconds that a part shares with the one before (default: %(default)g)",
    )
    parser.add_argument(
        "--limit-s", type=float, metavar="S", help="seconds that one bag, or part, may take"
    )
    parser.add_argument(
        "--retry-failed",
        action="store_true",
        help="try bags again that failed before; without BAG: those of the folder's failed.jsonl",
    )
    parser.add_argument("--dry-run", action="store_true", help="estimate the work and stop")
    parser.add_argument("--scratch", default="", metavar="DIR", help="folder for copies of bags")
    parser.add_argument(
        "--scratch-gb",
        type=float,
        default=20.0,
        metavar="GB",
        help="largest copy (default: %(default)s)",
    )
    _add_ray_arguments(parser)


def _add_ray_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ray", metavar="ADDRESS", help="run on a Ray cluster: its address, auto, or local"
    )
    parser.add_argument(
        "--workers",
        default="",
        metavar="MIN:MAX",
        help="actors on the cluster; more than MIN are asked for while bags wait "
        "(default: 1 to as many as --jobs)",
    )
    parser.add_argument(
        "--num-gpus",
        type=not_negative,
        default=0.0,
        metavar="N",
        help="GPUs of one actor, e.g. 0.25",
    )


def run(args: argparse.Namespace) -> int:
    """Label the bags; 1 where one failed or is labelled in part only.

    Raises:
        ConfigError: A number or an address makes no sense.
        DataError: The folder cannot be written.
        ModelError: There is no such model.
    """
    job = _job(args)
    uris = _uris(args, job)
    if args.dry_run:
        return _tell_estimate(args, uris, job)
    from panoptic_ros.fleet.run import call

    progress, told = None, LabelledBags(args.out)
    try:
        workers = _workers(args, job, len(uris))
        with ProgressBar("label", len(uris)) as bar:
            for report, progress in call(uris, workers, args.out, job):
                bar.show(progress.done, str(progress))
                told.add(report)
    except KeyboardInterrupt:
        print("panoptic label: stopped; the same command goes on from here", file=sys.stderr)
        raise
    if progress is None:
        print("nothing to do")
        return 0
    told.print(progress)
    return 1 if progress.bags["failed"] or progress.bags["partial"] else 0


def _job(args: argparse.Namespace) -> Job:
    from panoptic_ros.data.formats import FORMATS
    from panoptic_ros.fleet.job import MCAP, TOPICS, Job
    from panoptic_ros.fleet.job_engine import model_sha256, parameter_files
    from panoptic_ros.recordings.result_bag import wanted_topics

    formats = [MCAP, *(name for name, entry in FORMATS.items() if entry.open_writer)]
    if args.format not in formats:
        raise ConfigError(f"no format {args.format!r}; there are: {', '.join(formats)}")
    _check_numbers(args)
    outputs = wanted_topics(_names(args.outputs) or TOPICS)
    _check_outputs(outputs)
    if args.format != MCAP and (args.merge or args.outputs):
        raise ConfigError(f"--merge and --outputs go with --format {MCAP} only")
    config = parameters_of(args, "label")
    config.check_topic_count("image_topics")
    config.every_camera()
    engine = engine_name(args, config)
    return Job(
        engine,
        model_sha256(engine),
        config,
        parameter_files(config),
        tuple(_names(args.topics)),
        args.format,
        outputs,
        args.merge,
        args.pages,
        args.threads or max(1, len(os.sched_getaffinity(0)) // args.jobs),
        args.limit_s,
        args.scratch,
        round(args.scratch_gb * 1e9),
        args.retry_failed,
        _cut(args, config),
    )


def _check_outputs(names: Sequence[str]) -> None:
    from panoptic_ros.messages.topic import GroundTopic
    from panoptic_ros.messages.topics import frame_rows

    rows = frame_rows()
    known = [name for name, row in rows.items() if not isinstance(row, GroundTopic)]
    if unknown := set(names) - set(rows):
        raise ConfigError(f"no topic {listed(sorted(unknown))}{nearest(min(unknown), known)}")
    if in_metres := set(names) - set(known):
        raise ConfigError(
            f"no topics in metres come from panoptic label ({', '.join(sorted(in_metres))}); "
            "panoptic replay writes them, with --params and --topics"
        )


def _cut(args: argparse.Namespace, config: NodeConfig) -> Cut | None:
    from panoptic_ros.fleet.parts.cut import Cut

    if args.cut_s is None:
        return None
    cut = Cut(args.cut_s, args.overlap_s)
    cut.check(config.tracking.lost_after_s)
    return cut


def _check_numbers(args: argparse.Namespace) -> None:
    only_with("--cut-s", args.cut_s is not None, {"--overlap-s": args.overlap_s != _OVERLAP_S})
    only_with("--ray", args.ray, {"--workers": args.workers, "--num-gpus": args.num_gpus})
    if args.jobs < 1:
        raise ConfigError(f"--jobs is {args.jobs}, needs 1 or more")
    if args.limit_s is not None and not args.limit_s > 0:
        raise ConfigError(f"--limit-s is {args.limit_s}, needs more than 0")
    if not 0 < args.scratch_gb < math.inf:
        raise ConfigError(f"--scratch-gb is {args.scratch_gb}, needs more than 0")


def _names(told: str | None) -> list[str]:
    names = [name.strip() for name in (told or "").split(",") if name.strip()]
    repeated = (name for name, count in Counter(names).items() if count > 1)
    tell_repeated("label", "topic", repeated)
    return list(dict.fromkeys(names))


def _uris(args: argparse.Namespace, job: Job) -> list[str]:
    from panoptic_ros.fleet.addresses import bags_of
    from panoptic_ros.fleet.folder import FleetFolder

    if args.bags:
        repeated: list[str] = []
        uris = bags_of(args.bags, repeated.append)
        tell_repeated("label", "bag", repeated)
        return uris
    if not args.retry_failed:
        raise ConfigError("no bags; name some, or give --retry-failed for those that failed")
    failures = FleetFolder(args.out, job.scratch).failures()
    if not failures:
        raise DataError(f"{args.out}: has no failed.jsonl with failed bags; nothing to retry")
    return [entry["uri"] for entry in failures]


def _workers(args: argparse.Namespace, job: Job, bags: int) -> Workers:
    if not args.ray:
        from panoptic_ros.fleet.workers import LocalWorkers

        count = args.jobs if job.cut else min(args.jobs, bags)
        return LocalWorkers(args.out, job, count)
    from panoptic_ros.fleet.ray_workers import RayWorkers, worker_range

    least, most = worker_range(args.workers, args.jobs)
    return RayWorkers(args.out, job, args.ray, least, most, args.num_gpus)


def _tell_estimate(args: argparse.Namespace, uris: list[str], job: Job) -> int:
    from panoptic_ros.fleet.estimate import estimate

    found = estimate(uris, args.out, job)
    for uri, why in found.unreadable.items():
        print(f"panoptic label: {uri}: {why}", file=sys.stderr)
    minutes = found.seconds(args.jobs) / 60
    print(
        f"{counted(len(uris), 'bag')}: {found.bags} to label, {found.done} done before, "
        f"{len(found.unreadable)} without images or unreadable; {counted(found.frames, 'frame')}, "
        f"{found.hours:.2f} h; about {minutes:.1f} min with "
        f"{counted(args.jobs, 'worker')} at {1000 * found.frame_s:.0f} ms a frame"
    )
    return 0
