# SPDX-License-Identifier: Apache-2.0
"""Real-time panoptic perception for ROS 2 cameras.

The names below are the Python API; docs/python-api.md shows it at work. Importing the package
costs nothing: each name is loaded when it is first used.
"""

from __future__ import annotations

import os
from importlib import import_module

# ONNX Runtime 1.31 writes an identifier of the machine below ~/.cache when it is imported, unless
# it finds this; its disable_telemetry_events comes too late. A value of the user's own is kept.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

TYPE_CHECKING = False  # importing typing takes longer than all the rest
if TYPE_CHECKING:
    from typing import Any

    from panoptic_ros.core.classes.labels import LabelSet
    from panoptic_ros.core.config import GroundConfig, PipelineConfig
    from panoptic_ros.core.errors import PanopticError
    from panoptic_ros.core.instance import Instance
    from panoptic_ros.core.overlay import OverlayStyle
    from panoptic_ros.core.pipeline import Pipeline
    from panoptic_ros.core.result import Result
    from panoptic_ros.core.types import Drivable, Frame, Panoptic, Segment, Track
    from panoptic_ros.engine.open import open_engine
    from panoptic_ros.messages.ground_source import ground_of
    from panoptic_ros.recordings.open import open_source

    __version__: str

_HOMES = {
    "Drivable": "core.types",
    "Frame": "core.types",
    "GroundConfig": "core.config",
    "Instance": "core.instance",
    "LabelSet": "core.classes.labels",
    "OverlayStyle": "core.overlay",
    "Panoptic": "core.types",
    "PanopticError": "core.errors",
    "Pipeline": "core.pipeline",
    "PipelineConfig": "core.config",
    "Result": "core.result",
    "Segment": "core.types",
    "Track": "core.types",
    "ground_of": "messages.ground_source",
    "open_engine": "engine.open",
    "open_source": "recordings.open",
}

__all__ = [
    "Drivable",
    "Frame",
    "GroundConfig",
    "Instance",
    "LabelSet",
    "OverlayStyle",
    "Panoptic",
    "PanopticError",
    "Pipeline",
    "PipelineConfig",
    "Result",
    "Segment",
    "Track",
    "ground_of",
    "open_engine",
    "open_source",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value = _version()
    elif name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _version() -> str:
    """Read the version where releases write it, package.xml."""
    from panoptic_ros.core.files.resources import resource

    text = resource("package.xml").read_text(encoding="utf-8")
    return text.partition("<version>")[2].partition("</version>")[0]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
