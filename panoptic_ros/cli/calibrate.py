# SPDX-License-Identifier: Apache-2.0
"""``panoptic calibrate``: a camera's calibration file from images of a chessboard."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.arguments import size
from panoptic_ros.cli.progress import progress
from panoptic_ros.core.errors import ConfigError, DataError, counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from panoptic_ros.core.ground.calibration import Board
    from panoptic_ros.recordings.source import Source

GOOD_ERROR_PX = 1.0
MOST_SEARCHED = 200
"""A search takes longer than a frame, and neighbours of a frame show the board alike."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "images",
        type=Path,
        nargs="+",
        metavar="IMAGES",
        help="images of the board, folders of them, a bag or a video",
    )
    parser.add_argument(
        "--board",
        type=size,
        required=True,
        metavar="CxR",
        help="inner corners of the board: 9x6 for one of 10x7 squares",
    )
    parser.add_argument(
        "--square", type=float, required=True, metavar="M", help="side of a square in metres"
    )
    parser.add_argument(
        "--model",
        choices=("plumb_bob", "equidistant"),
        default="plumb_bob",
        help="equidistant is for fisheye lenses (default: %(default)s)",
    )
    parser.add_argument(
        "--most",
        type=int,
        default=MOST_SEARCHED,
        metavar="N",
        help="frames of a video or bag that are searched, spread evenly (default: %(default)s); "
        "of a folder all are",
    )
    parser.add_argument("--name", default="camera", help="camera_name (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("camera.yaml"), help="default: %(default)s"
    )


def run(args: argparse.Namespace) -> int:
    """Find the boards, solve, write; 1 where the result is doubtful."""
    from panoptic_ros.core.ground.calibration import Board, calibrate
    from panoptic_ros.messages.calibration.camera_yaml import write_camera_yaml

    if args.most < 1:
        raise ConfigError(f"--most is {args.most}, needs at least 1")
    columns, rows = args.board
    board = Board(columns, rows, args.square)
    found, unseen = _views(args.images, board, args.most)
    image_size, odd = _common_size(found)
    views = [corners for _, of_size, corners in found if of_size == image_size]
    for names, why in ((unseen, "do not show the whole board"), (odd, "are of another size")):
        if names:
            print(f"left out, they {why}: {', '.join(names)}", file=sys.stderr)
    if not found:
        raise DataError(
            f"found no board of {board.columns}x{board.rows} inner corners in "
            f"{counted(len(unseen), 'image')}; count corners where four "
            "squares meet, not squares, and keep a white rim"
        )
    made = calibrate(views, board, image_size, args.model)
    write_camera_yaml(args.out, made, args.name)
    print(
        f"{args.out}: {image_size[0]}x{image_size[1]}, {counted(len(views), 'image')}, root mean "
        f"square error {made.error_px:.2f} px"
    )
    if made.error_px > GOOD_ERROR_PX:
        print(
            f"more than {GOOD_ERROR_PX:g} px is much: is the board flat, are all images sharp, "
            "is the lens a fisheye (--model equidistant)?",
            file=sys.stderr,
        )
        return 1
    return 0


Found = tuple[str, tuple[int, int], "NDArray[np.float32]"]


def _views(inputs: list[Path], board: Board, most: int) -> tuple[list[Found], list[str]]:
    """Look for the board in every image; (name, size, corners), and names of the others."""
    import cv2
    import numpy as np

    from panoptic_ros.core.ground.calibration import find_corners

    found: list[Found] = []
    unseen: list[str] = []
    for name, rgb in progress(_images(inputs, most), None, "look for the board"):
        gray = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        corners = find_corners(gray, board)
        if corners is None:
            unseen.append(name)
        else:
            found.append((name, (rgb.shape[1], rgb.shape[0]), corners))
    return found, unseen


def _images(inputs: list[Path], most: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Read the images of all inputs, of recordings a sample."""
    from panoptic_ros.recordings.folder import FolderSource
    from panoptic_ros.recordings.open import open_source

    for path in inputs:
        with open_source(path) as source:
            stride = 1 if isinstance(source, FolderSource) else _stride(source, most)
            for recorded in islice(source.frames(), 0, None, stride):
                yield recorded.name, recorded.frame.image
            for note in source.read_errors.notes:
                print(f"panoptic calibrate: {note}", file=sys.stderr)


def _stride(source: Source, most: int) -> int:
    """Of how many frames of a recording one is searched; says so where it is not each."""
    count = source.count if source.count is not None else sum(1 for _ in source.frames())
    stride = max(1, -(-count // most))
    if stride > 1:
        print(
            f"panoptic calibrate: {source.path.name} has {counted(count, 'frame')}, one in "
            f"{stride} is searched (--most)",
            file=sys.stderr,
        )
    return stride


def _common_size(found: list[Found]) -> tuple[tuple[int, int], list[str]]:
    """The size that most images have, and the names of those that have another."""
    sizes = Counter(of_size for _, of_size, _ in found)
    if not sizes:
        return (0, 0), []
    common = sizes.most_common(1)[0][0]
    return common, [name for name, of_size, _ in found if of_size != common]
