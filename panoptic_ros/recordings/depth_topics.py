# SPDX-License-Identifier: Apache-2.0
"""Which image topics of a bag hold depth, and not what a camera saw."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from panoptic_ros.messages.compressed import holds_depth
from panoptic_ros.recordings.open_bag import OpenBag
from panoptic_ros.recordings.storage.decode import decoded
from panoptic_ros.recordings.storage.record import Record


def depth_topics(bag: OpenBag, names: Iterable[str]) -> set[str]:
    """Those image topics whose images are depth, as their first whole message says.

    Depth cameras publish it under the same types as colours.

    Args:
        bag: The bag; of each topic its first messages are read.
        names: Image topics.
    """
    return {name for name in names if holds_depth(_first(bag.records({name})))}


def _first(records: Iterable[Record]) -> Any:
    """The first message that is whole, None where there is none."""
    return next((found for record in records if (found := _message(record)) is not None), None)


def _message(record: Record) -> Any:
    try:
        return decoded(record)
    except Exception:  # rosbags raises whatever its parser trips over; reading counts it
        return None
