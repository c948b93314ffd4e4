# SPDX-License-Identifier: Apache-2.0
"""Run a model with OpenVINO: CPUs that compute in bf16, and Intel's GPUs and NPUs."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import EngineRunError, ModelError
from panoptic_ros.core.model import ModelSpec, read_metadata
from panoptic_ros.core.types import Heads
from panoptic_ros.engine.heads import INPUT, check_image, output_names, put_image, to_heads
from panoptic_ros.engine.onnx_file import file_metadata
from panoptic_ros.engine.storage.cache import default_folder
from panoptic_ros.engine.storage.compiled import read_compiled, write_compiled
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
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelError(
            f"OpenVINO is not installed or cannot be loaded ({error}); run: pip install openvino"
        ) from error
    version = str(getattr(openvino, "__version__", "unknown"))
    found = re.findall(r"\d+", version.split("-")[0])[:2]
    if tuple(map(int, found)) < LEAST_VERSION:
        raise ModelError(
            f"OpenVINO is of version {'.'.join(found) or version}, needs "
            f"{'.'.join(map(str, LEAST_VERSION))} or newer; run: pip install --upgrade openvino"
        )
    return openvino


def openvino_version() -> str:
    """Number of the OpenVINO that is installed, e.g. ``2026.4.1``.

    Raises:
        ModelError: See ``load_openvino``.
    """
    return str(load_openvino().__version__).split("-")[0]


def open_core() -> Any:
    """Give the ``openvino.Core`` of this process, which lasts as long as it does.

    OpenVINO's CPU plugin (2026.4.1) gives the thread that loads it another stack for handlers of
    signals, and takes that back in the same thread only. Where the plugin goes in another one, as
    when a worker closes the last engine, the next signal is a segmentation fault: Ctrl-C. So it
    is never let go of.

    Raises:
        ModelError: See ``load_openvino``.
    """
    return _lasting(load_openvino().Core)


@cache
def _lasting(kind: Callable[[], Any]) -> Any:
    return kind()


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
        plan: What ``OpenVinoEngine`` runs instead of the model of ``path``, with its metadata;
            compiled by the same OpenVINO for the same device.

    Raises:
        ModelError: OpenVINO or the device is missing, the file is missing, damaged or without
            metadata, its tensors are not those of its decoder, or an operator is not known.
    """

    def __init__(
        self,
        path: Path,
        threads: int = 0,
        device: str = "CPU",
        precision: str = "fp32",
        plan: tuple[bytes, Mapping[str, str]] | None = None,
    ) -> None:
        openvino = load_openvino()
        metadata = plan[1] if plan else file_metadata(path)
        self._spec = read_metadata(metadata, path.name)
        core = open_core()
        check_device(core, device)
        options = device_options(core, device, precision, threads)
        try:
            if plan:
                compiled = core.import_model(io.BytesIO(plan[0]), device, options)
            else:
                compiled = _compiled(core, path, device, options)
            self._request: Any = compiled.create_infer_request()
            self._input = np.zeros((1, self._spec.height, self._spec.width, 3), np.uint8)
            self._order = _check_tensors(compiled, self._spec, path.name)
            # Shared: an image that is written there is not copied.
            self._tensor: Any = openvino.Tensor(self._input, shared_memory=True)
            self._request.set_input_tensor(self._tensor)
        except RuntimeError as error:
            raise ModelError(f"{path.name}: OpenVINO cannot run it ({_first(error)})") from error
        self._device, self._version = device, openvino_version()
        computes_in = str(options.get("INFERENCE_PRECISION_HINT", "as the device does"))
        self._precision = f"int8 and {computes_in}" if plan else computes_in

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
    def is_offloaded(self) -> bool:
        """Whether something other than the CPU computes it; AUTO does not say."""
        return self._device not in ("CPU", "AUTO")

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
        put_image(image, self._input[0])
        try:
            self._request.infer()
            maps = [self._request.get_output_tensor(index).data for index in self._order]
        except RuntimeError as error:
            raise EngineRunError(f"OpenVINO failed: {_first(error)}") from error
        return to_heads(self._spec, maps)

    def close(self) -> None:
        """Free the model."""
        self._request = self._tensor = None


def check_device(
    core: Any,
    device: str,
    setting: str = "engine_openvino_device",
    others: Sequence[str] = ("AUTO",),
) -> None:
    """Refuse a device that is not there.

    Args:
        core: ``openvino.Core``.
        device: E.g. ``CPU``.
        setting: What says the device, for the message.
        others: What is taken besides the devices that are there.

    Raises:
        ModelError: It is not there.
    """
    known = [*core.available_devices, *others]
    # A single GPU is listed as GPU, several as GPU.0, GPU.1; GPU then is the first.
    if device not in known and f"{device}.0" not in known:
        raise ModelError(
            f"OpenVINO has no device {device!r} here; set {setting} to one of: {', '.join(known)}"
        )


def device_options(core: Any, device: str, precision: str, threads: int = 0) -> dict[str, Any]:
    """Say how a device shall compute.

    Args:
        core: ``openvino.Core``.
        device: E.g. ``CPU``.
        precision: ``fp32``; anything else takes the device's half precision where it has one.
        threads: CPU threads of one inference, 0 for one per core.
    """
    options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
    if device != "AUTO":
        half = half_precision(core, device) if precision != "fp32" else ""
        options["INFERENCE_PRECISION_HINT"] = half or "f32"
    if threads and device == "CPU":
        options["INFERENCE_NUM_THREADS"] = threads
    if "CPU" in device:
        # Threads that are bound to a core wait there for the other programs of a robot.
        options["ENABLE_CPU_PINNING"] = False
    return options


def _compiled(core: Any, path: Path, device: str, options: Mapping[str, Any]) -> Any:
    """Compile a model, or take what was compiled earlier by the same OpenVINO for the device."""
    place = _cache_place(core, path, device, options)
    kept = read_compiled(place) if place else None
    if kept is not None:
        with contextlib.suppress(RuntimeError):
            return core.import_model(io.BytesIO(kept), device, options)
    compiled = core.compile_model(core.read_model(str(path)), device, options)
    if place:
        write_compiled(place, compiled.export_model().getvalue())
    return compiled


def _cache_place(core: Any, path: Path, device: str, options: Mapping[str, Any]) -> Path | None:
    """Where a compiled model is kept, None where the device cannot give it away."""
    if device == "AUTO":
        return None
    if "EXPORT_IMPORT" not in core.get_property(device, "OPTIMIZATION_CAPABILITIES"):
        return None
    facts = (
        sha256_of(path),
        load_openvino().__version__,
        core.get_property(device, "FULL_DEVICE_NAME"),
        device,
        str(sorted(options.items())),
    )
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
    return default_folder() / "openvino" / f"{path.stem}.{digest}.compiled"


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
