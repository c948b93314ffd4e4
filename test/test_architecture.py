# SPDX-License-Identifier: Apache-2.0
"""What the architecture page says is so: paths exist, folders stay small, links lead somewhere."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "panoptic_ros"
DOCS = ROOT / "docs"
PAGE = (DOCS / "architecture.md").read_text(encoding="utf-8")
MOST_MODULES = 22
LONGEST_PROSE = 120


def rooms() -> list[str]:
    """Folders of the package that hold modules."""
    folders = {path.parent for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"}
    return sorted(f"{folder.relative_to(PACKAGE)}/" for folder in folders if folder != PACKAGE)


def links() -> Iterator[tuple[str, str]]:
    for page in sorted([*DOCS.rglob("*.md"), ROOT / "README.md"]):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                yield str(page.relative_to(ROOT)), target


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:panoptic_ros|config|test)/[^`*]*)`", PAGE)))
)
def test_a_path_of_the_page_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_list_of_modules_is_that_of_their_first_lines() -> None:
    made = runpy.run_path(str(ROOT / ".ci" / "modules_page.py"))["filled"](PAGE)
    assert made == PAGE, "write it again: python .ci/modules_page.py"


@pytest.mark.parametrize("room", rooms())
def test_a_folder_has_its_job_on_the_page(room: str) -> None:
    assert f"`{room}`" in PAGE


@pytest.mark.parametrize("room", rooms())
def test_a_folder_holds_what_one_person_can_keep_in_mind(room: str) -> None:
    modules = [path for path in (PACKAGE / room).glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES


@pytest.mark.parametrize(("page", "target"), sorted(set(links())))
def test_a_link_leads_somewhere(page: str, target: str) -> None:
    assert (ROOT / page).parent.joinpath(target).exists()


def test_every_page_stands_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in DOCS.glob("*.md")} - {"README.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


def prose(page: Path) -> Iterator[str]:
    """Lines of a page but for tables, code and headings."""
    in_code = False
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code and not line.startswith(("|", "    ", "#")):
            yield line


@pytest.mark.parametrize(
    "page", sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"]), ids=str
)
def test_a_line_of_prose_can_be_read_beside_the_code(page: Path) -> None:
    # A line without a space, as a link or a command, cannot be broken.
    assert [
        line for line in prose(page) if len(line) > LONGEST_PROSE and " " in line.strip()
    ] == []
