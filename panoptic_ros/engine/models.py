# SPDX-License-Identifier: Apache-2.0
"""Where model files lie: those that come with the package by name, others by path."""

from __future__ import annotations

import shlex
from pathlib import Path

from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.core.files.resources import resource

_CHECKPOINTS = (".pt", ".pth")
"""Endings of checkpoints, which torch.save leaves to its caller."""

_ARCHIVE = b"PK\x03\x04"


def find_model(name: str | Path, endings: str = ".onnx or .plan") -> Path:
    """Find a model file by path or by the name of one that comes with the package.

    Args:
        name: Path or name.
        endings: Of the files that are taken, for the message.

    Raises:
        ModelError: There is none, or it is a checkpoint.
    """
    path = Path(name).expanduser()
    if path.is_file():
        refuse_checkpoint(path)
        return path
    shipped = shipped_models()
    # Messages name a plan's model by its file; such a command must work from anywhere.
    known = str(name).removesuffix(".onnx")
    if known in shipped:
        return shipped[known]
    raise ModelError(
        f"no model {str(name)!r}: it is neither a file nor one of the models that come with the "
        f"package ({', '.join(sorted(shipped)) or 'none is installed'}); "
        f"needs one of them, or the path of {_article(endings)} {endings} file"
    )


def find_engine(name: str | Path) -> Path:
    """Find a model or a plan as ``find_model`` does, and refuse files of other kinds.

    Raises:
        ModelError: There is none, or the file's name does not end in ``.onnx`` or ``.plan``.
    """
    path = find_model(name)
    if path.suffix not in (".onnx", ".plan"):
        found = path.suffix or "none"
        raise ModelError(f"{path}: engines are .onnx and .plan files; found {found}")
    return path


def _article(endings: str) -> str:
    """Spell ``a .pt``, but ``an .onnx``."""
    return "an" if endings.startswith(".o") else "a"


def refuse_checkpoint(path: Path) -> None:
    """Refuse what PyTorch wrote, and say how a model is made of it.

    Raises:
        ModelError: The file ends like a checkpoint, or is the archive that PyTorch writes.
    """
    if path.suffix in _CHECKPOINTS or _is_archive(path):
        raise ModelError(
            f"{path}: is a checkpoint of PyTorch, not a model; panoptic export makes a model of "
            f"one of panoptic train: panoptic export {shlex.quote(str(path))} MODEL.onnx"
        )


def _is_archive(path: Path) -> bool:
    """Whether a file is a ZIP archive; one that cannot be read is not."""
    try:
        with path.open("rb") as file:
            return file.read(len(_ARCHIVE)) == _ARCHIVE
    except OSError:
        return False


def shipped_models() -> dict[str, Path]:
    """Models in the package's ``engines`` folder by name."""
    try:
        folder = resource("engines")
    except ConfigError:
        return {}
    return {path.stem: path for path in sorted(folder.glob("*.onnx"))}
