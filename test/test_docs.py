# SPDX-License-Identifier: Apache-2.0
"""The pages of the site: the index names what is there, links and images lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import panoptic_ros

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("engines/*.md")])
INDEX = (DOCS / "index.md").read_text(encoding="utf-8")


def named_pages(index: str) -> list[str]:
    """Pages of the index's trees; ``Title <page>`` names one as well."""
    trees = re.findall(r"```\{toctree\}\n(.*?)```", index, re.DOTALL)
    lines = [line.strip() for tree in trees for line in tree.splitlines()]
    names = [line for line in lines if line and not line.startswith(":")]
    return [re.sub(r".*<(.+)>$", r"\1", name) for name in names if name != "REST_OF_THE_PAGES"]


def targets(text: str) -> list[str]:
    """Links and images that lead to files, without those in code."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    found = re.findall(r"\[[^\]]*\]\(<?([^)>\s]+)>?\)", text)
    return [name for name in found if "://" not in name and not name.startswith("#")]


def test_every_page_of_the_index_is_there_once() -> None:
    names = named_pages(INDEX)
    assert [name for name in names if not (DOCS / f"{name}.md").is_file()] == []
    assert len(set(names)) == len(names)


def test_pages_that_nobody_placed_have_their_place() -> None:
    # docs/conf.py puts them there.
    assert INDEX.count("REST_OF_THE_PAGES") == 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_images_lead_somewhere(page: Path) -> None:
    names = targets(page.read_text(encoding="utf-8"))
    assert [n for n in names if not (page.parent / n.partition("#")[0]).exists()] == []


def test_every_public_name_is_in_the_reference() -> None:
    text = (DOCS / "reference" / "api.md").read_text(encoding="utf-8")
    shown = set(re.findall(r":: panoptic_ros\.(\w+)$", text, re.MULTILINE)) | {"PanopticError"}
    assert set(panoptic_ros.__all__) == shown


def test_what_is_read_as_a_link() -> None:
    text = "[a](x.md#b) ![c](d.png) `[e](f)` [g](https://h) [i](#j)\n```\n[k](l)\n```\n"
    assert targets(text) == ["x.md#b", "d.png"]
    assert named_pages("```{toctree}\n:hidden:\n\na\nB <c/d>\nREST_OF_THE_PAGES\n```") == [
        "a",
        "c/d",
    ]
