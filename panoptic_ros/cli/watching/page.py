# SPDX-License-Identifier: Apache-2.0
"""The page of ``panoptic watch``: it asks its server for state and images, and nobody else."""

from __future__ import annotations

from typing import Any

from panoptic_ros.report.template import filled

TEMPLATE = "watch.html.j2"


def watch_page(state: dict[str, Any]) -> str:
    """Make the page as it looks when it is opened; a script keeps it up to date.

    Args:
        state: What is known of the node, JSON types: ``node``, its full name; ``cameras`` with
            ``name``, ``frames``, ``rate_hz`` and ``age_s``; ``statuses`` with ``name``,
            ``level``, ``message`` and ``values``; ``topics`` with ``name``, ``type`` and
            ``listeners``.

    Raises:
        ConfigError: Jinja2 is not installed.
    """
    return filled(TEMPLATE, {"state": state})
