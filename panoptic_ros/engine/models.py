# SPDX-License-Identifier: Apache-2.0
"""Where model files lie: those that come with the package by name, others by path."""

from __future__ import annotations

from pathlib import Path

from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.core.files.resources import resource


def find_model(name: str | Path) -> Path:
    """Find a model file by path or by the name of one that comes with the package.

    Raises:
        ModelError: There is none.
    """
    path = Path(name).expanduser()
    if path.is_file():
        return path
    shipped = shipped_models()
    # Messages name a plan's model by its file; such a command must work from anywhere.
    known = str(name).removesuffix(".onnx")
    if known in shipped:
        return shipped[known]
    raise ModelError(
        f"no model {str(name)!r}: it is neither a file nor one of the models that come with the "
        f"package ({', '.join(sorted(shipped)) or 'none is installed'}); "
        "set engine to one of them or to the path of an .onnx or .plan file"
    )


def shipped_models() -> dict[str, Path]:
    """Models in the package's ``engines`` folder by name."""
    try:
        folder = resource("engines")
    except ConfigError:
        return {}
    return {path.stem: path for path in sorted(folder.glob("*.onnx"))}
