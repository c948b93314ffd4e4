# SPDX-License-Identifier: Apache-2.0
"""From an ONNX model to an int8 plan of OpenVINO, quantised by NNCF, compared and kept.

The first and the last products of a network stay as they are: they read bytes and give scores and
offsets. Without that a model loses objects; see ``docs/engines.md``.
"""

from __future__ import annotations

import contextlib
import io
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.engine_config import ProgressCallback
from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.engine.building.parity import compare, gate
from panoptic_ros.engine.building.prepare import load_model, prepare
from panoptic_ros.engine.building.quantize import (
    CalibrationImages,
    check_images,
    counted_off,
    edge_products,
    no_report,
)
from panoptic_ros.engine.building.recipe import Recipe, metadata_of
from panoptic_ros.engine.openvino import OpenVinoEngine, device_options, open_core
from panoptic_ros.engine.openvino_plan import OpenVinoDevice, key_and_place
from panoptic_ros.engine.ort import OrtEngine
from panoptic_ros.engine.storage.cache import WAITING, build_once
from panoptic_ros.engine.storage.manifest import DEVICE, Manifest, PlanKey, Tensor

_CURE = "try more --images like the camera's, or run the model as it is: engine_precision fp16"


def check_recipe(recipe: Recipe, options: Mapping[str, str] | None = None) -> None:
    """Refuse what is not for OpenVINO.

    Args:
        recipe: What is wanted.
        options: What to call entries that were chosen on the command line, by their names.

    Raises:
        ConfigError: Another precision than int8, or a choice that is TensorRT's.
    """
    if recipe.precision != "int8":
        raise ConfigError(
            f"OpenVINO needs no plan in {recipe.precision}, it runs {recipe.model.name} as it is "
            "and keeps what it compiles: set engine_runtime to openvino; for int8: --precision "
            "int8 --images DIR"
        )
    given = {
        "batch": recipe.batch > 1,
        "dla": recipe.dla >= 0,
        "targets": bool(recipe.targets),
        "variant": bool(recipe.variant),
        "workspace_mib": bool(recipe.workspace_mib),
    }
    told = options or {}
    foreign = [told.get(name, name) for name, is_given in given.items() if is_given]
    if foreign:
        raise ConfigError(f"{', '.join(foreign)}: only plans of TensorRT have that; leave it out")


def make_openvino_plan(
    recipe: Recipe,
    path: Path,
    device: OpenVinoDevice,
    images: CalibrationImages,
    shown: Sequence[NDArray[np.uint8]],
    report: ProgressCallback = no_report,
    rebuild: bool = False,
) -> Manifest:
    """Make the int8 plan of a model unless it is there.

    Args:
        recipe: What is wanted; ``check_recipe`` has passed it.
        path: The ``.plan`` file.
        device: What it is made for.
        images: What sets the ranges.
        shown: Other images, on which it is compared with ONNX Runtime.
        report: Told how far it is.
        rebuild: Make it even where there is one.

    Raises:
        ModelError: NNCF or OpenVINO is missing or fails, there are too few images, the plan
            differs too much from ONNX Runtime, or it cannot be written.
    """
    key, _ = key_and_place(recipe.model, device)

    def build() -> tuple[bytes, Manifest]:
        check_images(images)
        start = time.monotonic()
        content, tensors = _compiled(recipe.model, device, images, report)
        model: Any = load_model(recipe.model)
        manifest = _manifest(key, recipe.model.name, device, tensors, metadata_of(model))
        manifest = replace(
            manifest, plan_bytes=len(content), build_s=round(time.monotonic() - start, 3)
        )
        figures = _compared(content, manifest, recipe.model, device, shown)
        return content, replace(manifest, parity=figures, compared="plan")

    return build_once(path, key, build, rebuild, lambda: report(WAITING, 0.0))


def _manifest(
    key: PlanKey,
    model: str,
    device: OpenVinoDevice,
    tensors: tuple[Tensor, ...],
    metadata: dict[str, str],
) -> Manifest:
    nncf = load_nncf()
    options = {DEVICE: device.name, "quantised by": f"NNCF {nncf.__version__}"}
    return Manifest(key, model, "", 0, tensors, metadata, options=options)


