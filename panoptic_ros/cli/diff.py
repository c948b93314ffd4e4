# SPDX-License-Identifier: Apache-2.0
"""``panoptic diff``: whether B differs from A on the same images, and where most."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panoptic_ros.cli.options.arguments import add_threads_argument
from panoptic_ros.cli.options.conditions import only_with
from panoptic_ros.cli.options.engines import open_graded
from panoptic_ros.cli.options.inputs import DEFAULT_ENGINE, engine_name
from panoptic_ros.cli.options.taken_parameters import (
    add_node_argument,
    taken_in_words,
    taken_parameters,
)
from panoptic_ros.cli.printing.json_file import check_place, write_json
from panoptic_ros.cli.printing.outputs import print_written
from panoptic_ros.core.errors import ConfigError, DataError, FrameError, counted, listed

if TYPE_CHECKING:
    from panoptic_ros.core.classes.labels import LabelSet
    from panoptic_ros.evaluation.difference import Difference, SideFrame
    from panoptic_ros.report.diff_page import WorstFrame

_BAGS = (".mcap", ".db3")
_PARAMETERS = (".yaml", ".yml")
SIDE = "a bag of results, or with --input a model or a parameter file of the node"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("a", metavar="A", help=f"the baseline: {SIDE}")
    parser.add_argument(
        "b",
        metavar="B",
        help=f"the candidate: {SIDE}; taken of such a file: engine, {taken_in_words('diff')}",
    )
    parser.add_argument(
        "--input",
        type=Path,
        metavar="INPUT",
        help="images to run two models or parameter files on",
    )
    parser.add_argument("--topic", default="", help="image topic of INPUT, if it has several")
    parser.add_argument(
        "--engine",
        help=f"engine to run parameter files with (default: that of the file, else "
        f"{DEFAULT_ENGINE})",
    )
    add_threads_argument(parser)
    add_node_argument(parser)
    parser.add_argument(
        "--node", default="", help="node to compare, if the bags hold results of several"
    )
    parser.add_argument(
        "--labels", metavar="SET", help="label set of bags that have no label_info"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="page with the worst frames")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the figures")
    parser.add_argument(
        "--fail-over",
        default="",
        metavar="NAME=MOST,...",
        help="exit with status 1 if a measure is larger, e.g. pq=1.0,drivable_near=0.2",
    )


def run(args: argparse.Namespace) -> int:
    """Compare the two; 1 where a limit is exceeded.

    Raises:
        ConfigError: A limit is none, or the two sides cannot be compared.
        DataError: A side cannot be read, or they have no frame in common.
    """
    from panoptic_ros.report.diff_page import summary

    limits = _limits(args.fail_over)
    _check(args)
    for path, option in ((args.json, "--json"), (args.html, "--html")):
        if path:
            check_place(path, option)
    difference, worst = _compared(args)
    found = difference.document()
    exceeded = _exceeded(found["measures"], limits)
    _write(args, difference, found, worst, exceeded)
    for value, words in summary(found["measures"]):
        print(f"{value:>9}  {words}")
    frames = counted(found["frames"], "frame")
    print(f"{frames}; {found['only_a']} only in A, {found['only_b']} only in B")
    for line in exceeded:
        print(f"panoptic diff: {line}", file=sys.stderr)
    print_written([args.json, args.html])
    return 1 if exceeded else 0


def _check(args: argparse.Namespace) -> None:
    """Refuse options that would do nothing for what is compared."""
    of_files = {"--engine": args.engine, "--params-node": args.params_node}
    of_input = {"--topic": args.topic, "--threads": args.threads}
    has_files = any(told.endswith(_PARAMETERS) for told in (args.a, args.b))
    only_with("--input", args.input, {**of_input, **of_files})
    only_with("a parameter file as A or B", has_files, of_files)
    of_bags = {"--node": args.node, "--labels": args.labels}
    only_with("bags of results, without --input", not args.input, of_bags)


def _compared(args: argparse.Namespace) -> tuple[Difference, list[WorstFrame]]:
    """Compare all frames; gives also the worst, where a page wants them."""
    from panoptic_ros.evaluation.difference import Difference, paired
    from panoptic_ros.report.diff_page import WorstFrames

    with ExitStack() as stack:
        a, b = (_side(args, told, stack) for told in (args.a, args.b))
        labels = _common(a[1], b[1])
        difference = Difference([label.name for label in labels.labels])
        worst = WorstFrames(labels)
        for left, right in paired(a[0], b[0], difference):
            if left.labels.shape != right.labels.shape:
                raise DataError(
                    f"images of A are {left.labels.shape}, of B {right.labels.shape}; they must "
                    "come from the same input"
                )
            frame = difference.update(left, right)
            if args.html:
                worst.offer(frame, left, right)
    if not difference.frames:
        raise DataError(
            f"A and B have no stamp in common ({difference.only_a} and {difference.only_b} "
            "frames); they must come from the same input"
        )
    return difference, worst.worst()


def _write(
    args: argparse.Namespace,
    difference: Difference,
    found: dict[str, Any],
    worst: list[WorstFrame],
    exceeded: list[str],
) -> None:
    if args.json:
        write_json(args.json, {**found, "exceeded": exceeded}, "--json")
    if args.html:
        from panoptic_ros.report.diff_page import write_diff_page

        title = f"{Path(args.b).name} against {Path(args.a).name}"
        sides = {"A": args.a, "B": args.b}
        if args.input:
            sides["input"] = str(args.input)
        write_diff_page(args.html, title, sides, difference, worst, exceeded)


def _limits(told: str) -> dict[str, float]:
    from panoptic_ros.evaluation.difference import MEASURES

    limits = {}
    for part in filter(None, told.split(",")):
        name, _, most = part.partition("=")
        try:
            limits[name.strip()] = float(most)
        except ValueError:
            raise ConfigError(f"--fail-over {part!r}: needs NAME=NUMBER, e.g. pq=1.0") from None
        if name.strip() not in MEASURES:
            raise ConfigError(
                f"--fail-over {name!r}: there is no such measure; there are: {', '.join(MEASURES)}"
            )
    return limits


def _exceeded(measures: dict[str, float], limits: dict[str, float]) -> list[str]:
    """Say which limits are exceeded; a measure that is not known exceeds its limit."""
    return [
        f"{name} is {measures[name]:.3f}, may be {most:g}"
        if name in measures
        else f"{name} is not known from these inputs, and is limited to {most:g}"
        for name, most in limits.items()
        if not measures.get(name, most + 1) <= most
    ]


def _side(
    args: argparse.Namespace, told: str, stack: ExitStack
) -> tuple[Iterator[SideFrame], LabelSet]:
    """Open one side: its frames, and its classes."""
    path = Path(told)
    if args.input is not None:
        return _computed(args, told, stack)
    if not path.is_dir() and path.suffix not in _BAGS:
        raise ConfigError(f"{told}: is not a bag of results; for models give --input with images")
    return _recorded(path, args.node, args.labels, stack)


def _recorded(
    path: Path, node: str, labels: str | None, stack: ExitStack
) -> tuple[Iterator[SideFrame], LabelSet]:
    from panoptic_ros.evaluation.bag_predictor import class_names
    from panoptic_ros.evaluation.difference import SideFrame
    from panoptic_ros.recordings.published import PublishedResults

    results = stack.enter_context(PublishedResults(path, node))
    frames = (
        SideFrame(found.stamp_ns, found.labels, found.ids, found.drivable)
        for found in results.frames()
    )
    return frames, _label_set(class_names(results, None if results.names else labels))


def _label_set(names: list[str]) -> LabelSet:
    """The shipped set that has these names, for its colours; else one without colours."""
    from panoptic_ros.core.classes.label_documents import SHIPPED, shipped_label_set
    from panoptic_ros.core.classes.labels import Label, LabelSet

    for name in SHIPPED:
        known = shipped_label_set(name)
        if [label.name for label in known.labels] == names:
            return known
    grey = [(37 * number % 256,) * 3 for number in range(len(names))]
    labels = (
        Label(number, name, False, False, color)
        for number, (name, color) in enumerate(zip(names, grey, strict=True))
    )
    return LabelSet("of the bag", tuple(labels))


def _computed(
    args: argparse.Namespace, told: str, stack: ExitStack
) -> tuple[Iterator[SideFrame], LabelSet]:
    from panoptic_ros.core.pipeline import Pipeline
    from panoptic_ros.recordings.open import open_source
    from panoptic_ros.recordings.source import Source

    is_file = told.endswith(_PARAMETERS)
    config = taken_parameters(Path(told) if is_file else None, "diff", args.params_node)
    name = engine_name(args, config) if is_file else told
    engine = stack.enter_context(closing(open_graded(name, args.threads, "diff")))
    pipeline = Pipeline(engine, config.pipeline)
    source: Source = stack.enter_context(open_source(args.input, args.topic))
    return _run(pipeline, source), engine.spec.labels


def _run(pipeline: Any, source: Any) -> Iterator[SideFrame]:
    from panoptic_ros.evaluation.difference import SideFrame

    state = pipeline.new_state()
    for recorded in source.frames():
        try:
            result = pipeline.step(recorded.frame, state)
        except FrameError:
            continue  # both sides meet it; what only one refuses is counted as unpaired
        yield SideFrame(
            recorded.frame.stamp_ns,
            result.semantic(),
            result.instance_ids(),
            result.drivable_mask().astype("uint8"),
            sum(result.stages_ms.values()),
            recorded.frame.image,
        )


def _common(a: LabelSet, b: LabelSet) -> LabelSet:
    """The classes of both, which must be the same.

    Raises:
        ConfigError: They are not.
    """
    names = [[label.name for label in labels.labels] for labels in (a, b)]
    if names[0] != names[1]:
        lost = sorted(set(names[0]) ^ set(names[1])) or ["their order"]
        raise ConfigError(
            f"A and B have different classes ({listed(lost)}); score both against truth "
            "with panoptic eval instead"
        )
    return a
