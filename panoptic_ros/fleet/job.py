# SPDX-License-Identifier: Apache-2.0
"""What is to be done with every bag, and the key that tells whether it has been done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from panoptic_ros import __version__
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.fleet.parts.cut import Cut

MCAP = "mcap"
"""The format of results as a bag; the others are those of ``panoptic predict``."""

TOPICS = (
    "label/compressed",
    "instance/compressed",
    "panoptic/compressed",
    "drivable/compressed",
    "detections",
)
"""What a bag of labels holds of each camera, beside label_info and camera_info."""

_RUNNING = ("threads", "limit_s", "scratch", "scratch_bytes", "retries_failed")
"""How a job runs; the rest says what comes out."""


@dataclass(frozen=True)
class Job:
    """What is to be done with every bag; workers get it as it is.

    Attributes:
        engine: Name of a shipped model, or a file that every worker can read.
        model_sha256: Check sum of that model, empty for an engine without a file.
        config: The node's parameters that shape results; the others are the defaults.
        files: Check sums of the files that parameters name, by what names them.
        image_topics: Whose images are labelled; empty for all of a bag.
        format: ``mcap``, or a format of label files.
        outputs: Topics below the node's name in a bag of labels.
        is_merged: Whether a bag of labels also holds what the input holds.
        has_page: Whether each bag gets a page like that of ``panoptic replay --report``.
        threads: Threads of one inference.
        limit_s: Seconds that one bag, or a part of one, may take, None for any time.
        scratch: Folder for copies and half-written files; empty for one in the output folder.
        scratch_bytes: Bytes that the copy of one bag may take.
        retries_failed: Whether bags that failed before are tried again.
        cut: How long bags are cut, None for not at all.
    """

    engine: str
    model_sha256: str = ""
    config: NodeConfig = field(default_factory=NodeConfig)
    files: Mapping[str, str] = field(default_factory=dict)
    image_topics: tuple[str, ...] = ()
    format: str = MCAP
    outputs: tuple[str, ...] = TOPICS
    is_merged: bool = False
    has_page: bool = False
    threads: int = 1
    limit_s: float | None = None
    scratch: str = ""
    scratch_bytes: int = 20 << 30
    retries_failed: bool = False
    cut: Cut | None = None

    @property
    def parameters_sha256(self) -> str:
        """Check sum of the parameters, and of the files that they name."""
        return _digest([asdict(self.config), dict(self.files)])

    def key(self, uri: str, fingerprint: str) -> str:
        """Tell what a bag's results were made from; equal keys mean equal results.

        Args:
            uri: Address of the bag.
            fingerprint: Its etag, or size and time of change.
        """
        content = {name: value for name, value in asdict(self).items() if name not in _RUNNING}
        return _digest([__version__, uri, fingerprint, content])


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
