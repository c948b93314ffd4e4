# SPDX-License-Identifier: Apache-2.0
"""The engine of a job, opened when it is first needed, and anew after it failed."""

from __future__ import annotations

import socket

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import EngineRunError, ModelError
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.fleet.job import Job


class JobEngine(Closing):
    """Holds the pipeline of one worker; used by one thread; owns the engine.

    Args:
        job: Says which engine, and its check sum.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._pipeline: Pipeline | None = None

    def close(self) -> None:
        """Close the engine; safe to call twice."""
        if self._pipeline is not None:
            pipeline, self._pipeline = self._pipeline, None
            pipeline.engine.close()

    def pipeline(self) -> Pipeline:
        """Give the pipeline.

        Raises:
            ModelError: There is no such model, or it is not that of the job.
        """
        if self._pipeline is None:
            from panoptic_ros.engine.open import open_engine

            job, found = self._job, model_sha256(self._job.engine)
            if found != job.model_sha256:
                raise ModelError(
                    f"{job.engine} has the check sum {found[:12]} on {socket.gethostname()}, the "
                    f"job is for {job.model_sha256[:12]}; give every machine the same file"
                )
            self._pipeline = Pipeline(open_engine(job.engine, job.threads), job.config)
        return self._pipeline

    def forget(self, error: Exception) -> None:
        """Open an engine that failed anew for the next bag."""
        if isinstance(error, EngineRunError):
            self.close()


def model_sha256(engine: str) -> str:
    """Check sum of a model, empty for an engine without a file.

    Raises:
        ModelError: There is no such model.
    """
    from panoptic_ros.engine.models import find_model, shipped_models
    from panoptic_ros.engine.open import DRAWN
    from panoptic_ros.engine.storage.manifest import sha256_of

    if engine == DRAWN and engine not in shipped_models():
        return ""
    return sha256_of(find_model(engine))
