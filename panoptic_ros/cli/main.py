# SPDX-License-Identifier: Apache-2.0
"""``panoptic``: one command, one verb per file; a verb's imports happen when it is asked for."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

TYPE_CHECKING = False  # importing typing would double the time in which Ctrl-C is not caught
if TYPE_CHECKING:
    import argparse
    from types import FrameType

VERBS = {
    "info": "describe a model file: classes, size, licence, check sum, available runtimes",
    "doctor": "report what is installed, what will run, and how to install what is missing",
    "replay": "run the pipeline over a bag, a video or a folder and write a bag and a report",
    "play": "publish a bag, a video or a folder as camera topics",
    "record": "record what the running node publishes, for machines without ros2 bag",
    "watch": "show the running node in a browser: overlay, figures, topics",
    "label": "label bags by the thousand, with any number of workers; can be resumed",
    "report": "summarise a folder of labelled bags: page, tables, frames worth a look",
    "predict": "write label files for evaluation or as pre-annotation",
    "eval": "score a model or predictions against a labelled data set",
    "diff": "compare the results of two models, parameter files or versions",
    "bench": "measure the time of every stage",
    "demo": "play real driving video through the node and report what it published",
    "split-crowds": "split the crowds of a COCO panoptic data set into objects, for training",
    "train": "train the network on a COCO panoptic folder",
    "export": "write a checkpoint as a self-describing ONNX file",
    "adopt": "convert any semantic segmentation ONNX so that the node can run it",
    "calibrate": "write a camera's calibration file from images of a chessboard",
    "ego-mask": "find the ego vehicle in a recording and write its mask",
    "build": "build and check a TensorRT plan from an ONNX file or a recipe",
}
"""Each verb is ``panoptic_ros.cli.<verb>``, ``_`` for ``-``, with ``add_arguments(parser)`` and
``run(args)``."""


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of errors that say that a file cannot grow."""
_UNENDING = ("play", "record", "watch")
"""Verbs whose usual end is Ctrl-C."""
_STOPPED = 130
"""Exit status after Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns:
        Exit status: 0 done, 1 done with findings (``doctor``), 2 a user's mistake, 130 stopped by
        Ctrl-C, 143 by SIGTERM.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    _print_any_name()
    with _quiet_interrupt():
        from panoptic_ros.core.allocation import keep_freed_memory
        from panoptic_ros.core.errors import PanopticError

        keep_freed_memory()
        parser = _parser(words[0] if words and words[0] in VERBS else None)
        if not words:
            parser.print_help(sys.stderr)
            return 2
        if words[0] not in VERBS and not words[0].startswith("-"):
            from panoptic_ros.core.files.document import nearest

            parser.error(f"there is no verb {words[0]!r}{nearest(words[0], VERBS)}")
        args = _parsed(parser, words)
    args.words = words
    interrupts: list[int] = []
    try:
        with _noted(interrupts, args.verb), _full_disk_told(args.verb):
            status = int(args.run(args))
    except PanopticError as error:
        print(f"panoptic {args.verb}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        status = _STOPPED
    except ImportError:
        if not interrupts:
            raise
        status = _STOPPED
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    return _status_of(interrupts) if status == _STOPPED else status


def _print_any_name() -> None:
    """Let stdout escape what its encoding lacks, as stderr does: a file may have any name."""
    if getattr(sys.stdout, "errors", "") == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


@contextmanager
def _full_disk_told(verb: str) -> Iterator[None]:
    """End with one line where a disk is full, as that of a file to which the output goes.

    Raises:
        SystemExit: So it is.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in _FULL:
            raise
        what = error.filename or "a file, or what is printed,"
        print(f"panoptic {verb}: {what} cannot be written ({error.strerror})", file=sys.stderr)
        # Python would try again at its end, and complain.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        raise SystemExit(2) from None


def _status_of(interrupts: list[int]) -> int:
    """Exit status of a verb that was stopped, as shells count it: 128 and the signal."""
    return 128 + interrupts[0] if interrupts else _STOPPED


@contextmanager
def _quiet_interrupt() -> Iterator[None]:
    """Let Ctrl-C end the process without a traceback until a verb begins.

    An extension module that is interrupted while it is imported may raise anything.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _noted(interrupts: list[int], verb: str) -> Iterator[None]:
    """Note every Ctrl-C and SIGTERM, and let both end a verb as an exception that it can clean up.

    A shell script starts what runs in the background with SIGINT ignored. That stays so, but for
    verbs that end no other way. What a verb imports late may turn a KeyboardInterrupt into an
    error of its own. A process that was forked from this one ends by SIGTERM as usual.
    """
    owner = os.getpid()
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}

    def note(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGTERM and os.getpid() != owner:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTERM)
        interrupts.append(number)
        signal.default_int_handler(number, frame)

    ours = {n: handler for n, handler in usual.items() if signal.getsignal(n) is handler}
    if verb in _UNENDING and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        ours[signal.SIGINT] = signal.SIG_IGN
    for number in ours:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in ours.items():
            if signal.getsignal(number) is note:
                signal.signal(number, handler)


def module_name(verb: str) -> str:
    """Name of a verb's module in this folder."""
    return verb.replace("-", "_")


def _parsed(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """Parse a verb's words; its options may stand between its files.

    Raises:
        SystemExit: There is an option that the verb does not have; the nearest is named.
    """
    import argparse

    args, unknown = parser.parse_known_args(words)
    if not unknown:
        return args
    if words[0] != args.verb:
        parser.error(f"unrecognized arguments: {words[0]}; the verb comes first")
    # argparse takes files behind an option for unknown where a verb can do with fewer.
    verbs = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    below: argparse.ArgumentParser = next(verbs).choices[words[0]]
    args, unknown = below.parse_known_intermixed_args(words[1:])
    if unknown:
        from panoptic_ros.core.files.document import nearest

        options = [name for name in below._option_string_actions if name.startswith("--")]
        wrong = next((word for word in unknown if word.startswith("-")), "")
        near = nearest(wrong.partition("=")[0], options) if wrong else ""
        below.error(f"unrecognized arguments: {' '.join(unknown)}{near}")
    args.verb = words[0]
    return args


def _parser(wanted: str | None) -> argparse.ArgumentParser:
    """Build the parser; only the wanted verb is imported."""
    import argparse
    import importlib

    from panoptic_ros import __version__

    parser = argparse.ArgumentParser(
        prog="panoptic", description="Panoptic perception for ROS 2 cameras."
    )
    parser.add_argument("--version", action="version", version=f"panoptic_ros {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, summary in VERBS.items():
        below = verbs.add_parser(verb, help=summary, description=summary)
        if verb == wanted:
            module = importlib.import_module(f"panoptic_ros.cli.{module_name(verb)}")
            module.add_arguments(below)
            below.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
