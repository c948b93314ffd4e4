# SPDX-License-Identifier: Apache-2.0
"""Which TensorRT is here, and the few places in which its versions differ.

One code path serves TensorRT 8.6, 10, 11 and TensorRT for RTX: every difference is a question in
this file, asked of what the library offers and not of its version number.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any

from panoptic_ros.core.errors import ModelError

VARIANTS = ("tensorrt", "tensorrt_rtx")
"""Python modules, the preferred one first."""


_JETSON = (
    "on a Jetson: apt install python3-libnvinfer (and make virtual environments with "
    "--system-site-packages)"
)
_CURES = {
    "": f"{_JETSON}; on a PC: pip install tensorrt_rtx, or NVIDIA's tensorrt",
    "tensorrt": f"{_JETSON}; on a PC: pip install tensorrt",
    "tensorrt_rtx": "on a PC: pip install tensorrt_rtx; a Jetson has the variant tensorrt alone",
}
"""What to do where a variant is missing, by what was asked for."""


@dataclass(frozen=True)
class TensorRtVariant:
    """An installed TensorRT: the module's name, its version, and the module."""

    name: str
    version: str
    module: Any

    @property
    def title(self) -> str:
        """What people call it, e.g. ``TensorRT for RTX 1.7.1``."""
        words = "TensorRT for RTX" if self.portable else "TensorRT"
        return f"{words} {self.version}"

    @property
    def portable(self) -> bool:
        """Whether its plans are made for a range of GPUs, and on a machine without one."""
        return self.name == "tensorrt_rtx"

    @property
    def strongly_typed(self) -> bool:
        """Whether networks can take every type from the ONNX file; from TensorRT 10 on."""
        return hasattr(self.module.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")

    def network_flags(self, dla: bool = False) -> int:
        """Flags for ``create_network``.

        Args:
            dla: Whether the network goes to a DLA core, which takes its types from builder flags
                as long as there are such flags (until TensorRT 10).
        """
        flags = self.module.NetworkDefinitionCreationFlag
        if self.typed_by_onnx(dla):
            return 1 << int(flags.STRONGLY_TYPED)
        # Gone in 11; 10 ignores it; 8.6 needs it.
        return 1 << int(flags.EXPLICIT_BATCH) if hasattr(flags, "EXPLICIT_BATCH") else 0

    def typed_by_onnx(self, dla: bool = False) -> bool:
        """Whether types come from the ONNX file and builder flags have no say."""
        by_flag = hasattr(self.module.BuilderFlag, "FP16")
        return self.strongly_typed and not (dla and by_flag)


def installed_variants() -> tuple[str, ...]:
    """Names of the TensorRT modules that can be imported here."""
    specs = {name: importlib.util.find_spec(name) for name in VARIANTS}
    # A package of type stubs leaves a folder without code, which has no origin.
    return tuple(name for name, spec in specs.items() if spec is not None and spec.origin)


def load_variant(name: str = "") -> TensorRtVariant:
    """Import TensorRT.

    Args:
        name: One of ``VARIANTS``; empty for the first that can be loaded.

    Raises:
        ModelError: It is not installed or cannot be loaded.
    """
    if name and name not in VARIANTS:
        raise ModelError(f"no TensorRT variant {name!r}; there are: {', '.join(VARIANTS)}")
    found = [variant for variant in installed_variants() if variant == (name or variant)]
    if not found:
        raise ModelError(f"{name or 'TensorRT'} is not installed; {_CURES[name]}")
    reasons = []
    for variant in found:
        loaded = _load(variant)
        if isinstance(loaded, TensorRtVariant):
            return loaded
        reasons.append(loaded)
    raise ModelError("; ".join(reasons))


def _load(name: str) -> TensorRtVariant | str:
    """Import a module, or say why that fails."""
    try:
        module = importlib.import_module(name)
    except (ImportError, OSError, RuntimeError) as error:
        return f"{name} is installed but cannot be loaded ({error})"
    return TensorRtVariant(name, str(module.__version__), module)


def make_logger(trt: Any) -> Any:
    """Make a logger that keeps what TensorRT says instead of writing it past everybody."""

    class KeepingLogger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: list[str] = []
            self.warnings: list[str] = []

        def log(self, severity: Any, msg: str) -> None:
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                self.errors.append(msg)
            elif severity == trt.ILogger.WARNING and msg not in self.warnings:
                self.warnings.append(msg)

        def summary(self) -> str:
            lines = [line.strip() for line in self.errors if line.strip()]
            return "; ".join(dict.fromkeys(lines[:3])) or "it gave no reason"

    return KeepingLogger()
