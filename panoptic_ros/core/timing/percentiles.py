# SPDX-License-Identifier: Apache-2.0
"""Times summed up by the percentiles that everybody compares."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

PERCENTILES = (50, 95, 99)


def percentiles(values_ms: Collection[float], decimals: int = 3) -> dict[str, float]:
    """Sum times up as ``{"p50", "p95", "p99"}``; zeros where there is nothing.

    Args:
        values_ms: Milliseconds, in any order.
        decimals: How many are kept.

    >>> percentiles([1.0, 2.0, 3.0])["p50"]
    2.0
    """
    if not values_ms:
        return {f"p{part}": 0.0 for part in PERCENTILES}
    found = np.percentile(list(values_ms), PERCENTILES).tolist()
    return {
        f"p{part}": round(value, decimals) for part, value in zip(PERCENTILES, found, strict=True)
    }
