# SPDX-License-Identifier: Apache-2.0
"""Which Python modules are here, in which version, and why one cannot be imported."""

from __future__ import annotations

import importlib
import importlib.util
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata

MODULES = (
    "numpy",
    "scipy",
    "cv2",
    "yaml",
    "rclpy",
    "sensor_msgs",
    "diagnostic_msgs",
    "lifecycle_msgs",
    "vision_msgs",
    "cv_bridge",
    "onnxruntime",
    "openvino",
    "tensorrt",
    "tensorrt_rtx",
    "pycuda",
    "rosbags",
    "av",
    "rich",
    "jinja2",
    "torch",
)
"""Everything the package can make use of, by import name."""

_DISTRIBUTIONS = {
    "cv2": ("opencv-python-headless", "opencv-python"),
    "yaml": ("PyYAML",),
    "rclpy": ("ros-rclpy",),
}


@dataclass(frozen=True)
class Module:
    """A Python module.

    Attributes:
        version: Empty where the module is missing, "?" where it does not say.
        error: Why it cannot be imported although it is there; empty where it can.
    """

    version: str = ""
    error: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether it can be imported."""
        return bool(self.version) and not self.error


def look_at(name: str) -> Module:
    """Import a module and ask its version."""
    try:
        spec = importlib.util.find_spec(name)
        # A folder of that name, such as type stubs leave behind, can be imported as well.
        if spec is None or (spec.origin is None and not _distribution_version(name)):
            return Module()
        found = importlib.import_module(name)
    # A library that does not fit this machine may raise anything, and that is what to report.
    except Exception as error:
        return Module(_distribution_version(name) or "?", f"{type(error).__name__}: {error}")
    return Module(_distribution_version(name) or str(getattr(found, "__version__", "?")))


def _distribution_version(name: str) -> str:
    for distribution in (*_DISTRIBUTIONS.get(name, ()), name):
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(distribution)
    return ""
