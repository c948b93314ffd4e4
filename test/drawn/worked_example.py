# SPDX-License-Identifier: Apache-2.0
"""The worked examples in the docs, run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from panoptic_ros.messages.topic import Topic

DOCS = Path(__file__).parents[2] / "docs"


def run_example(page: str) -> dict[str, Any]:
    """Run the first Python block of a page and give back what it defines."""
    text = (DOCS / page).read_text(encoding="utf-8")
    block = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert block is not None, f"{page} has no example"
    defined: dict[str, Any] = {}
    exec(compile(block.group(1), page, "exec"), defined)
    return defined


def example_topic() -> Topic:
    """The row that docs/adding-a-topic.md adds."""
    row = run_example("adding-a-topic.md")["ROW"]
    assert isinstance(row, Topic)
    return row
