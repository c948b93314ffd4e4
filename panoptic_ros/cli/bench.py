# SPDX-License-Identifier: Apache-2.0
"""``panoptic bench``: what each stage of a frame costs on this machine, as a table and as JSON."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from contextlib import ExitStack
from dataclasses import asdict
from itertools import islice, pairwise
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from panoptic_ros.cli.options.arguments import add_threads_argument, size
from panoptic_ros.cli.options.conditions import only_with
from panoptic_ros.cli.options.engines import open_graded
from panoptic_ros.cli.options.inputs import add_runtime_argument
from panoptic_ros.cli.printing.json_file import check_place, write_json
from panoptic_ros.cli.printing.outputs import add_out, print_written
from panoptic_ros.core.engine_config import RUNTIMES, EngineConfig
from panoptic_ros.core.errors import ConfigError, DataError, counted
from panoptic_ros.core.model import FactualEngine
from panoptic_ros.report.memory import resident_mib
from panoptic_ros.report.timing import (
    OUTSIDE,
    WHOLE,
    Ratio,
    StageTimes,
    batch_rate,
    measure,
    ratio,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from panoptic_ros.core.model import Engine
    from panoptic_ros.core.types import Frame


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--engine", default=EngineConfig.name, help="default: %(default)s")
    parser.add_argument(
        "--against",
        metavar="ENGINE",
        help="a second engine that takes the same frames in turn; prints the ratio of times",
    )
    add_runtime_argument(parser)
    parser.add_argument(
        "--against-runtime",
        choices=RUNTIMES,
        help="what runs the second engine, which is the same where --against is not given",
    )
    parser.add_argument(
        "--input", type=Path, help="bag, video or folder of images (default: a drawn street)"
    )
    parser.add_argument("--topic", default="", help="image topic, if a bag has several")
    parser.add_argument(
        "--size", type=size, default=(1280, 720), metavar="WxH", help="default: 1280x720"
    )
    parser.add_argument(
        "--frames", type=int, default=200, help="frames to measure (default: %(default)s)"
    )
    parser.add_argument(
        "--warmup", type=int, default=10, help="frames before that (default: %(default)s)"
    )
    add_threads_argument(parser)
    add_out(parser, "bench.json, the figures")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the figures to this file"
    )


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    if args.frames < 1 or args.warmup < 0:
        raise ConfigError("--frames needs at least 1, --warmup at least 0")
    only_with("--input", args.input, {"--topic": args.topic})
    figures = args.json or (args.out / "bench.json" if args.out else None)
    if figures:
        # A wrong path shall not cost a run.
        check_place(figures, "--json" if args.json else "--out")
    with ExitStack() as owned:
        memory_mib, engines = [resident_mib()], []
        for name, runtime in _chosen(args):
            engines.append(_open(name, runtime, args.threads, owned))
            engines[-1].infer(engines[-1].input)
            memory_mib.append(resident_mib())
        times = measure(engines, _frames(args), args.frames, args.warmup)
        grown = [round(after - before, 1) for before, after in pairwise(memory_mib)]
        reports = [
            {**_report(engine, each, args), "memory_mib": None if isnan(mib) else mib}
            for engine, each, mib in zip(engines, times, grown, strict=True)
        ]
    report = {**_environment(args), **reports[0]}
    ratios = _ratios(*times) if len(times) > 1 else {}
    if ratios:
        report |= {"against": reports[1], "ratio": {k: _as_json(v) for k, v in ratios.items()}}
    for each in reports:
        _show({**report, **each})
    if ratios:
        _show_ratios(report, ratios)
    if figures:
        write_json(figures, report, "--json" if args.json else "--out")
    print_written([figures])
    return 0


def _chosen(args: argparse.Namespace) -> list[tuple[str, str]]:
    """Engines and their runtimes, one or two."""
    chosen = [(args.engine, args.runtime)]
    if args.against or args.against_runtime:
        chosen.append((args.against or args.engine, args.against_runtime or args.runtime))
    return chosen


def _open(name: str, runtime: str, threads: int, owned: ExitStack) -> Engine:
    engine = open_graded(
        name, threads, "bench", runtime, lambda line: print(line, file=sys.stderr)
    )
    owned.callback(engine.close)
    return engine


def _environment(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "machine": _machine(),
        "input": str(args.input or "drawn street"),
        "camera_size": list(args.size),
        "frames": args.frames,
    }


def _report(engine: Engine, times: StageTimes, args: argparse.Namespace) -> dict[str, Any]:
    memory = getattr(engine, "memory_bytes", None)
    return {
        "engine": engine.description,
        "facts": dict(engine.facts) if isinstance(engine, FactualEngine) else {},
        "stages_ms": times.percentiles(),
        "frames_per_s": times.frames_per_s(),
        "cpu_ms": times.cpu(),
        "batch": batch_rate(engine, args.frames, args.warmup),
        "gpu_memory_mib": None if memory is None else round(memory / 2**20, 1),
    }


def _ratios(times: StageTimes, others: StageTimes) -> dict[str, Ratio]:
    return {
        stage: ratio(times.stages_ms[stage], others.stages_ms[stage]) for stage in ("infer", WHOLE)
    }


def _as_json(found: Ratio) -> dict[str, Any]:
    """Write a ratio; JSON has no NaN."""
    numbers = {k: None if isnan(value) else value for k, value in asdict(found).items()}
    return {**numbers, "verdict": found.verdict}


def _frames(args: argparse.Namespace) -> list[Frame]:
    """Load up to 100 images and bring them to the camera's size, as BGR like most drivers."""
    import cv2

    from panoptic_ros.core.types import Frame

    frames = []
    for frame in islice(_source(args), min(args.frames, 100)):
        bgr = np.ascontiguousarray(frame.image[..., ::-1])
        bgr = np.asarray(cv2.resize(bgr, args.size), np.uint8)
        frames.append(Frame(bgr[..., ::-1], frame.stamp_ns, frame.frame_id))
    if not frames:
        raise DataError(f"{args.input}: holds no image that can be read")
    return frames


