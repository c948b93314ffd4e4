# SPDX-License-Identifier: Apache-2.0
"""Run a model with ONNX Runtime: the CPU fallback, and the reference for every other engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import EngineRunError, ModelError
from panoptic_ros.core.model import ModelSpec, read_metadata
from panoptic_ros.core.types import Heads
from panoptic_ros.engine.heads import INPUT, check_image, output_names, to_heads
from panoptic_ros.engine.onnx_file import file_metadata
from panoptic_ros.engine.providers import CPU, choose_providers, describe

_MAX_BYTES = 2 << 30
"""ONNX's own limit for one file; larger ones keep their weights outside."""


class OrtEngine(Closing):
    """A model in ONNX Runtime; one thread uses it, the one that made it or another.

    Args:
        path: ONNX file with our metadata.
        threads: Threads of one inference, 0 for one per core.
        device: Number of the GPU as CUDA counts, where the wheel can use one; None for the CPU,
            which is what others are compared with.

    Raises:
        ModelError: The file is missing, damaged, without metadata, or its tensors are not those
            of its decoder.
    """

    def __init__(self, path: Path, threads: int = 0, device: int | None = None) -> None:
        import onnxruntime

        if not path.is_file():
            raise ModelError(f"{path}: no such model file")
        if path.stat().st_size > _MAX_BYTES:
            raise ModelError(f"{path}: is larger than an ONNX file can be (2 GiB)")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Warnings go to the process's stderr, past every logger.
        options.log_severity_level = 3
        # Threads that spin between two frames take the cores from decoding and DDS.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        wanted = choose_providers(onnxruntime.get_available_providers(), device, path)
        try:
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=wanted)
            metadata = self._session.get_modelmeta().custom_metadata_map
        except Exception as error:  # the bindings raise a dozen types
            file_metadata(path)  # says in plain words that it is no whole model
            raise ModelError(f"{path}: ONNX Runtime cannot load it ({error})") from error
        self._spec = read_metadata(metadata, path.name)
        self._outputs = _check_tensors(self._session, self._spec, path.name)
        self._input = np.zeros((1, self._spec.height, self._spec.width, 3), np.uint8)
        self._provider = describe(wanted, self._session.get_providers())
        self._version = str(onnxruntime.__version__)
        if not self._provider.startswith(CPU):
            # What is compiled or tuned at the first inference must not cost the first frame.
            self.infer(self.input)

    @property
    def spec(self) -> ModelSpec:
        """The model in the words of its metadata."""
        return self._spec

    @property
    def description(self) -> str:
        """One line for a log, e.g. ``street 512x256 on ONNX Runtime 1.31.1 (CPU)``."""
        spec = self._spec
        runtime = f"ONNX Runtime {self._version} ({self._provider})"
        return f"{spec.name} {spec.size_words} on {runtime}"

    @property
    def is_offloaded(self) -> bool:
        """Whether something other than the CPU computes it."""
        return not self._provider.startswith(CPU)

    @property
    def facts(self) -> dict[str, str]:
        """What a report wants to know of it."""
        return {
            "runtime": f"ONNX Runtime {self._version}",
            "provider": self._provider,
            "precision": "as the model",
            "batch": "1",
        }

    @property
    def input(self) -> NDArray[np.uint8]:
        """Buffer for the next image, (height, width, 3) uint8 RGB."""
        image: NDArray[np.uint8] = self._input[0]
        return image

    def infer(self, image: NDArray[np.uint8]) -> Heads:
        """Run the network.

        Args:
            image: RGB, (height, width, 3) uint8 of the spec's size; ``input`` is not copied.

        Returns:
            Its heads, on arrays of their own.

        Raises:
            EngineRunError: The image has another size, or ONNX Runtime failed.
        """
        check_image(image, self._input.shape[1:], self._session is not None)
        try:
            maps = self._session.run(self._outputs, {INPUT: image[None]})
        except Exception as error:
            raise EngineRunError(f"ONNX Runtime failed: {error}") from error
        return to_heads(self._spec, maps)

    def close(self) -> None:
        """Free the session."""
        self._session = None


def _check_tensors(session: Any, spec: ModelSpec, where: str) -> tuple[str, ...]:
    found = [output.name for output in session.get_outputs()]
    outputs = output_names(spec, found, where)
    inputs = {entry.name: (entry.type, list(entry.shape)) for entry in session.get_inputs()}
    needed = {INPUT: ("tensor(uint8)", [1, spec.height, spec.width, 3])}
    if inputs != needed:
        raise ModelError(f"{where}: its inputs are {inputs}, needs {needed}; export it again")
    return outputs
