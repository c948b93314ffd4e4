# SPDX-License-Identifier: Apache-2.0
"""``panoptic play``: publish a recorded input as a camera, for machines without ``ros2 bag``."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from panoptic_ros.cli.options.arguments import not_negative
from panoptic_ros.cli.options.inputs import (
    add_calibration_argument,
    add_input_arguments,
    source_of,
)
from panoptic_ros.core.errors import ConfigError, counted

if TYPE_CHECKING:
    from panoptic_ros.recordings.source import Source
    from panoptic_ros.ros.playback.player import Player

DEFAULT_TOPIC = "/camera/image_raw"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_input_arguments(parser)
    add_calibration_argument(parser)
    parser.add_argument(
        "--to",
        metavar="TOPIC",
        help=f"topic to publish (default: the bag's own, else {DEFAULT_TOPIC})",
    )
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument(
        "--rate",
        type=float,
        default=1.0,
        help="playback speed; 2 is twice as fast (default: %(default)s)",
    )
    pace.add_argument("--fast", action="store_true", help="publish as fast as possible")
    parser.add_argument("--loop", action="store_true", help="start over at the end")
    parser.add_argument("--compressed", action="store_true", help="publish CompressedImage (JPEG)")
    parser.add_argument(
        "--now",
        action="store_true",
        help="stamp with the present time and publish no /clock, as a live camera would; so it is "
        "where INPUT is a camera (/dev/video0, rtsp://HOST/STREAM)",
    )
    parser.add_argument(
        "--frame-id",
        default="",
        metavar="NAME",
        help="optical frame in the headers (default: the input's own, else camera)",
    )
    parser.add_argument(
        "--wait",
        type=not_negative,
        default=0.0,
        metavar="S",
        help="wait this long for a subscriber before the first image",
    )


def run(args: argparse.Namespace) -> int:
    """Play until the end; 1 where something could not be read."""
    if not 0 < args.rate <= 1000:
        raise ConfigError(f"--rate is {args.rate:g}, needs a number above 0, 1000 at most")
    with ExitStack() as stack:
        source = stack.enter_context(source_of(args))
        from panoptic_ros.core.node_config import without_transport
        from panoptic_ros.ros.playback.player import Player, PlayOptions

        options = PlayOptions(
            topic=args.to or without_transport(source.topic) or DEFAULT_TOPIC,
            rate=0.0 if args.fast else args.rate,
            is_looping=args.loop,
            is_compressed=args.compressed,
            is_live=args.now or source.is_live,
            wait_s=args.wait,
            frame_id=args.frame_id,
        )
        player = stack.enter_context(Player(options))
        sent = _played(player, source)
    for note in source.read_errors.notes:
        print(f"panoptic play: {note}", file=sys.stderr)
    print(f"{counted(sent, 'image')} published on {player.topic}")
    if sent and not player.had_listener:
        print(f"panoptic play: nobody subscribed to {player.topic}", file=sys.stderr)
    return 1 if source.read_errors else 0


def _played(player: Player, source: Source) -> int:
    """Play, until the end or Ctrl-C, by which a player ends as it should; counts the images."""
    try:
        return player.play(source)
    except KeyboardInterrupt:
        return len(player.sent_stamps_ns)
