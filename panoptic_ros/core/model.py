# SPDX-License-Identifier: Apache-2.0
"""What the pipeline must know about a model, and the one seam: ``Engine``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.label_documents import from_json, to_json
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.decoding.kinds import KINDS
from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.core.files.document import parse_json
from panoptic_ros.core.files.limits import image_limits, is_image_size
from panoptic_ros.core.types import Heads

METADATA_KEY = "panoptic_ros"
"""The one metadata entry of a model file; its value is a JSON object."""

FORMAT = 1


@dataclass(frozen=True)
class ModelSpec:
    """A model in the words of its own metadata.

    Attributes:
        name: Short name, e.g. ``street``.
        width: Pixels that ``infer`` takes.
        height: Pixels that ``infer`` takes.
        decoder: One of ``core.decoding.kinds.KINDS``.
        labels: Its classes.
        license: What may be done with the weights.
        provenance: Where the weights come from.
        shrinks_to: (width, height) to which the graph itself resizes its input, a camera's
            image; None where it takes images of the network's own size.
    """

    name: str
    width: int
    height: int
    decoder: str
    labels: LabelSet
    license: str = ""
    provenance: str = ""
    shrinks_to: tuple[int, int] | None = None

    @property
    def size_words(self) -> str:
        """The size for a log: ``512x256``, or ``1280x720, shrunk to 512x256 inside``."""
        inside = "" if self.shrinks_to is None else ", shrunk to {}x{} inside"
        return f"{self.width}x{self.height}" + inside.format(*self.shrinks_to or ())

    def to_metadata(self) -> dict[str, str]:
        """Write the spec as the metadata of a model file."""
        document: dict[str, object] = {
            "format": FORMAT,
            "name": self.name,
            "width": self.width,
            "height": self.height,
            "decoder": self.decoder,
            "labels": json.loads(to_json(self.labels)),
            "license": self.license,
            "provenance": self.provenance,
        }
        if self.shrinks_to is not None:
            document["shrinks_to"] = list(self.shrinks_to)
        return {METADATA_KEY: json.dumps(document)}


def read_metadata(metadata: Mapping[str, str], where: str) -> ModelSpec:
    """Read the spec out of a model file's metadata.

    Args:
        metadata: All metadata entries of the file.
        where: The file's name, for messages.

    Raises:
        ModelError: The metadata is missing, damaged or of a kind this version cannot decode.
    """
    if METADATA_KEY not in metadata:
        raise ModelError(
            f"{where}: has no '{METADATA_KEY}' metadata, so its classes and decoder are unknown; "
            "make it with: panoptic export CHECKPOINT MODEL.onnx --size WIDTHxHEIGHT, or take "
            "somebody else's with: panoptic adopt MODEL.onnx --labels NAME --out FILE.onnx"
        )
    try:
        document = parse_json(metadata[METADATA_KEY])
        spec = ModelSpec(
            name=str(document["name"]),
            width=int(document["width"]),
            height=int(document["height"]),
            decoder=str(document["decoder"]),
            labels=from_json(json.dumps(document["labels"])),
            license=str(document.get("license", "")),
            provenance=str(document.get("provenance", "")),
            shrinks_to=_size(document.get("shrinks_to")),
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, ConfigError) as error:
        raise ModelError(f"{where}: its '{METADATA_KEY}' metadata is damaged ({error})") from error
    if not is_image_size(spec.height, spec.width):
        raise ModelError(f"{where}: is for {spec.width}x{spec.height}, needs {image_limits()}")
    if spec.decoder not in KINDS:
        raise ModelError(
            f"{where}: needs the decoder {spec.decoder!r}; this version has "
            f"{', '.join(KINDS)}: update panoptic_ros or export the model again"
        )
    return spec


def _size(value: Sequence[int] | None) -> tuple[int, int] | None:
    if value is None:
        return None
    width, height = value
    return int(width), int(height)


class Engine(Protocol):
    """A network that is ready to run; owned and used by one thread.

    ``infer`` takes RGB (height, width, 3) uint8 of the spec's size and returns heads whose arrays
    may be views of the engine's own buffers, valid until the next call. It raises
    ``EngineRunError``. An image written to ``input`` before ``infer(engine.input)`` is not copied.
    """

    @property
    def spec(self) -> ModelSpec: ...  # noqa: D102

    @property
    def description(self) -> str: ...  # noqa: D102

    @property
    def input(self) -> NDArray[np.uint8]: ...  # noqa: D102

    def infer(self, image: NDArray[np.uint8]) -> Heads: ...  # noqa: D102

    def close(self) -> None: ...  # noqa: D102

    def __enter__(self) -> Engine: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class BatchEngine(Engine, Protocol):
    """A network that takes the images of several cameras in one go.

    ``inputs`` is the buffer for all of them, (batch, height, width, 3) uint8 RGB; ``infer_batch``
    runs the first ``count`` and returns one set of heads each, valid until the next call of
    either ``infer``. Each image's heads are those that ``infer`` gives for it alone.
    """

    @property
    def batch(self) -> int: ...  # noqa: D102

    @property
    def inputs(self) -> NDArray[np.uint8]: ...  # noqa: D102

    def infer_batch(self, count: int) -> list[Heads]: ...  # noqa: D102


def batch_of(engine: Engine) -> int:
    """Images that an engine takes in one go, 1 for engines that know no batches."""
    return engine.batch if isinstance(engine, BatchEngine) else 1


@runtime_checkable
class FactualEngine(Engine, Protocol):
    """A network that can say more of itself than its description: runtime, precision, memory."""

    @property
    def facts(self) -> Mapping[str, str]: ...  # noqa: D102


@runtime_checkable
class OffloadedEngine(Engine, Protocol):
    """A network that can say whether something other than the CPU computes it."""

    @property
    def is_offloaded(self) -> bool: ...  # noqa: D102


def is_offloaded(engine: Engine) -> bool:
    """Whether the CPU is free while a network computes, as far as its engine says."""
    return isinstance(engine, OffloadedEngine) and engine.is_offloaded


def runtime_words(engine: Engine) -> str:
    """Say what computes results: runtime, processor and precision.

    Returns:
        E.g. ``OpenVINO 2026.4.1, CPU, bf16``; ``built in`` for engines without a runtime.
    """
    facts = engine.facts if isinstance(engine, FactualEngine) else {}
    parts = (facts.get(name, "") for name in ("runtime", "provider", "gpu", "precision"))
    return ", ".join(filter(None, parts)) or "built in"
