# SPDX-License-Identifier: Apache-2.0
"""Every target that help or the docs name has a rule; make itself is silent about one without."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("requirements/*.md")])


def rules(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, re.MULTILINE))


def phony(makefile: str) -> set[str]:
    lines = re.findall(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)
    return {name for line in lines for name in line.split()}


def named_in(text: str) -> set[str]:
    """Targets in code: whole lines of blocks, and words between backticks."""
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    spans = re.findall(r"`([^`\n]+)`", text)
    words = (re.match(r"(?:\w+=\S+ )*make ([a-z][a-z-]*)", code) for code in [*lines, *spans])
    return {found.group(1) for found in words if found}


def test_every_phony_target_has_a_rule() -> None:
    assert phony(MAKEFILE) - {"anew"} - rules(MAKEFILE) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_target_that_a_page_names_has_a_rule_and_a_line_of_help(page: Path) -> None:
    named = named_in(page.read_text(encoding="utf-8")) - {"help"}
    helped = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
    assert named - helped == set()


def test_a_target_without_a_rule_is_found() -> None:
    makefile = ".PHONY: demo demo-multi\n\ndemo: venv  ## play\n\tplay\n"
    assert phony(makefile) - rules(makefile) == {"demo-multi"}


def test_targets_are_read_from_blocks_and_words() -> None:
    text = "Run `make test` or\n\n```\nARGS=-x make demo   # plays\n```\nand make sense."
    assert named_in(text) == {"test", "demo"}


def test_what_cannot_be_installed_is_one_line(tmp_path: Path) -> None:
    pip = "echo WARNING: Retrying >&2; echo ERROR: no matching distribution >&2; exit 1"
    script = str(ROOT / "requirements" / "install.sh")
    words = ["sh", script, str(tmp_path / "pip.log"), "sh", "-c", pip, "pip", "numpy==1.2.3"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith("cannot install numpy==1.2.3 (ERROR: no matching distribution). Is")
    assert "Retrying" in (tmp_path / "pip.log").read_text(encoding="utf-8")
