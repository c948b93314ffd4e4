# SPDX-License-Identifier: Apache-2.0
"""docs/reference/verbs.md says what the verbs declare."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from panoptic_ros.cli.main import VERBS

ROOT = Path(__file__).parents[1]


def test_the_page_of_the_verbs_is_what_they_declare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    made = runpy.run_path(str(ROOT / ".ci" / "verbs_page.py"))["page"]()
    assert (ROOT / "docs" / "reference" / "verbs.md").read_text("utf-8") == made, (
        "write it again: PYTHONPATH=. python .ci/verbs_page.py"
    )
    assert all(f"## panoptic {verb}\n" in made for verb in VERBS)
