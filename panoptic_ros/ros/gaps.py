# SPDX-License-Identifier: Apache-2.0
"""Pictures that were published and never came, counted by the middleware's sequence numbers.

The middleware's own *message lost* event stays silent when a message is replaced in a queue of
depth 1 (seen with Fast DDS of Kilted), and that is where a busy node loses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Gaps:
    """Follows the sequence numbers of every publisher of a topic.

    Nothing is counted where the middleware names no publisher or no number, as rclpy of Humble.
    """

    def __init__(self) -> None:
        self._last: dict[bytes, int] = {}

    def lost_before(self, info: Mapping[str, Any]) -> int:
        """Count what was lost between a message and the one before it.

        Args:
            info: What rclpy knows about the message.

        >>> gaps, front = Gaps(), {"data": b"front"}
        >>> numbers = (7, 8, 12, 1)
        >>> [
        ...     gaps.lost_before({"publisher_gid": front, "publication_sequence_number": number})
        ...     for number in numbers
        ... ]
        [0, 0, 3, 0]
        """
        number, publisher = info.get("publication_sequence_number"), info.get("publisher_gid")
        if number is None or not publisher:
            return 0
        key, here = bytes(publisher["data"]), int(number)
        before, self._last[key] = self._last.get(key, here - 1), here
        return max(0, here - before - 1)
