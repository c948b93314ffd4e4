# SPDX-License-Identifier: Apache-2.0
"""Verbs over drawn pictures: the engine ``painted`` instead of a model file."""

from __future__ import annotations

import pytest

from test.cli.painted_engine import PaintedEngine


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``--engine painted`` open the engine that reads painted pictures."""
    from panoptic_ros.engine import open as engines

    real = engines.open_engine

    def opened(name: str, threads: int = 0) -> object:
        return PaintedEngine() if name == "painted" else real(name, threads)

    monkeypatch.setattr(engines, "open_engine", opened)
