# SPDX-License-Identifier: Apache-2.0
"""ONNX files written whole or not at all, with weights beside them where they are too large."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

_LARGEST_FILE = (2 << 30) - (1 << 20)
"""Bytes of weights from which on they do not fit in one ONNX file."""

_WEIGHTS = ".data"
"""A model ``x.onnx`` may have its weights in ``x.onnx.data``."""


def write_model(model: Any, path: Path) -> None:
    """Write a model in one file, or with its weights beside it where they are too large.

    Args:
        model: An ``onnx.ModelProto`` with its weights loaded.
        path: The .onnx file.

    Raises:
        OSError: It cannot be written.
    """
    import onnx

    data = path.with_name(path.name + _WEIGHTS)
    data.unlink(missing_ok=True)
    stored = sum(len(tensor.raw_data) for tensor in model.graph.initializer)
    if stored < _LARGEST_FILE:
        path.write_bytes(model.SerializeToString())
        return
    onnx.save_model(model, str(path), save_as_external_data=True, location=data.name)
    # Saving leaves the weights' places in the model; the next step needs the weights.
    onnx.load_external_data_for_model(model, str(path.parent))


def move_model(made: Path, target: Path) -> None:
    """Put a model that was written elsewhere in its place, with its weights.

    Args:
        made: The .onnx file, on the same file system.
        target: Where it goes.

    Raises:
        OSError: It cannot be moved.
    """
    weights = made.with_name(made.name + _WEIGHTS)
    # Weights first: a model without them is worse than an old one.
    if weights.exists():
        os.replace(weights, target.with_name(weights.name))
    os.replace(made, target)


def replace_model(model: Any, target: Path) -> None:
    """Write a model over an older one, or leave that as it is.

    Args:
        model: An ``onnx.ModelProto`` with its weights loaded.
        target: The .onnx file.

    Raises:
        OSError: It cannot be written.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".model") as folder:
        made = Path(folder, target.name)
        write_model(model, made)
        move_model(made, target)
