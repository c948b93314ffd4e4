# SPDX-License-Identifier: Apache-2.0
"""Write docs/reference/verbs.md from what the verbs of ``panoptic`` declare.

PYTHONPATH=. python .ci/verbs_page.py
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from panoptic_ros.cli.main import VERBS, _parser

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "verbs.md"
HEAD = """# Verbs

Every verb of `panoptic` with its arguments, as `panoptic VERB --help` prints them. Exit status:
0 done, 1 done with findings, 2 a mistake of the user's or an input that cannot be read, 130 when
stopped with Ctrl-C, 143 with SIGTERM (`play`, `record` and `watch`: 0).
"""


def page() -> str:
    """Make the page: a section per verb, a row per argument."""
    return "\n".join([HEAD, *(section(verb) for verb in sorted(VERBS))])


def section(verb: str) -> str:
    """Make the section of a verb."""
    summary = VERBS[verb]
    head = f"## panoptic {verb}\n\n{summary[0].upper()}{summary[1:]}.\n\n"
    head += "| argument | meaning |\n|---|---|\n"
    return head + "".join(f"| {words} | {told} |\n" for words, told in rows(parser_of(verb)))


def parser_of(verb: str) -> argparse.ArgumentParser:
    """Give the parser of one verb."""
    (choices,) = (
        action.choices
        for action in _parser(verb)._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    parser: argparse.ArgumentParser = choices[verb]
    return parser


def rows(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Yield each argument and what it means."""
    formatter = parser._get_formatter()
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        names = [f"`{name}`" for name in action.option_strings]
        value = formatter._format_args(action, formatter._get_default_metavar_for_optional(action))
        if not names:
            names = [f"`{action.metavar or action.dest}`"]
        elif value:
            names = [f"{name[:-1]} {value}`" for name in names]
        told = formatter._expand_help(action) if action.help else ""
        needed = "; required" if action.required and action.option_strings else ""
        yield escaped(", ".join(names)), escaped(told + needed)


def escaped(text: str) -> str:
    """Keep a text from ending its cell."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
