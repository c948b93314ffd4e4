# SPDX-License-Identifier: Apache-2.0
"""Put the built site beside those of earlier releases, so that its pages offer them all.

make docs && python .ci/publish_docs.py SITE

SITE is a folder that any web server hands out: SITE/0.1.0/, SITE/0.2.0/, ..., versions.js, which
the pages read, and index.html, which leads to the newest release.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_VERSION = re.compile(r"\d+\.\d+\.\d+")


def publish(built: Path, site: Path, version: str) -> list[str]:
    """Copy a built site into the folder of all; one of the same version is replaced.

    Args:
        built: What ``make docs`` wrote.
        site: The folder of all releases; made where it is missing.
        version: Of the built site.

    Returns:
        All versions there, the newest first.

    Raises:
        SystemExit: Nothing was built.
    """
    if not (built / "index.html").exists():
        raise SystemExit(f"{built}: holds no site; run: make docs")
    target = site / version
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(built, target, ignore=shutil.ignore_patterns(".doctrees", ".buildinfo"))
    found = [path.name for path in site.iterdir() if _VERSION.fullmatch(path.name)]
    versions = sorted(
        found, key=lambda name: [int(part) for part in name.split(".")], reverse=True
    )
    (site / "versions.js").write_text(f"window.PANOPTIC_VERSIONS = {json.dumps(versions)};\n")
    newest = f'<meta http-equiv="refresh" content="0; url={versions[0]}/index.html">'
    (site / "index.html").write_text(f"<!doctype html><title>panoptic_ros</title>{newest}\n")
    return versions


def package_version() -> str:
    """Read the version where releases write it."""
    text = (ROOT / "package.xml").read_text(encoding="utf-8")
    return text.partition("<version>")[2].partition("</version>")[0]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    publish(ROOT / "out" / "docs", Path(sys.argv[1]), package_version())
