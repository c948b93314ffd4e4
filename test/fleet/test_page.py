# SPDX-License-Identifier: Apache-2.0
"""docs/fleet.md shows commands that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from panoptic_ros.cli.main import _parser

PAGE = (Path(__file__).parents[2] / "docs" / "fleet.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^panoptic .*", PAGE, re.MULTILINE)


def test_the_page_has_commands() -> None:
    assert {command.split()[1] for command in COMMANDS} == {"label", "diff", "report", "eval"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_is_understood(command: str) -> None:
    words = shlex.split(command)[1:]
    assert _parser(words[0]).parse_args(words).verb == words[0]
