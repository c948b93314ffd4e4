# SPDX-License-Identifier: Apache-2.0
"""How Sphinx makes the site; ``make docs`` runs it, with warnings as errors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

import panoptic_ros

HERE = Path(__file__).parent
ROOT = HERE.parent

project = "panoptic_ros"
author = copyright = "The panoptic_ros authors"
version = release = panoptic_ros.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# README.md is the index on the forge, index.md is the site's.
exclude_patterns = ["README.md"]
suppress_warnings = ["myst.header"]

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"panoptic_ros {release}"
html_static_path: list[str] = []
templates_path = ["_templates"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/versions.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_show_sourcelink = False
copybutton_exclude = ".linenos, .gp, .go"
pygments_style = "friendly"
pygments_dark_style = "monokai"


def pages_in_no_tree(index: str) -> list[str]:
    """List the pages that the index does not name, so that none is lost."""
    trees = re.findall(r"```\{toctree\}\n(.*?)```", index, re.DOTALL)
    named = {"decisions", *(f"decisions/{path.stem}" for path in HERE.glob("decisions/*.md"))}
    named |= {line.strip() for tree in trees for line in tree.splitlines()}
    named |= {re.sub(r"^.*<(.+)>$", r"\1", name) for name in named}
    pages = sorted(path.relative_to(HERE).with_suffix("") for path in HERE.rglob("*.md"))
    names = [str(page) for page in pages]
    return [name for name in names if name not in named and name not in ("index", "README")]


def complete_index(app: Sphinx, name: str, source: list[str]) -> None:
    """Add to the index what it does not name."""
    if name == "index":
        source[0] = source[0].replace("REST_OF_THE_PAGES", "\n".join(pages_in_no_tree(source[0])))


def link_to_the_source(app: Sphinx, name: str, source: list[str]) -> None:
    """Turn links that leave docs/ into code words: the site holds the docs only."""
    folder = (HERE / name).parent

    def turned(found: re.Match[str]) -> str:
        text, target = found.groups()
        path = (folder / target.partition("#")[0]).resolve()
        if "://" in target or not target or target.startswith("#") or HERE in path.parents:
            return found.group()
        if not path.exists():
            raise ValueError(f"docs/{name}.md links to {target}, which does not exist")
        return f"{text} (`{path.relative_to(ROOT)}` in the repository)"

    source[0] = re.sub(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)", turned, source[0])


def as_console(app: Sphinx, document: nodes.document) -> None:
    """Colour indented blocks as a shell's; Sphinx would take them for Python."""
    for block in document.findall(nodes.literal_block):
        if block.get("language") in (None, "default", "none"):
            block["language"] = "text"


def setup(app: Sphinx) -> dict[str, Any]:
    """Hook into the build."""
    app.connect("source-read", complete_index)
    app.connect("source-read", link_to_the_source)
    app.connect("doctree-read", as_console)
    return {"parallel_read_safe": True}
