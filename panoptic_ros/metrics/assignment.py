# SPDX-License-Identifier: Apache-2.0
"""The best assignment of rows to columns; SciPy's part of it is imported when first needed.

Importing ``scipy.optimize`` takes longer than all other imports of an evaluation together, and
scores of single images do without it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def largest_sum(
    gain: NDArray[np.integer] | NDArray[np.floating],  # type: ignore[type-arg]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pair rows and columns, each at most once, so that the sum of their gains is largest.

    Args:
        gain: (N, M).

    Returns:
        Rows, rising, and their columns, (min(N, M),) each.

    >>> rows, columns = largest_sum(np.array([[1, 9], [0, 7]]))
    >>> rows.tolist(), columns.tolist()
    ([0, 1], [1, 0])
    """
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(gain, maximize=True)
    return rows, columns
