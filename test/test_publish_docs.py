# SPDX-License-Identifier: Apache-2.0
"""Releases of the site lie beside each other, and each page can offer the others."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / ".ci" / "publish_docs.py"
TEMPLATE = ROOT / "docs" / "_templates" / "sidebar" / "versions.html"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    if not SCRIPT.exists():
        pytest.skip(".ci is not part of an installed package")
    spec = spec_from_file_location("publish_docs", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built(folder: Path, words: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_text(words)
    return folder


def test_releases_lie_side_by_side_and_the_newest_comes_first(
    script: ModuleType, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    for version in ("0.9.0", "0.10.0", "0.2.0"):
        found = script.publish(built(tmp_path / "docs", version), site, version)
    assert found == ["0.10.0", "0.9.0", "0.2.0"]
    assert (site / "0.9.0" / "index.html").read_text() == "0.9.0"
    listed = (site / "versions.js").read_text()
    assert listed == 'window.PANOPTIC_VERSIONS = ["0.10.0", "0.9.0", "0.2.0"];\n'
    assert "url=0.10.0/index.html" in (site / "index.html").read_text()


def test_a_release_that_is_published_again_replaces_the_old_one(
    script: ModuleType, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    docs = built(tmp_path / "docs", "first")
    (docs / "gone.html").write_text("old")
    script.publish(docs, site, "0.1.0")
    (docs / "gone.html").unlink()
    script.publish(built(docs, "second"), site, "0.1.0")
    assert [path.name for path in (site / "0.1.0").iterdir()] == ["index.html"]


def test_nothing_built_is_one_line(script: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="holds no site; run: make docs"):
        script.publish(tmp_path, tmp_path / "site", "0.1.0")


def test_pages_read_the_list_that_is_written() -> None:
    words = TEMPLATE.read_text(encoding="utf-8")
    assert "../versions.js" in words
    assert "window.PANOPTIC_VERSIONS" in words
