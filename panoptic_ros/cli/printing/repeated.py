# SPDX-License-Identifier: Apache-2.0
"""What is named more than once counts once, and that is said."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from panoptic_ros.core.errors import counted, listed


def tell_repeated(verb: str, what: str, names: Iterable[object]) -> None:
    """Say on stderr what was named more than once; nothing where there is none.

    Args:
        verb: Who says it.
        what: What they are, in the singular.
        names: The repeated ones.
    """
    told = list(dict.fromkeys(map(str, names)))
    if told:
        print(
            f"panoptic {verb}: {counted(len(told), what)} named more than once, taken once: "
            f"{listed(told)}",
            file=sys.stderr,
        )
