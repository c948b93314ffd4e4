# SPDX-License-Identifier: Apache-2.0
"""Opens the engine of a verb, and says where something else runs than the user named."""

from __future__ import annotations

import sys
from collections.abc import Callable

from panoptic_ros.core.engine_config import EngineConfig
from panoptic_ros.core.errors import ModelError
from panoptic_ros.core.model import Engine


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

    return open_engine(name, threads, runtime=runtime, say_other=_teller(verb))


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
        say: Takes the line about what was chosen, whatever it is; then ``verb`` says nothing.

    Raises:
        ModelError: There is no such model, it cannot be used, or a plan or a runtime that is named
            cannot run.
    """
    from panoptic_ros.engine.open import open_engine

    is_runtime = runtime != EngineConfig.runtime
    fallback = "none" if is_runtime or name.endswith(".plan") else EngineConfig.fallback
    say, say_other = (say, _nobody) if say else (_nobody, _teller(verb))
    try:
        return open_engine(
            name, threads, runtime=runtime, fallback=fallback, say=say, say_other=say_other
        )
    except ModelError as error:
        if not is_runtime:
            raise
        raise type(error)(f"{name} does not run in {runtime}: {error}") from error


def _nobody(line: str) -> None:
    """Take a line that is said elsewhere, or to nobody."""


def _teller(verb: str) -> Callable[[str], object]:
    """Make what says a verb's line on stderr."""
    return lambda line: print(f"panoptic {verb}: {line}", file=sys.stderr)