def _source(args: argparse.Namespace) -> Iterator[Frame]:
    if args.input is None:
        from panoptic_ros.core.synthetic.street import DrawnStreet

        yield from (frame for frame, _ in DrawnStreet(size=args.size))
        return
    from panoptic_ros.recordings.open import open_source

    with open_source(args.input, args.topic) as source:
        yield from (recorded.frame for recorded in source.frames())


def _machine() -> str:
    from panoptic_ros.engine.processor import processor_name

    cores = len(os.sched_getaffinity(0))
    return f"{processor_name()}, {counted(cores, 'core')}, Python {platform.python_version()}"


def _show(report: dict[str, Any]) -> None:
    width, height = report["camera_size"]
    rate, batch = report["frames_per_s"], report["batch"]
    lines = [
        f"{rate[WHOLE]:.1f} frames/s, one stage after the other; the network alone "
        f"{rate['infer']:.1f}",
    ]
    if batch:
        images = f"{counted(round(batch['images']), 'image')} at once"
        lines.append(f"{batch['images_per_s']:.1f} images/s of the network, {images}")
    cpu = report["cpu_ms"]
    lines.append(f"{cpu['p50']:.1f} ms of CPU a frame, {cpu['cores']:.2f} cores busy")
    if report["memory_mib"] is not None:
        lines.append(f"{report['memory_mib']:.0f} MiB of memory for the engine and its runtime")
    if report["gpu_memory_mib"] is not None:
        lines.append(f"{report['gpu_memory_mib']:.0f} MiB of GPU memory")
    _print_table(
        f"{report['engine']}, camera {width}x{height}, {counted(report['frames'], 'frame')}",
        [*lines, f"{report['machine']}; input: {report['input']}"],
        ("stage", "p50 ms", "p95 ms", "p99 ms"),
        [
            (stage, *(f"{value:.2f}" for value in values.values()))
            for stage, values in report["stages_ms"].items()
        ],
    )


def _show_ratios(report: dict[str, Any], ratios: dict[str, Ratio]) -> None:
    rows = []
    for stage, found in ratios.items():
        interval = "-" if isnan(found.low) else f"{found.low:.3f} to {found.high:.3f}"
        rows.append((stage, f"{found.median:.3f}", interval, found.verdict))
    _print_table(
        f"{report['engine']} against {report['against']['engine']}",
        ["ratio of times on identical frames, interleaved; below 1: the first engine is faster"],
        ("stage", "median", "95 %", "verdict"),
        rows,
    )


def _print_table(
    title: str, notes: list[str], columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]
) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left")
    for row in rows:
        if row[0] == OUTSIDE:
            table.add_section()
        table.add_row(*row)
    print(title)
    Console().print(table)
    print("\n".join(notes))
