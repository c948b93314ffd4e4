# SPDX-License-Identifier: Apache-2.0
"""One engine for many bags, opened anew where it failed."""

from __future__ import annotations

import pytest

from panoptic_ros.core.errors import DataError, EngineRunError
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.job_engine import JobEngine


@pytest.mark.parametrize(
    ("error", "is_kept"),
    [(DataError("a bag is damaged"), True), (EngineRunError("out of memory"), False)],
    ids=["another mistake", "the engine"],
)
def test_an_engine_that_failed_is_opened_anew_for_the_next_bag(
    error: Exception, is_kept: bool
) -> None:
    engine = JobEngine(Job("drawn"))
    before = engine.pipeline()
    engine.forget(error)
    assert (engine.pipeline() is before) is is_kept
    engine.close()
