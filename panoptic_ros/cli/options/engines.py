# SPDX-License-Identifier: Apache-2.0
"""Opens the engine of a verb, and says where something else runs than the user named."""

from __future__ import annotations

import sys
from collections.abc import Callable

from panoptic_ros.core.engine_config import EngineConfig
from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.model import Engine

_INSTEAD = (", not TensorRT: ", ", not OpenVINO: ")
"""What the line about the choice says where another runtime runs."""


def open_named(name: str, threads: int, verb: str, runtime: str = EngineConfig.runtime) -> Engine:
    """Open an engine; where a plan or a runtime is named and cannot run, say what runs and why.

    Args:
        name: As ``open_engine`` takes it.
        threads: CPU threads of one inference, 0 for one per core.
        verb: Who says it.
        runtime: What is to run it.

    Raises:
        ModelError: There is no such model, or it cannot be used.
    """
    from panoptic_ros.engine.open import open_engine

    lines: list[str] = []
    engine = open_engine(name, threads, runtime=runtime, say=lines.append)
    _say_other(lines, name, verb, runtime)
    return engine


def open_graded(
    name: str,
    threads: int,
    verb: str,
    runtime: str = EngineConfig.runtime,
    say: Callable[[str], object] | None = None,
) -> Engine:
    """Open an engine about which figures are wanted: nothing stands in for what is named.

    Args:
        name: As ``open_engine`` takes it.
        threads: CPU threads of one inference, 0 for one per core.
        verb: Who says that another plan of the very same model runs.
        runtime: What is to run it.
        say: Takes the line about what was chosen, whatever it is.

    Raises:
        ModelError: There is no such model, it cannot be used, or a plan or a runtime that is named
            cannot run.
    """
    from panoptic_ros.engine.open import open_engine

    is_runtime = runtime != EngineConfig.runtime
    fallback = "none" if is_runtime or name.endswith(".plan") else EngineConfig.fallback
    lines: list[str] = []
    try:
        engine = open_engine(
            name, threads, runtime=runtime, fallback=fallback, say=say or lines.append
        )
    except ModelError as error:
        if not is_runtime:
            raise
        raise type(error)(f"{name} does not run in {runtime}: {error}") from error
    _say_other(lines, name, verb, runtime)
    return engine


def _say_other(lines: list[str], name: str, verb: str, runtime: str) -> None:
    """Say on stderr what runs where that is not what was named."""
    from panoptic_ros.engine.open import PLAN_FITS

    for line in lines:
        if name.endswith(".plan"):
            is_other = PLAN_FITS not in line
        else:
            is_other = runtime != EngineConfig.runtime and any(part in line for part in _INSTEAD)
        if is_other:
            print(f"panoptic {verb}: {line}", file=sys.stderr)
