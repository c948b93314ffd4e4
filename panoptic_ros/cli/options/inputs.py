# SPDX-License-Identifier: Apache-2.0
"""Arguments about inputs, engines and parameters that several verbs share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.options.arguments import above_zero, add_threads_argument, not_negative
from panoptic_ros.cli.options.taken_parameters import add_parameter_arguments
from panoptic_ros.core.engine_config import RUNTIMES, EngineConfig

if TYPE_CHECKING:
    from panoptic_ros.core.node_config import NodeConfig
    from panoptic_ros.recordings.source import Source

DEFAULT_ENGINE = EngineConfig.name


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the input and which part of it is wanted."""
    parser.add_argument(
        "input",
        type=Path,
        metavar="INPUT",
        help="ROS 2 bag (folder, .mcap, .db3), ROS 1 bag, video file, image or folder of images; "
        "or a camera: /dev/video0, rtsp://HOST/STREAM",
    )
    parser.add_argument("--topic", default="", help="image topic, if a bag has several")
    parser.add_argument(
        "--start", type=not_negative, default=0.0, metavar="S", help="skip the first S seconds"
    )
    parser.add_argument(
        "--duration", type=above_zero, metavar="S", help="take S seconds from there"
    )
    parser.add_argument(
        "--fps",
        type=above_zero,
        help="images per second of a folder (default: 10); overrides a video's own",
    )


def add_calibration_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the calibration of the camera that recorded the input."""
    parser.add_argument(
        "--camera-info",
        type=Path,
        metavar="YAML",
        help="calibration of the camera, as panoptic calibrate writes it",
    )


def add_engine_arguments(parser: argparse.ArgumentParser, verb: str) -> None:
    """Declare the engine and the pipeline's parameters."""
    parser.add_argument(
        "--engine",
        help=f"a shipped model's name or an .onnx file (default: that of --params, else "
        f"{DEFAULT_ENGINE})",
    )
    add_threads_argument(parser)
    add_parameter_arguments(parser, verb)


def add_runtime_argument(parser: argparse._ActionsContainer) -> None:
    """Declare what runs the engine: with ``auto`` that depends on the machine."""
    parser.add_argument(
        "--runtime",
        choices=RUNTIMES,
        default=EngineConfig.runtime,
        help="what runs the model (default: %(default)s)",
    )


def source_of(args: argparse.Namespace) -> Source:
    """Open the input.

    Raises:
        ConfigError: A number makes no sense.
        DataError: The input cannot be read.
    """
    from panoptic_ros.recordings.open import open_source
    from panoptic_ros.recordings.source import CalibratedSource, TimeRange

    source = open_source(args.input, args.topic, TimeRange(args.start, args.duration), args.fps)
    calibration = getattr(args, "camera_info", None)
    return CalibratedSource(source, calibration) if calibration else source


def engine_name(args: argparse.Namespace, config: NodeConfig) -> str:
    """Engine of the command line, else of the parameters, else the default."""
    return args.engine or config.engine.name
