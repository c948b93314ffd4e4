# SPDX-License-Identifier: Apache-2.0
"""Images that were published and never came, counted by the middleware's sequence numbers.

The middleware's own *message lost* event stays silent when a message is replaced in a queue of
depth 1 (seen with Fast DDS of Kilted), and that is where a busy node loses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST_LATE = 16


class LossCounter:
    """Follows the sequence numbers of every publisher of a topic.

    rclpy of Humble hands on no numbers, so nothing is counted there; that of Jazzy does not say
    whose they are, so there it is counted while a topic has one publisher.
    """

    def __init__(self) -> None:
        self._last: dict[bytes, int] = {}

    def lost_before(self, info: Mapping[str, Any], publishers: int) -> int:
        """Count what was lost between a message and the one before it.

        Args:
            info: What rclpy knows about the message.
            publishers: How many the topic has.

        >>> losses, front = LossCounter(), {"data": b"front"}
        >>> [
        ...     losses.lost_before({"publisher_gid": front, "publication_sequence_number": n}, 2)
        ...     for n in (7, 8, 12, 1)
        ... ]
        [0, 0, 3, 0]
        """
        number, publisher = info.get("publication_sequence_number"), info.get("publisher_gid")
        if number is None or (not publisher and publishers != 1):
            self._last.clear()
            return 0
        key, here = bytes(publisher["data"]) if publisher else b"", int(number)
        before = self._last.get(key, here - 1)
        # A late message has been counted as lost; a publisher that starts anew starts far below.
        is_late = before - _MOST_LATE < here < before
        self._last[key] = before if is_late else here
        return max(0, here - before - 1)
