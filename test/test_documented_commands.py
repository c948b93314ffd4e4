# SPDX-License-Identifier: Apache-2.0
"""Every command that a page shows is one that the verbs take."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from panoptic_ros.cli.main import VERBS, _parser

ROOT = Path(__file__).parents[1]
TUTORIAL = "adding-a-format.md"
"""Its command names the format that the reader writes."""

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "engines/street.md"]


def lines_of(text: str) -> Iterator[str]:
    """Commands in code blocks, fenced or indented."""
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    blocks = re.findall(r"^```\w*\n(.*?)^```", joined, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"^    (\S.*)$", joined, re.MULTILINE)
    return (line.strip() for line in lines if _is_command(line) and "..." not in line)


def spans_of(text: str) -> Iterator[str]:
    """Commands between backticks; what must be given besides may be left out there."""
    spans = re.findall(r"`(panoptic [^`]+)`", text.replace("\n", " "))
    return (span for span in spans if _is_command(span))


def _is_command(line: str) -> bool:
    found = re.match(r"\s*panoptic ([a-z-]+)\b", line)
    return found is not None and found.group(1) in VERBS


def shown(read: Any) -> list[tuple[str, str]]:
    """Name of the page and command, of all pages."""
    pairs = {(page.name, line) for page in PAGES for line in read(page.read_text("utf-8"))}
    return sorted(pairs)


@cache
def parser_of(verb: str) -> argparse.ArgumentParser:
    return _parser(verb)


def options_of(verb: str) -> set[str]:
    (verbs,) = (
        action.choices
        for action in parser_of(verb)._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return set(verbs[verb]._option_string_actions)


@pytest.mark.parametrize(("page", "line"), [one for one in shown(lines_of) if one[0] != TUTORIAL])
def test_a_command_of_a_page_is_taken(page: str, line: str) -> None:
    words = shlex.split(line.replace("|", " "), comments=True)[1:]
    parser_of(words[0]).parse_args(words)


@pytest.mark.parametrize(("page", "span"), shown(spans_of))
def test_the_options_of_a_command_in_the_text_exist(page: str, span: str) -> None:
    verb = span.split()[1]
    assert set(re.findall(r"(?<!\S)--[a-z-]+", span)) - options_of(verb) == set()


def test_commands_are_read_from_blocks_and_words() -> None:
    text = "Run `panoptic info a.onnx`:\n\n```\npanoptic replay a \\\n  --out b  # so\nls\n```\n"
    assert list(lines_of(text)) == ["panoptic replay a --out b  # so"]
    assert list(spans_of(text)) == ["panoptic info a.onnx"]
