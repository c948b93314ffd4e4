# SPDX-License-Identifier: Apache-2.0
"""Arguments about inputs, engines and parameters that several verbs share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panoptic_ros.core.config import PipelineConfig, parameters, with_value
from panoptic_ros.core.engine_config import EngineConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.document import DocumentError, read_yaml

if TYPE_CHECKING:
    from panoptic_ros.recordings.source import Source

DEFAULT_ENGINE = EngineConfig.name


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the input and which part of it is wanted."""
    parser.add_argument(
        "input",
        type=Path,
        metavar="INPUT",
        help="ROS 2 bag (folder, .mcap, .db3), ROS 1 bag, video file, image or folder of images",
    )
    parser.add_argument("--topic", default="", help="image topic, where a bag has several")
    parser.add_argument(
        "--start", type=float, default=0.0, metavar="S", help="seconds to leave out at the start"
    )
    parser.add_argument("--duration", type=float, metavar="S", help="seconds to take from there")
    parser.add_argument(
        "--fps",
        type=float,
        help="images per second of a folder (default: 10); overrides a video's clock",
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
        help=f"a shipped model's name or an .onnx file (default: {DEFAULT_ENGINE}, or what "
        "--params says)",
    )
    parser.add_argument("--threads", type=int, default=0, help="of inference; 0: one per core")
    parser.add_argument(
        "--params", type=Path, metavar="YAML", help="parameter file of the node; thresholds count"
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


def engine_name(args: argparse.Namespace) -> str:
    """Engine of the command line, else of the parameter file, else the default."""
    if args.engine:
        return str(args.engine)
    return str(_node_parameters(args.params).get("engine") or DEFAULT_ENGINE)


def pipeline_config(path: Path | None) -> PipelineConfig:
    """Read the thresholds out of a node's parameter file; what else it says is not for us.

    Raises:
        ConfigError: The file is missing or no parameter file, or a value is refused.
    """
    config = PipelineConfig()
    known = {entry.name for entry in parameters(config)}
    for name, value in _node_parameters(path).items():
        if name in known:
            # YAML has lists where parameters are tuples.
            told = tuple(value) if isinstance(value, list) else value
            config = with_value(config, name, told)
    return config


def _node_parameters(path: Path | None) -> dict[str, Any]:
    """All parameters of a file by dotted name; later nodes win."""
    if path is None:
        return {}
    try:
        document = read_yaml(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except DocumentError as error:
        raise ConfigError(f"{path}: is not YAML ({error})") from error
    nodes = document.values() if isinstance(document, dict) else ()
    told = (node.get("ros__parameters") for node in nodes if isinstance(node, dict))
    blocks = [block for block in told if isinstance(block, dict)]
    if not blocks:
        raise ConfigError(f"{path}: has no 'ros__parameters' below a node's name")
    return dict(pair for block in blocks for pair in _flat(block, ""))


def _flat(block: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in block.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + str(name), value
