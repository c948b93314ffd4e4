# SPDX-License-Identifier: Apache-2.0
"""Notice that another node has the node's own name: both publish on the same topics."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from panoptic_ros.ros.protocols import Logger

LASTS_S = 25.0
"""For so long two nodes of one name are no matter: one that was killed stays in the graph until
its lease ends, with Fast DDS for 20 s."""


class NamedNode(Protocol):
    """What the watch needs of a node."""

    def get_fully_qualified_name(self) -> str: ...  # noqa: D102

    def get_node_names_and_namespaces(self) -> Sequence[tuple[str, str]]: ...  # noqa: D102

    def get_logger(self) -> Logger: ...  # noqa: D102


class NameWatch:
    """Looks for nodes of one node's name; used by the executor's thread.

    Args:
        node: Whose name.
        now_s: The steady clock.

    Attributes:
        problem: What is to be said while it lasts, else empty.
    """

    def __init__(self, node: NamedNode, now_s: Callable[[], float] = time.monotonic) -> None:
        self._node = node
        self._now_s = now_s
        self._alone_s = now_s()
        self.problem = ""

    def look(self) -> None:
        """Warn where another node has had the name for a while, once until it is gone."""
        name = self._node.get_fully_qualified_name()
        names = self._node.get_node_names_and_namespaces()
        if sum(f"{space.rstrip('/')}/{own}" == name for own, space in names) < 2:
            self._alone_s, self.problem = self._now_s(), ""
        elif not self.problem and self._now_s() - self._alone_s >= LASTS_S:
            self.problem = (
                f"another node is called {name}, too: both publish on the same topics, and "
                "parameters and services reach either of them; end one, or give it another name "
                "or namespace (-r __node:=NAME, -r __ns:=/NAMESPACE; ros2 launch: name:=NAME, "
                "namespace:=NAMESPACE)"
            )
            self._node.get_logger().warning(self.problem)
