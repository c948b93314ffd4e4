# SPDX-License-Identifier: Apache-2.0
"""Write the list of modules in docs/architecture.md from the modules' own first lines.

python .ci/modules_page.py
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "panoptic_ros"
PAGE = ROOT / "docs" / "architecture.md"
START = "## Every module\n"
END = "## What adding something costs\n"


def section() -> str:
    """Make the section: a table per folder, a row per module."""
    parts = [START]
    for folder in sorted({path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE}):
        rows = [row(path) for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
        if rows:
            parts.append(
                f"### `{folder.relative_to(PACKAGE)}/`\n\n| module | why it exists |\n|---|---|"
            )
            parts.append("\n".join(rows) + "\n")
    return "\n".join(parts) + "\n"


def row(path: Path) -> str:
    """Make the row of a module from the first paragraph of its docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    words = " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")
    return f"| `{path.stem}` | {words.removesuffix('.')} |"


def filled(page: str) -> str:
    """Return the page with the section as it should be."""
    before, _, rest = page.partition(START)
    if not rest:
        before, rest = page[: page.index(END)], page
    return before + section() + END + rest[rest.index(END) + len(END) :]


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
