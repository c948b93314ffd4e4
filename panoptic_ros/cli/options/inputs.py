# SPDX-License-Identifier: Apache-2.0
"""Arguments about inputs, engines and parameters that several verbs share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.core.engine_config import EngineConfig
from panoptic_ros.core.node_config import NODE_NAME
from panoptic_ros.core.parameter_file import read_parameters

if TYPE_CHECKING:
    from panoptic_ros.core.camera.camera_config import CameraConfig
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
        "--start", type=float, default=0.0, metavar="S", help="skip the first S seconds"
    )
    parser.add_argument("--duration", type=float, metavar="S", help="process S seconds from there")
    parser.add_argument(
        "--fps",
        type=float,
        help="images per second of a folder (default: 10); overrides a video's own",
    )
    parser.add_argument(
        "--camera-info",
        type=Path,
        metavar="YAML",
        help="calibration of the camera, as panoptic calibrate writes it",
    )


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the engine and the pipeline's parameters."""
    parser.add_argument(
        "--engine",
        help=f"a shipped model's name or an .onnx file (default: that of --params, else "
        f"{DEFAULT_ENGINE})",
    )
    parser.add_argument(
        "--threads", type=int, default=0, help="CPU threads of inference; 0: one per core"
    )
    add_parameter_arguments(parser)


def add_parameter_arguments(parser: argparse._ActionsContainer) -> None:
    """Declare the node's parameter file."""
    parser.add_argument(
        "--params",
        type=Path,
        metavar="YAML",
        help="parameter file of the node: thresholds, and for replay the camera's pose and remap "
        "files",
    )
    parser.add_argument(
        "--params-node",
        default="",
        metavar="NAME",
        help=f"node whose parameters to use, if the file has several {NODE_NAME} nodes",
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
    return CalibratedSource(source, args.camera_info) if args.camera_info else source


def recorded_camera(config: NodeConfig, topic: str) -> CameraConfig:
    """What the parameters say about the camera of a recording.

    Args:
        config: Parameters; where they are about several cameras, the one whose image topic was
            recorded counts, else the first.
        topic: Image topic of the recording, empty where it has none.

    Raises:
        ConfigError: An entry is refused.
    """
    return config.of_cameras.of(recorded_index(config, topic), len(config.cameras))


def recorded_index(config: NodeConfig, topic: str) -> int:
    """Which camera of the parameters a recording is of; see ``recorded_camera``."""
    topics = [name.strip("/") for name in config.image_topics]
    wanted = topic.strip("/")
    return topics.index(wanted) if wanted and wanted in topics else 0


def engine_name(args: argparse.Namespace) -> str:
    """Engine of the command line, else of the parameter file, else the default."""
    return args.engine or read_parameters(args.params, args.params_node).engine.name
