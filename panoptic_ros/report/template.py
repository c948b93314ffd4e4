# SPDX-License-Identifier: Apache-2.0
"""Fill a page's template and write it; a page needs no other file and no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import ConfigError, DataError, counted
from panoptic_ros.core.files import output


def filled(template: str, content: dict[str, Any]) -> str:
    """Fill a template that lies beside this file.

    Raises:
        ConfigError: Jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise ConfigError("the report needs Jinja2; run: pip install jinja2") from error
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        loader=FileSystemLoader(Path(__file__).parent),
    )
    environment.filters["counted"] = counted
    return environment.get_template(template).render(**content)


def write_html(path: Path, text: str) -> None:
    """Write a page.

    Raises:
        DataError: The file cannot be written.
    """
    try:
        output.write_text(path, text)
    except OSError as error:
        raise DataError(output.unwritten(path, error)) from error
