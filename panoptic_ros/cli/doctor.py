# SPDX-License-Identifier: Apache-2.0
"""``panoptic doctor``: what is here, what will therefore run, how to get what is missing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from panoptic_ros.core.errors import PanopticError

if TYPE_CHECKING:
    from panoptic_ros.cli.diagnosis.check import Check
    from panoptic_ros.cli.diagnosis.environment import Environment

IMAGES = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--no-transport-check",
        "--no-exchange",
        action="store_true",
        help="skip sending images between two processes, which takes some seconds",
    )


def run(args: argparse.Namespace) -> int:
    """Print the diagnosis; 1 where something stops the node or loses its images."""
    from panoptic_ros.cli.diagnosis.check import FINDING
    from panoptic_ros.cli.diagnosis.checks import diagnose, verdicts
    from panoptic_ros.cli.diagnosis.environment import gather

    here = gather()
    if not args.no_transport_check and here.modules["rclpy"].is_usable:
        here = with_transport_check(here)
    lines = diagnose(here)
    _show("what is here", lines)
    _show("what will run", verdicts(here))
    return 1 if any(line.state == FINDING for line in lines) else 0


def with_transport_check(here: Environment, images: int = IMAGES) -> Environment:
    """Send images between two processes as this shell is; where they get lost, with our profile.

    Args:
        here: What is known.
        images: How many to send.
    """
    from panoptic_ros.ros.transport.check import check_transport

    try:
        here = replace(here, transport=check_transport(images, use_profile=False))
        if here.transport and not here.transport.is_good and not here.transport.has_profile:
            here = replace(here, cured=check_transport(images))
    except PanopticError as error:
        return replace(here, transport_error=str(error))
    return here


def _show(title: str, lines: Sequence[Check]) -> None:
    try:
        _show_colored(title, lines)
    except ImportError:
        _show_plain(title, lines)


def _show_colored(title: str, lines: Sequence[Check]) -> None:
    """Print lines that the terminal alone wraps, so that what is copied has no break in it."""
    from rich.console import Console
    from rich.text import Text

    colors = {"ok": "green", "note": "yellow", "finding": "red"}
    console = Console(highlight=False)
    console.print(Text(f"{title}:", "bold"))
    for line in lines:
        # Text, because brackets in a path or message must not be taken for markup.
        state = Text(f"  {line.state:<7} ", colors[line.state])
        console.print(state + Text(f"{line.what}: ", "bold") + Text(line.found), soft_wrap=True)
        if line.remedy:
            console.print(Text(f"          -> {line.remedy}"), soft_wrap=True)


def _show_plain(title: str, lines: Sequence[Check]) -> None:
    print(f"{title}:")
    for line in lines:
        remedy = f" -> {line.remedy}" if line.remedy else ""
        print(f"  {line.state:<7} {line.what}: {line.found}{remedy}")