def _compiled(
    path: Path, device: OpenVinoDevice, images: CalibrationImages, report: ProgressCallback
) -> tuple[bytes, tuple[Tensor, ...]]:
    """Quantise a model and compile it.

    Returns:
        What OpenVINO compiled, and its inputs and outputs.
    """
    core = open_core()
    load_nncf()
    try:
        quantised = to_int8(path, device.name, images, report)
        options = device_options(core, device.name, "int8")
        compiled = core.compile_model(quantised, device.name, options)
        content = bytes(compiled.export_model().getvalue())
    except ModelError:
        raise
    except Exception as error:  # both raise types of their own
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ModelError(f"{path.name}: it cannot be quantised for OpenVINO ({first})") from error
    return content, _tensors(compiled)


def to_int8(
    path: Path, device: str, images: CalibrationImages, report: ProgressCallback = no_report
) -> Any:
    """Quantise a model with NNCF, all but its first and last products.

    Args:
        path: The ONNX file.
        device: OpenVINO's name of the device.
        images: What sets the ranges.
        report: Told how far it is.

    Returns:
        An ``openvino.Model``.
    """
    nncf = load_nncf()
    model = load_model(path)
    prepare(model)
    read = open_core().read_model(bytes(model.SerializeToString()))
    kept = operations_of(read, edge_products(model.graph))
    with contextlib.redirect_stdout(io.StringIO()), _quiet():
        return nncf.quantize(
            read,
            nncf.Dataset(_Reported(images, report)),
            preset=nncf.QuantizationPreset.MIXED,
            target_device=nncf.TargetDevice(device.split(".")[0]),
            subset_size=len(images),
            ignored_scope=nncf.IgnoredScope(names=kept),
        )


def operations_of(model: Any, nodes: Sequence[str]) -> list[str]:
    """Find what OpenVINO made of nodes of an ONNX graph.

    A convolution with a bias becomes two operations: the sum keeps the node's name, and the
    product itself is ``name/WithoutBiases``. NNCF refuses names that the graph has not.

    Args:
        model: An ``openvino.Model`` that was read from ONNX.
        nodes: Names of nodes of the ONNX graph.

    Returns:
        Names of operations, in the graph's order.
    """
    names = [operation.get_friendly_name() for operation in model.get_ordered_ops()]
    below = tuple(f"{node}/" for node in nodes)
    return [name for name in names if name in nodes or name.startswith(below)]


def load_nncf() -> Any:
    """Import NNCF.

    Raises:
        ModelError: It is not installed or cannot be loaded.
    """
    try:
        import nncf
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelError(
            f"int8 for OpenVINO needs NNCF, which is not installed or cannot be loaded ({error}); "
            "run: pip install nncf"
        ) from error
    return nncf


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep NNCF's notes off the terminal; what goes wrong is raised."""
    logger = logging.getLogger("nncf")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


class _Reported:
    """Images as NNCF reads them, as often as it likes; the first time is reported.

    Args:
        images: What sets the ranges.
        report: Told how far the first reading is.
    """

    def __init__(self, images: CalibrationImages, report: ProgressCallback) -> None:
        self._images = images
        self._report = report

    def __len__(self) -> int:
        return len(self._images)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        report, self._report = self._report, no_report
        return counted_off(self._images, report)


def _tensors(compiled: Any) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(
            entry.get_any_name(),
            mode,
            str(entry.get_element_type().to_dtype()),
            tuple(entry.get_shape()),
        )
        for mode, entries in (("input", compiled.inputs), ("output", compiled.outputs))
        for entry in entries
    )


def _compared(
    content: bytes,
    manifest: Manifest,
    model: Path,
    device: OpenVinoDevice,
    shown: Sequence[NDArray[np.uint8]],
) -> dict[str, float]:
    """Compare a plan with ONNX Runtime, and refuse it if it differs too much."""
    plan = content, manifest.metadata
    with (
        OrtEngine(model) as reference,
        OpenVinoEngine(model, 0, device.name, "int8", plan) as candidate,
    ):
        figures = compare(reference.infer, candidate.infer, reference.spec, shown)
    gate(figures, "int8", model.name, _CURE)
    return figures
