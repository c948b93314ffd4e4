# SPDX-License-Identifier: Apache-2.0
"""The engine of a job, opened when it is first needed, and anew after it failed."""

from __future__ import annotations

import hashlib
import socket

from panoptic_ros.core.camera.ego_mask import EgoMask
from panoptic_ros.core.classes.remap import REMAPPED_TOPICS, find_remap, read_remap
from panoptic_ros.core.closing import Closing
from panoptic_ros.core.drivable.empty import no_class_warning
from panoptic_ros.core.errors import ConfigError, EngineRunError, ModelError
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.fleet.job import MCAP, Job


class JobEngine(Closing):
    """Holds the pipeline of one worker; used by one thread; owns the engine.

    Args:
        job: Says which engine, and its check sum.

    Attributes:
        notes: What runs in place of the plan that is named, and why, and that no class is
            drivable where the surface is to be written; else empty.
    """

    def __init__(self, job: Job) -> None:
        self.notes: list[str] = []
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
            ConfigError: A file that a parameter names is not that of the job.
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
            _check_files(job)
            self.notes.clear()
            engine = open_engine(job.engine, job.threads, say_other=self.notes.append)
            self._pipeline = Pipeline(engine, job.config.pipeline)
            if job.format == MCAP and "drivable" in job.outputs:
                warning = no_class_warning(engine.spec.labels, job.config.pipeline.drivable)
                self.notes.extend(filter(None, [warning]))
        return self._pipeline

    def forget(self, error: Exception) -> None:
        """Open an engine that failed anew for the next bag."""
        if isinstance(error, EngineRunError):
            self.close()


def _check_files(job: Job) -> None:
    found = parameter_files(job.config)
    for name, digest in job.files.items():
        if found.get(name) != digest:
            raise ConfigError(
                f"{name} on {socket.gethostname()} is not the file that the job is for; give "
                "every machine the same file"
            )


def parameter_files(config: NodeConfig) -> dict[str, str]:
    """Check sums of the remap files and ego masks that parameters name, by what names them.

    Raises:
        ConfigError: A file is missing or cannot be used.
    """
    words = {getattr(config.remap, parameter) for parameter in REMAPPED_TOPICS.values()}
    paths = {word: find_remap(word) for word in sorted(words - {""})}
    for remap in paths.values():
        read_remap(remap)
    for word in sorted({*config.of_cameras.ego_mask} - {""}):
        path = EgoMask(word).path
        if path is not None:
            paths[word] = path
    return {word: hashlib.sha256(path.read_bytes()).hexdigest() for word, path in paths.items()}


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
