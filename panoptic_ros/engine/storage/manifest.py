# SPDX-License-Identifier: Apache-2.0
"""What a plan was built from, and in which field that differs from what is wanted here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.files.document import parse_json
from panoptic_ros.engine.onnx_file import weight_files

FORMAT = 2
"""Format 1 called the variant ``flavour``."""
SUFFIX = ".json"
"""A plan ``x.plan`` has its manifest in ``x.plan.json``."""
REWRITING = 1
"""Version of what ``build`` makes of an ONNX graph. Raise it whenever ``building/prepare.py``,
``precision.py``, ``quantize.py``, ``ranges.py`` or ``openvino.py`` makes another graph, or other
ranges, of the same file and images: plans of the former one are then built anew."""
OPENVINO = "openvino"
"""Variant of the plans that are not TensorRT's."""
DEVICE = "device"
"""Entry of the options of such a plan: OpenVINO's name of the device."""


@dataclass(frozen=True)
class PlanKey:
    """All that makes a plan another plan; two equal keys mean that one can stand for the other.

    Attributes:
        onnx_sha256: Check sum of the ONNX file and of the files that hold its weights.
        variant: ``tensorrt``, ``tensorrt_rtx`` or ``openvino``.
        version: Version of that library, e.g. ``10.3.0``.
        gpu: Name of the GPU, or ``portable`` and the targets for plans that fit several;
            OpenVINO's device may also be a CPU.
        compute_capability: Of that GPU, e.g. ``8.7``, or what OpenVINO's device computes in;
            empty for portable plans.
        precision: One of ``PRECISIONS``.
        shape: Input of one image, ``HxWx3``.
        batch: Images in one inference.
        dla: ``none``, or the number of the DLA core.
        rewriting: ``REWRITING`` of the package that built; 0 where nobody noted it.
    """

    onnx_sha256: str
    variant: str
    version: str
    gpu: str
    compute_capability: str
    precision: str
    shape: str
    batch: int = 1
    dla: str = "none"
    rewriting: int = 0

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that name this key in file names."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def differences(self, wanted: PlanKey) -> tuple[str, ...]:
        """Say in which fields this key, a plan's, is not the wanted one.

        Returns:
            One sentence part for each field, e.g. ``version is 10.3.0, here it is 10.13.0``.

        >>> orin = ("Orin", "8.7", "fp16", "256x512x3")
        >>> old = PlanKey("0", "tensorrt", "10.3.0", *orin)
        >>> old.differences(PlanKey("0", "tensorrt", "10.13.0", *orin))
        ('TensorRT version is 10.3.0, here it is 10.13.0',)
        """
        words = _OPENVINO_WORDS if self.variant == OPENVINO else _WORDS
        return tuple(
            f"{words[entry.name]} is {_short(built)}, here it is {_short(here)}"
            for entry in fields(self)
            if (built := getattr(self, entry.name)) != (here := getattr(wanted, entry.name))
        )


_WORDS = {
    "onnx_sha256": "ONNX check sum",
    "variant": "TensorRT variant",
    "version": "TensorRT version",
    "gpu": "GPU",
    "compute_capability": "compute capability",
    "precision": "precision",
    "shape": "input shape",
    "batch": "batch",
    "dla": "DLA core",
    "rewriting": "version of what build makes of the graph",
}
_OPENVINO_WORDS = {
    **_WORDS,
    "variant": "runtime",
    "version": "OpenVINO version",
    "gpu": "device",
    "compute_capability": "types that the device computes in",
}


@dataclass(frozen=True)
class Tensor:
    """An input or output of a plan: its name, ``input`` or ``output``, NumPy type and shape."""

    name: str
    mode: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Manifest:
    """A plan's birth certificate, kept beside it as JSON.

    Attributes:
        key: What it was built from and for.
        model: Name of the ONNX file.
        plan_sha256: Check sum of the plan.
        plan_bytes: Size of the plan.
        tensors: Inputs and outputs.
        metadata: The model's own metadata, so that a plan runs without its ONNX file.
        driver: CUDA version of the driver, empty where there was none.
        options: Builder options, in words.
        build_s: How long TensorRT or OpenVINO took, in seconds.
        parity: Figures of the comparison with ONNX Runtime; empty means that none was made.
        compared: What was compared: ``plan``, or ``graph`` where no GPU could run the plan.
    """

    key: PlanKey
    model: str
    plan_sha256: str
    plan_bytes: int
    tensors: tuple[Tensor, ...]
    metadata: Mapping[str, str]
    driver: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    build_s: float = 0.0
    parity: Mapping[str, float] = field(default_factory=dict)
    compared: str = ""

    @property
    def command(self) -> str:
        """What a person runs to have such a plan again."""
        key = self.key
        if key.variant == OPENVINO:
            return openvino_command(self.model, self.options.get(DEVICE, "CPU"))
        batch = f" --batch {key.batch}" if key.batch > 1 else ""
        core = "" if key.dla == "none" else f" --dla {key.dla}"
        return f"panoptic build {self.model} --precision {key.precision}{batch}{core}"

    def to_json(self) -> str:
        """Write the manifest as a JSON document."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"


def openvino_command(model: str | Path, device: str) -> str:
    """What a person runs to have the int8 plan of a model for a device of OpenVINO."""
    where = "" if device == "CPU" else f" --openvino-device {device}"
    return f"panoptic build {model} --runtime openvino{where} --precision int8 --images DIR"


def from_json(text: str, where: str) -> Manifest:
    """Read a manifest.

    Args:
        text: The JSON document.
        where: The file's name, for messages.

    Raises:
        ModelError: It is damaged or written by another version of this package.
    """
    try:
        document: dict[str, Any] = parse_json(text)
        found = document.pop("format")
        if found != FORMAT:
            raise ValueError(f"its format is {found}, needs {FORMAT}")
        document["key"] = PlanKey(**document["key"])
        document["tensors"] = tuple(
            Tensor(**{**entry, "shape": tuple(entry["shape"])}) for entry in document["tensors"]
        )
        return Manifest(**document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{where}: is not a manifest of this version ({error}); delete it and build again"
        ) from error


def manifest_path(plan: Path) -> Path:
    """Where the manifest of a plan lies."""
    return plan.with_name(plan.name + SUFFIX)


def sha256_of(model: Path) -> str:
    """Check sum of a model with all of its weights, as hexadecimal digits.

    Args:
        model: An ONNX file; the files that hold weights of it count, too. Where there are none,
            the sum is that of the file's own bytes.

    Raises:
        ModelError: The file, or one that holds weights of it, cannot be read.
    """
    digest = hashlib.sha256()
    _add_file(digest, model)
    for name in weight_files(model):
        part = hashlib.sha256()
        _add_file(part, model.parent / name)
        digest.update(b"\0" + name.encode() + b"\0" + part.digest())
    return digest.hexdigest()


def _add_file(digest: hashlib._Hash, path: Path) -> None:
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from error


def _short(value: object) -> str:
    """Shorten a check sum; the first digits are enough to tell two apart."""
    text = str(value) or "not known"
    return text[:12] if len(text) == 64 else text
