# SPDX-License-Identifier: Apache-2.0
"""The kinds of networks that can be decoded, by the name that a model's metadata says.

Engines, the comparison of plans, export and the reader of metadata all look here: another kind is
a file beside this one and a line below.
"""

from __future__ import annotations

from typing import Any

from panoptic_ros.core.decoding import center_offset, query, semantic
from panoptic_ros.core.decoding.kind import DecoderKind
from panoptic_ros.core.types import Heads

KINDS: dict[str, DecoderKind[Any]] = {
    "center_offset": center_offset.KIND,
    "query": query.KIND,
    "semantic": semantic.KIND,
}


def kind_of(heads: Heads) -> DecoderKind[Any]:
    """Find the kind that heads belong to.

    Raises:
        TypeError: To none: a fault of the program.
    """
    for kind in KINDS.values():
        if type(heads) is kind.heads:
            return kind
    raise TypeError(f"{type(heads).__name__} are the heads of no decoder kind: {', '.join(KINDS)}")
