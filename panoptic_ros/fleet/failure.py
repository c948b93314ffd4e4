# SPDX-License-Identifier: Apache-2.0
"""Why a bag has no result, in words; and the time that it may take."""

from __future__ import annotations

import time

from panoptic_ros.core.errors import PanopticError


class LimitError(Exception):
    """A bag took longer than it may."""


def check_limit(started: float, limit_s: float | None) -> None:
    """Stop what takes too long.

    Args:
        started: Seconds of the monotonic clock.
        limit_s: Seconds that it may take, None for any time.

    Raises:
        LimitError: It took longer.
    """
    if limit_s is not None and seconds_since(started) > limit_s:
        raise LimitError(f"took longer than {limit_s:g} s; raise --limit-s")


def seconds_since(started: float) -> float:
    """Say how long ago something started, to milliseconds."""
    return round(time.monotonic() - started, 3)


def words(error: BaseException) -> str:
    """Say in one line what went wrong; the name of what is no error of ours is part of it."""
    text = " ".join(str(error).split()) or "no more is known"
    own = isinstance(error, (PanopticError, LimitError))
    return text if own else f"{type(error).__name__}: {text}"
