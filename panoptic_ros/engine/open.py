# SPDX-License-Identifier: Apache-2.0
"""From what the user wrote to an engine that runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.core.resources import resource

if TYPE_CHECKING:
    from panoptic_ros.core.model import Engine

DRAWN = "drawn"
"""The engine that reads drawn streets back; stands in where there is no model."""


def open_engine(name: str, threads: int = 0) -> Engine:
    """Open an engine.

    Args:
        name: Path of an ``.onnx`` file, the name of a model that comes with the package
            (``street_fast``, ``street_sharp``), or ``drawn``.
        threads: Threads of one inference, 0 for one per core.

    Raises:
        ModelError: There is no such model, or it cannot be used; the message says what to do.
    """
    if name == DRAWN:
        from panoptic_ros.core.synthetic_engine import DrawnEngine

        return DrawnEngine()
    path = find_model(name)
    if path.suffix != ".onnx":
        raise ModelError(f"{path}: this version runs .onnx models; found {path.suffix or 'none'}")
    try:
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise ModelError(
            f"{path.name} needs ONNX Runtime, which is not installed; run: "
            "pip install onnxruntime"
        ) from error
    from panoptic_ros.engine.ort import OrtEngine

    return OrtEngine(path, threads)


def find_model(name: str) -> Path:
    """Find a model file by path or by the name of one that comes with the package.

    Raises:
        ModelError: There is none.
    """
    path = Path(name).expanduser()
    if path.is_file():
        return path
    shipped = shipped_models()
    if name in shipped:
        return shipped[name]
    raise ModelError(
        f"no model {name!r}: it is neither a file nor one of the models that come with the "
        f"package ({', '.join(sorted(shipped)) or 'none is installed'}); "
        "set engine to one of them or to the path of an .onnx file"
    )


def shipped_models() -> dict[str, Path]:
    """Models in the package's ``engines`` folder by name."""
    try:
        folder = resource("engines")
    except ConfigError:
        return {}
    return {path.stem: path for path in sorted(folder.glob("*.onnx"))}
