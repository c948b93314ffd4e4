# SPDX-License-Identifier: Apache-2.0
"""Make images of several MB reach other processes through Fast DDS; see docs/transport.md."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from panoptic_ros.core.files.resources import resource

PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
"""Fast DDS 2 (Humble, Jazzy) reads the first; Fast DDS 3 (Kilted) the second, and warns of the
first."""

OTHER_CURES = ("FASTDDS_BUILTIN_TRANSPORTS",)
"""Variables by which a user says that the transports are taken care of."""


def profile() -> Path:
    """Fast DDS profile that comes with the package.

    Raises:
        ConfigError: It is not installed.
    """
    return resource("config", "fastdds.xml")


def is_taken_care_of(environment: Mapping[str, str] | None = None) -> bool:
    """Whether somebody has chosen the transports: us or the user."""
    known = os.environ if environment is None else environment
    return any(known.get(name) for name in (*PROFILE_VARIABLES, *OTHER_CURES))


def with_profile(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment for a process that sends or receives images.

    Args:
        environment: What to start from; this process's environment by default.

    Returns:
        A copy that names our profile, unless the user has chosen transports already.

    Raises:
        ConfigError: The profile is not installed.
    """
    made = dict(os.environ if environment is None else environment)
    if not is_taken_care_of(made):
        made.update(dict.fromkeys(profile_variables(), str(profile())))
    return made


def profile_variables() -> tuple[str, ...]:
    """Variables that the installed Fast DDS reads without a warning; all where it is unknown."""
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    for prefix in filter(None, prefixes):
        if Path(prefix, "share", "fastdds").is_dir():
            return PROFILE_VARIABLES[1:]
        if Path(prefix, "share", "fastrtps").is_dir():
            return PROFILE_VARIABLES[:1]
    return PROFILE_VARIABLES


def needs_warning(rmw: str, environment: Mapping[str, str] | None = None) -> bool:
    """Whether images are likely to get lost: Fast DDS with its own transports.

    Args:
        rmw: Identifier of the middleware, e.g. ``rmw_fastrtps_cpp``.
        environment: What to look at; this process's environment by default.
    """
    return "fastrtps" in rmw and not is_taken_care_of(environment)


def warning() -> str:
    """Say what is likely to get lost and what to do about it, in one line."""
    return (
        "Fast DDS uses its default transports here: other processes will probably lose the images "
        "over 0.5 MB that this one sends, and this one those of senders without the profile. Run "
        f"this in the sender's shell, and here: {_export()} (then check with: panoptic doctor)"
    )


def cure() -> str:
    """Say what to do where images are lost between a sender and this process."""
    return (
        f"start that node, not only this one, with {_export()} where it runs Fast DDS; where it "
        "does already, the machine or the network is overloaded (docs/transport.md)"
    )


def _export() -> str:
    return f"export {profile_variables()[0]}={profile()}"
