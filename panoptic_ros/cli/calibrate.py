# SPDX-License-Identifier: Apache-2.0
"""``panoptic calibrate``: a camera's calibration file from images of a chessboard."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.options.arguments import above_zero, size
from panoptic_ros.cli.printing.json_file import check_place
from panoptic_ros.cli.printing.outputs import add_out, is_file_name, make_folder, print_written
from panoptic_ros.cli.printing.progress import progress
from panoptic_ros.cli.printing.repeated import tell_repeated
from panoptic_ros.core.errors import ConfigError, DataError, counted, listed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from panoptic_ros.core.ground.calibration import Board, Intrinsics
    from panoptic_ros.recordings.source import Source

DEFAULT_OUT = Path("out/calibrate")
GOOD_ERROR_PX, USABLE_ERROR_PX = 0.5, 1.0
"""Below the first a calibration is good, above the second doubtful."""

ODD = 2.0
"""An image whose error is so many times that of all is named, where it is not good by itself."""

MOST_NAMES = 10
MOST_TRIED = 7
"""Images in which a board of another size is looked for; one alone may show a part of it."""

LEAST_COVERAGE = 0.4
SAMPLES = 3
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
        type=_board,
        required=True,
        metavar="CxR",
        help="inner corners of the board: 9x6 for one of 10x7 squares",
    )
    parser.add_argument(
        "--square",
        type=above_zero,
        required=True,
        metavar="M",
        help="side of a square in metres",
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
    add_out(parser, "camera.yaml and undistorted/*.jpg", DEFAULT_OUT, ".yaml")


def _board(text: str) -> tuple[int, int]:
    """Read the number of inner corners; for argparse."""
    try:
        return size(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of inner corners; write columns x rows, like 9x6"
        ) from error


def run(args: argparse.Namespace) -> int:
    """Find the boards, solve, write; 1 where the result is doubtful or an image was lost."""
    from panoptic_ros.core.ground.calibration import Board, calibrate, coverage
    from panoptic_ros.messages.calibration.camera_yaml import write_camera_yaml

    if args.most < 1:
        raise ConfigError(f"--most is {args.most}, needs at least 1")
    columns, rows = args.board
    board = Board(columns, rows, args.square)
    out = args.out or DEFAULT_OUT
    is_file = is_file_name(out, ".yaml", ".yml")
    path = out if is_file else out / "camera.yaml"
    check_place(path, "--out")
    inputs, lost = _each_once(args.images), list[Path]()
    found, unseen, largest = _views(_images(inputs, args.most, lost), board)
    image_size, odd = _common_size(found)
    used = [(name, corners) for name, of_size, corners in found if of_size == image_size]
    for names, why in ((unseen, "do not show the whole board"), (odd, "are of another size")):
        if names:
            print(f"left out, they {why}: {listed(names, MOST_NAMES)}", file=sys.stderr)
    if not found:
        raise _not_found(args.images, board, len(unseen))
    views = [corners for _, corners in used]
    made = calibrate(views, board, image_size, args.model)
    write_camera_yaml(path, made, args.name)
    _show_errors([name for name, _ in used], made)
    _show_verdict(made, coverage(views, image_size), args.model)
    samples = [] if is_file else _write_samples(out / "undistorted", largest, made)
    print_written([path, *samples])
    return 1 if lost or made.error_px > USABLE_ERROR_PX else 0


def _each_once(inputs: list[Path]) -> list[Path]:
    """Leave out what is named twice, or is in a folder that is named: a view counts once."""
    from panoptic_ros.data.images import IMAGE_SUFFIXES

    every = {path.resolve() for path in inputs}
    kept: dict[Path, Path] = {}
    repeated = []
    for path in inputs:
        place = path.resolve()
        is_inside = place.parent in every and place.suffix.lower() in IMAGE_SUFFIXES
        if is_inside or kept.setdefault(place, path) is not path:
            repeated.append(path)
    tell_repeated("calibrate", "input", repeated)
    return list(kept.values())


def _boards(found: Iterable[tuple[int, int]], tried: int) -> Counter[tuple[int, int]]:
    """Count the sizes of boards; windows of a house or a single image's are no board.

    >>> _boards([(3, 3), (9, 6), (9, 6), (5, 4)], 7)
    Counter({(9, 6): 2})
    """
    wanted = min(2, tried)
    sizes = Counter(size for size in found if max(size) >= 4 and min(size) >= 3)
    return Counter({size: count for size, count in sizes.items() if count >= wanted})


def _not_found(inputs: list[Path], board: Board, searched: int) -> DataError:
    """Say that no image shows the board, and which one they show instead."""
    import cv2
    import numpy as np

    from panoptic_ros.core.ground.calibration import board_size, has_markers

    cure = "count corners where four squares meet, not squares, and keep a white rim"
    tried = [
        np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        for _, rgb in islice(_images(inputs, MOST_TRIED), MOST_TRIED)
    ]
    sizes = _boards(filter(None, map(board_size, tried)), len(tried))
    if any(map(has_markers, tried)):
        cure = (
            "they show a board with markers (ChArUco, AprilTag), which is not read; print a "
            "chessboard without"
        )
    elif set(sizes) - {(board.columns, board.rows), (board.rows, board.columns)}:
        # Of two sizes seen equally often the smaller one is a part of the board.
        columns, rows = max(sizes, key=lambda seen: (sizes[seen], seen))
        cure = f"they show one of {columns}x{rows}: --board {columns}x{rows}"
    return DataError(
        f"found no board of {board.columns}x{board.rows} inner corners in "
        f"{counted(searched, 'image')}; {cure}"
    )


def _show_errors(names: list[str], made: Intrinsics) -> None:
    """Print the error of every image, the largest first."""
    order = sorted(zip(made.errors_px, names, strict=True), reverse=True)
    print("error px  image")
    for error_px, name in order:
        is_odd = error_px > max(ODD * made.error_px, GOOD_ERROR_PX)
        mark = "  <- leave it out?" if is_odd else ""
        print(f"{error_px:8.2f}  {name}{mark}")


def _show_verdict(made: Intrinsics, covered: float, model: str) -> None:
    """Say how good the calibration is, against which limits, and how to better it."""
    width, height = made.size
    good, usable = made.error_px <= GOOD_ERROR_PX, made.error_px <= USABLE_ERROR_PX
    verdict = "good" if good else "usable" if usable else "doubtful"
    print(
        f"{verdict}: {width}x{height}, {counted(len(made.errors_px), 'image')}, root mean square "
        f"error {made.error_px:.2f} px (good up to {GOOD_ERROR_PX:g}, doubtful above "
        f"{USABLE_ERROR_PX:g}); corners in {100 * covered:.0f} % of the image"
    )
    if covered < LEAST_COVERAGE:
        print(
            "large parts of the images show no corner: hold the board in their corners as well, "
            "where distortion is largest",
            file=sys.stderr,
        )
    if not usable:
        fisheye = "" if model == "equidistant" else ", is the lens a fisheye (--model equidistant)"
        print(f"is the board flat, are all images sharp{fisheye}?", file=sys.stderr)


def _write_samples(folder: Path, largest: Largest, made: Intrinsics) -> list[Path]:
    """Write the images of the largest boards without their distortion."""
    from panoptic_ros.core.files.output import write_image
    from panoptic_ros.core.ground.calibration import undistorted

    paths = []
    for _, name, rgb in largest:
        if (rgb.shape[1], rgb.shape[0]) != made.size:
            continue
        path = make_folder(folder) / f"{Path(name).stem}.jpg"
        write_image(path, undistorted(rgb, made)[..., ::-1])
        paths.append(path)
    return paths


Named = Iterator[tuple[str, "NDArray[np.uint8]"]]
Found = tuple[str, tuple[int, int], "NDArray[np.float32]"]
Largest = list[tuple[float, str, "NDArray[np.uint8]"]]
"""Images with the largest boards: area in pixels, name, RGB."""


def _views(images: Named, board: Board) -> tuple[list[Found], list[str], Largest]:
    """Look for the board in every image.

    Returns:
        Name, size and corners of those that show it, names of the others, the largest boards.
    """
    import cv2
    import numpy as np

    from panoptic_ros.core.ground.calibration import find_corners

    found: list[Found] = []
    unseen: list[str] = []
    largest: Largest = []
    for name, rgb in progress(images, None, "searching for the board"):
        gray = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        corners = find_corners(gray, board)
        if corners is None:
            unseen.append(name)
        else:
            found.append((name, (rgb.shape[1], rgb.shape[0]), corners))
            largest.append((cv2.contourArea(cv2.convexHull(corners)), name, rgb))
            largest = _largest(largest)
    return found, unseen, largest


def _largest(found: Largest) -> Largest:
    """Keep the largest boards of each size of images."""
    kept: list[tuple[float, str, NDArray[np.uint8]]] = []
    for one in sorted(found, key=lambda one: -one[0]):
        if sum(other[2].shape == one[2].shape for other in kept) < SAMPLES:
            kept.append(one)
    return kept


def _images(inputs: list[Path], most: int, lost: list[Path] | None = None) -> Named:
    """Read the images of all inputs, of recordings a sample.

    Args:
        inputs: Where they are.
        most: Frames of a recording that are read.
        lost: Is given the inputs of which not all could be read; None for a second look, of which
            nothing is said.
    """
    from panoptic_ros.recordings.folder import FolderSource
    from panoptic_ros.recordings.open import open_source

    for path in inputs:
        with open_source(path) as source:
            stride = (
                1 if isinstance(source, FolderSource) else _stride(source, most, lost is not None)
            )
            for recorded in islice(source.frames(), 0, None, stride):
                yield recorded.name, recorded.frame.image
            if lost is None:
                continue
            if source.read_errors:
                lost.append(path)
            for note in source.read_errors.notes:
                print(f"panoptic calibrate: {note}", file=sys.stderr)


def _stride(source: Source, most: int, is_said: bool) -> int:
    """Of how many frames of a recording one is searched; says so where it is not each."""
    count = source.count if source.count is not None else sum(1 for _ in source.frames())
    stride = max(1, -(-count // most))
    if stride > 1 and is_said:
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
