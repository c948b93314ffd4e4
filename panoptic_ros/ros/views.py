# SPDX-License-Identifier: Apache-2.0
"""The layouts of viewers for a node that has another name or a namespace."""

from __future__ import annotations

import tempfile
from pathlib import Path

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.node_config import NODE_NAME

USUAL = f"/{NODE_NAME}/"
"""What the names of topics begin with in the layouts of this package."""


def view_of(layout: str, node: str) -> Path:
    """Give a layout whose topics are those of a node.

    Args:
        layout: File in ``config``: ``panoptic.rviz`` or ``panoptic.foxglove.json``.
        node: The node's name with its namespace; with the camera's behind it where it has
            several cameras.

    Returns:
        The file of this package where that fits, else one in the folder for temporary files.

    Raises:
        ConfigError: It cannot be written.
    """
    usual, wanted = resource("config", layout), f"/{node.strip('/')}/"
    if wanted == USUAL:
        return usual
    text = usual.read_text(encoding="utf-8").replace(USUAL, wanted)
    try:
        made = Path(tempfile.mkdtemp(prefix="panoptic_view_")) / layout
        made.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"the view for {node} cannot be written ({error.strerror}); set TMPDIR to a folder "
            "that can be written to"
        ) from error
    return made
