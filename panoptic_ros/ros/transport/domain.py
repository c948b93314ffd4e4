# SPDX-License-Identifier: Apache-2.0
"""A ROS domain that no other run on this machine uses, so that two demos cannot hear each other.

Domains up to 101 are free for use on every platform
(https://docs.ros.org/en/rolling/Concepts/Intermediate/About-Domain-ID.html).
"""

from __future__ import annotations

import fcntl
import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from panoptic_ros.core.errors import ConfigError

VARIABLE = "ROS_DOMAIN_ID"
DOMAINS = range(1, 102)
"""0 is the one that everybody is in who has not chosen."""


@contextmanager
def own_domain() -> Iterator[int]:
    """Reserve a domain among the runs of this user until the block is left.

    A process that is killed gives its domain back, as the operating system drops its lock.

    Raises:
        ConfigError: All domains are taken, or the temporary folder cannot be written to.
    """
    folder = Path(tempfile.gettempdir()) / f"panoptic_ros-domains-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for domain in random.sample(DOMAINS, len(DOMAINS)):
            with (folder / str(domain)).open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield domain
                return
    except OSError as error:
        raise ConfigError(
            f"{folder}: no ROS domain can be reserved there ({error.strerror}); set {VARIABLE}, "
            "or TMPDIR to a folder that can be written to"
        ) from error
    raise ConfigError(
        f"all {len(DOMAINS)} ROS domains are in use by runs of this user; end some, or set "
        f"{VARIABLE} to share one"
    )
