# SPDX-License-Identifier: Apache-2.0
"""Write CHANGELOG.md as the CHANGELOG.rst of REP-132, which bloom reads at a release.

python .ci/changelog_rst.py > CHANGELOG.rst
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TITLE = "Changelog for package panoptic_ros"


def as_rst(markdown: str) -> str:
    """Turn headings, lists and code words into RST; what is not released is Forthcoming."""
    lines = ["^" * len(TITLE), TITLE, "^" * len(TITLE)]
    for line in markdown.splitlines():
        heading = re.fullmatch(r"## (.+)", line)
        if heading:
            lines += section(heading.group(1))
        elif not line.startswith("# "):
            lines.append(inline(re.sub(r"^- ", "* ", line)))
    return "\n".join(lines) + "\n"


def section(heading: str) -> list[str]:
    """Make a section's head from '0.1.0 - 2026-12-31' or '0.1.0 - unreleased'."""
    found = re.fullmatch(r"(\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)", heading)
    title = f"{found.group(1)} ({found.group(2)})" if found else "Forthcoming"
    return [title, "-" * len(title)]


def inline(line: str) -> str:
    """Turn code words and links."""
    line = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line)
    return re.sub(r"\[([^]]+)\]\(([^)]+)\)", r"\1 (\2)", line)


if __name__ == "__main__":
    sys.stdout.write(as_rst((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
