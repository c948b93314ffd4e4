# SPDX-License-Identifier: Apache-2.0
"""``panoptic report``: one page, tables and a list to look at, of a folder of labelled bags."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.printing.json_file import write_json
from panoptic_ros.cli.printing.outputs import folder_name, print_written
from panoptic_ros.core.errors import DataError, counted

if TYPE_CHECKING:
    from panoptic_ros.fleet.folder import FleetFolder
    from panoptic_ros.fleet.summary import FleetSummary

PAGE, TABLE, PARQUET, TASKS, FIGURES = (
    "fleet.html",
    "bags.csv",
    "bags.parquet",
    "triage.json",
    "fleet.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", metavar="FLEET_DIR", help="what panoptic label wrote to")
    parser.add_argument(
        "--out",
        type=lambda text: Path(folder_name(text)),
        metavar="DIR",
        help=f"where {PAGE}, {TABLE}, {PARQUET} (with pyarrow), {TASKS} and {FIGURES} go "
        "(default: FLEET_DIR)",
    )
    parser.add_argument(
        "--against",
        metavar="FLEET_DIR",
        help="results of another model for the same bags: lists where the two differ most",
    )
    parser.add_argument(
        "--images",
        action="store_true",
        help="write the images of the frames to look at to triage/, out of the bags",
    )


def run(args: argparse.Namespace) -> int:
    """Write the report; 1 where an image or a comparison could not be had.

    Raises:
        DataError: There is no labelled bag, or the folder cannot be written.
    """
    from panoptic_ros.core.files.output import write_text
    from panoptic_ros.fleet.folder import FleetFolder
    from panoptic_ros.fleet.remote import is_remote
    from panoptic_ros.fleet.summary import FleetSummary, to_csv, to_tasks, write_parquet
    from panoptic_ros.report.fleet_page import write_fleet_page

    if args.out is None and is_remote(args.folder):
        raise DataError(f"{args.folder}: is not a folder on this machine; name one with --out")
    out = Path(args.out or args.folder)
    folder, summary = FleetFolder(args.folder, is_read_only=True), FleetSummary()
    problems, links = _read(folder, summary, args.against, out)
    if not summary.rows:
        raise DataError(f"{args.folder}: holds no manifest.json of panoptic label")
    hard, found = summary.hard_frames(), summary.document()
    title = f"Labels in {Path(args.folder).name}"
    write_fleet_page(out / PAGE, title, found, summary.slowest(), hard, links)
    write_json(out / FIGURES, found)
    try:
        write_text(out / TABLE, to_csv(summary.rows))
        write_text(out / TASKS, to_tasks(hard))
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror}); see --out") from error
    written = [PAGE, FIGURES, TABLE, TASKS]
    if importlib.util.find_spec("pyarrow") is not None:
        write_parquet(out / PARQUET, summary.rows)
        written.append(PARQUET)
    if args.images:
        from panoptic_ros.fleet.triage import write_images

        problems += write_images(out / "triage", hard, 20 << 30)
        written.append("triage/*.jpg")
    for problem in problems:
        print(f"panoptic report: {problem}", file=sys.stderr)
    print(f"{counted(len(summary.rows), 'bag')}, {counted(len(hard), 'frame')} to look at")
    print_written(out / name for name in written)
    return 1 if problems else 0


def _read(
    folder: FleetFolder, summary: FleetSummary, against: str | None, out: Path
) -> tuple[list[str], dict[str, str]]:
    """Take all bags in; gives what went wrong, and the pages of single bags."""
    from panoptic_ros.fleet.folder import FleetFolder as Folder
    from panoptic_ros.fleet.triage import add_disagreement

    other = Folder(against, is_read_only=True) if against else None
    problems, links = [], {}
    for report in folder.reports():
        summary.add(report)
        if any(output.name == "report.html" for output in report.outputs):
            page = folder.path(f"{report.id}/report.html")
            here = Path(folder.address).resolve() == out.resolve()
            links[report.id] = f"{report.id}/report.html" if here else page
        if other is None or not report.cameras:
            continue
        try:
            if not add_disagreement(summary, report, folder, other):
                problems.append(f"{report.uri}: has no bag of labels in {against}")
        except (DataError, ValueError) as error:
            problems.append(f"{report.uri}: {error}")
    return problems, links
