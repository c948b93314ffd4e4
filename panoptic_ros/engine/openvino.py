# SPDX-License-Identifier: Apache-2.0
"""Run a model with OpenVINO: CPUs that compute in bf16, and Intel's GPUs and NPUs."""

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
from panoptic_ros.engine.storage.cache import default_folder
from panoptic_ros.engine.storage.manifest import sha256_of

LEAST_VERSION = (2024, 0)
_HALVES = {"BF16": "bf16", "FP16": "f16"}
"""Half precisions by the name of the device's capability, the better one first."""


def load_openvino() -> Any:
    """Import OpenVINO.

    Raises:
        ModelError: It is not installed, cannot be loaded, or is too old.
    """
    try:
        import openvino
    except ImportError as error:
        raise ModelError(
            f"OpenVINO is not installed or cannot be loaded ({error}); run: pip install openvino"
        ) from error
    found = tuple(int(part) for part in str(openvino.__version__).split("-")[0].split(".")[:2])
    if found < LEAST_VERSION:
        raise ModelError(
            f"OpenVINO is of version {'.'.join(map(str, found))}, needs "
            f"{'.'.join(map(str, LEAST_VERSION))} or newer; run: pip install --upgrade openvino"
        )
    return openvino


def half_precision(core: Any, device: str) -> str:
    """The half precision that a device computes in, empty where it has none.

    Args:
        core: ``openvino.Core``.
        device: E.g. ``CPU``.
    """
    able = core.get_property(device, "OPTIMIZATION_CAPABILITIES")
    return next((word for name, word in _HALVES.items() if name in able), "")


class OpenVinoEngine(Closing):
    """A model in OpenVINO; one thread uses it, the one that made it or another.

    Args:
        path: ONNX file with our metadata.
        threads: CPU threads of one inference, 0 for one per core.
        device: ``CPU``, ``GPU``, ``GPU.1``, ``NPU`` or ``AUTO``.
        precision: ``fp32``; anything else takes the device's half precision where it has one.

    Raises:
        ModelError: OpenVINO or the device is missing, the file is missing, damaged or without
            metadata, its tensors are not those of its decoder, or an operator is not known.
    """

    def __init__(
        self, path: Path, threads: int = 0, device: str = "CPU", precision: str = "fp32"
    ) -> None:
        openvino = load_openvino()
        self._spec = read_metadata(file_metadata(path), path.name)
        core = openvino.Core()
        known = [*core.available_devices, "AUTO"]
        # A single GPU is listed as GPU, several as GPU.0, GPU.1; GPU then is the first.
        if device not in known and f"{device}.0" not in known:
            raise ModelError(f"OpenVINO has no device {device!r} here; it has: {', '.join(known)}")
        options = _options(core, device, precision, threads, path)
        try:
            model = core.read_model(str(path))
            compiled = core.compile_model(model, device, options)
            self._request: Any = compiled.create_infer_request()
            self._input = np.zeros((1, self._spec.height, self._spec.width, 3), np.uint8)
            self._order = _check_tensors(compiled, self._spec, path.name)
            # Shared: an image that is written there is not copied.
            self._tensor: Any = openvino.Tensor(self._input, shared_memory=True)
            self._request.set_input_tensor(self._tensor)
        except RuntimeError as error:
            raise ModelError(f"{path.name}: OpenVINO cannot run it ({_first(error)})") from error
        self._device, self._version = device, str(openvino.__version__).split("-")[0]
        self._precision = str(options.get("INFERENCE_PRECISION_HINT", "as the device does"))

    @property
    def spec(self) -> ModelSpec:
        """The model in the words of its metadata."""
        return self._spec

    @property
    def description(self) -> str:
        """One line for a log, e.g. ``street 512x256 on OpenVINO 2026.4.1 (CPU, bf16)``."""
        runtime = f"OpenVINO {self._version} ({self._device}, {self._precision})"
        return f"{self._spec.name} {self._spec.size_words} on {runtime}"

    @property
    def facts(self) -> dict[str, str]:
        """What a report wants to know of it."""
        return {
            "runtime": f"OpenVINO {self._version}",
            "provider": self._device,
            "precision": self._precision,
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
            Its heads, views that are valid until the next call.

        Raises:
            EngineRunError: The image has another size, or OpenVINO failed.
        """
        check_image(image, self._input.shape[1:], self._request is not None)
        if not np.may_share_memory(image, self._input):
            np.copyto(self._input[0], image)
        try:
            self._request.infer()
            maps = [self._request.get_output_tensor(index).data for index in self._order]
        except RuntimeError as error:
            raise EngineRunError(f"OpenVINO failed: {_first(error)}") from error
        return to_heads(self._spec, maps)

    def close(self) -> None:
        """Free the model."""
        self._request = self._tensor = None


def _options(
    core: Any, device: str, precision: str, threads: int, path: Path
) -> dict[str, str | int]:
    options: dict[str, str | int] = {
        "PERFORMANCE_HINT": "LATENCY",
        # Of its own for each state of the weights; OpenVINO compares versions itself.
        "CACHE_DIR": str(default_folder() / "openvino" / sha256_of(path)[:12]),
    }
    if device != "AUTO":
        half = half_precision(core, device) if precision != "fp32" else ""
        options["INFERENCE_PRECISION_HINT"] = half or "f32"
    if threads and device == "CPU":
        options["INFERENCE_NUM_THREADS"] = threads
    return options


def _check_tensors(compiled: Any, spec: ModelSpec, where: str) -> list[int]:
    """Compare inputs and outputs with the spec; returns the outputs' numbers in heads' order."""
    known = [output.get_names() for output in compiled.outputs]
    names = output_names(spec, sorted(set().union(*known)), where)
    inputs = {
        entry.get_any_name(): (str(entry.get_element_type().to_dtype()), list(entry.get_shape()))
        for entry in compiled.inputs
    }
    needed = {INPUT: ("uint8", [1, spec.height, spec.width, 3])}
    if inputs != needed:
        raise ModelError(f"{where}: its inputs are {inputs}, needs {needed}; export it again")
    return [
        next(index for index, aliases in enumerate(known) if name in aliases) for name in names
    ]


def _first(error: Exception) -> str:
    """The first line that says something; OpenVINO begins with places in its own sources."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("Exception from", "Check '"))]
    return (said or lines or [type(error).__name__])[0]
