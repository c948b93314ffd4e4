# SPDX-License-Identifier: Apache-2.0
"""``panoptic ego-mask``: find the ego vehicle in a recording, for the parameter ``ego_mask``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.options.inputs import add_input_arguments, source_of
from panoptic_ros.cli.printing.json_file import check_place
from panoptic_ros.cli.printing.outputs import print_written
from panoptic_ros.cli.printing.progress import progress
from panoptic_ros.core.errors import ConfigError, DataError, FrameError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from panoptic_ros.core.camera.ego_finder import EgoFinder, EgoFinding
    from panoptic_ros.recordings.source import Source

_WANTED_IMAGES = 100
_STEP_UNKNOWN = 5
_COLOR = (255, 0, 160)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_input_arguments(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE.png",
        help="the mask; an image with it drawn in is written beside it",
    )


def run(args: argparse.Namespace) -> int:
    """Find the ego vehicle and write its mask.

    Raises:
        ConfigError: ``--out`` is no PNG.
        DataError: There is none to be seen, or the files cannot be written.
    """
    from panoptic_ros.core.camera.ego_finder import EgoFinder

    if args.out.suffix.lower() != ".png":
        raise ConfigError(f"--out {args.out} must be a .png, which loses nothing")
    if not args.out.parent.is_dir():
        raise DataError(f"{args.out}: cannot be written (there is no folder {args.out.parent})")
    check_place(args.out, "--out")
    finder = EgoFinder()
    with source_of(args) as source:
        shown = _look(source, finder)
    found = finder.find()
    drawn = args.out.with_name(f"{args.out.stem}-shown.jpg")
    _write(args.out, found.mask)
    _write(drawn, _drawn(shown, found)[..., ::-1])
    share = float((found.mask > 0).mean())
    print(f"the ego vehicle covers {share:.1%} of the image, its edge stays by {found.stay:.2f}")
    print_written((args.out, drawn))
    print(f"use it with: ego_mask: [{str(args.out.resolve())!r}]")
    return 0


def _look(source: Source, finder: EgoFinder) -> NDArray[np.uint8]:
    """Look at images from the whole length of a recording; returns the last of them.

    Raises:
        DataError: There is no image.
    """
    step = max(1, source.count // _WANTED_IMAGES) if source.count else _STEP_UNKNOWN
    image = None
    for number, recorded in enumerate(progress(source.frames(), source.count, "ego-mask")):
        if number % step:
            continue
        try:
            finder.add(recorded.frame.image)
            image = recorded.frame.image
        except FrameError as error:
            source.read_errors.skip(f"image {recorded.name}: {error}")
    if image is None:
        raise source.nothing_found(-1.0)
    return image


def _drawn(image: NDArray[np.uint8], found: EgoFinding) -> NDArray[np.uint8]:
    import cv2
    import numpy as np

    canvas: NDArray[np.uint8] = np.ascontiguousarray(image).copy()
    canvas[found.mask > 0] = canvas[found.mask > 0] // 2 + np.array(_COLOR, np.uint8) // 2
    contours, _ = cv2.findContours(found.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, contours, -1, _COLOR, 2)
    return canvas


def _write(path: Path, image: NDArray[np.uint8]) -> None:
    from panoptic_ros.core.files.output import write_image

    write_image(path, image)
