# SPDX-License-Identifier: Apache-2.0
"""Which image topics of a bag are those of cameras, one for each."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from panoptic_ros.messages.compressed import holds_depth
from panoptic_ros.recordings.open_bag import OpenBag
from panoptic_ros.recordings.storage.decode import decoded
from panoptic_ros.recordings.storage.record import Record


def one_for_each_camera(names: Collection[str]) -> list[str]:
    """Leave out the topics that hold the images of another once more.

    >>> one_for_each_camera(["/front/image_raw", "/front/image_raw/compressed", "/rear/image"])
    ['/front/image_raw', '/rear/image']
    """
    return sorted(name for name in names if name.rpartition("/")[0] not in names)


def without_depth(bag: OpenBag, names: Collection[str]) -> list[str]:
    """Leave out the topics whose images are depth, as their first whole message says.

    Depth cameras publish it under the same types as colours.

    Args:
        bag: The bag; of each of several topics its first messages are read.
        names: Image topics; one alone stays.
    """
    if len(names) < 2:
        return list(names)
    return [name for name in names if not holds_depth(_first(bag.records({name})))]


def _first(records: Iterable[Record]) -> Any:
    """The first message that is whole, None where there is none."""
    return next((found for record in records if (found := _message(record)) is not None), None)


def _message(record: Record) -> Any:
    try:
        return decoded(record)
    except Exception:  # rosbags raises whatever its parser trips over; reading counts it
        return None
