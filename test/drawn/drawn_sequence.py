# SPDX-License-Identifier: Apache-2.0
"""Small noisy sequences of labels and ids, of which reference scores are on record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLASS_COUNT = 4
THINGS = (2, 3)
VOID = 255


@dataclass(frozen=True, eq=False)
class Step:
    """Truth and prediction of one frame of a sequence."""

    sequence: str
    truth_labels: NDArray[np.uint8]
    truth_ids: NDArray[np.uint16]
    labels: NDArray[np.uint8]
    ids: NDArray[np.uint16]


def noisy_sequences(seed: int, frames: int = 6) -> Iterator[Step]:
    """Blocks of classes and ids, of which a quarter is predicted as something else.

    ``RandomState`` gives the same numbers in every NumPy, so that scores on record stay valid.
    """
    dice = np.random.RandomState(seed)
    for number in range(frames):
        labels = blocks(dice.choice([0, 1, 2, 2, 3, 3, VOID], (4, 5))).astype(np.uint8)
        ids = blocks(dice.choice([0, 1, 2, 3], (4, 5))).astype(np.uint16)
        agrees = dice.rand(*labels.shape) < 0.75
        other_labels = dice.choice([0, 1, 2, 3, VOID], labels.shape)
        other_ids = dice.choice([0, 1, 2, 7], labels.shape)
        yield Step(
            sequence="ab"[number % 2],
            truth_labels=labels,
            truth_ids=ids,
            labels=np.where(agrees, labels, other_labels).astype(np.uint8),
            ids=np.where(agrees, ids, other_ids).astype(np.uint16),
        )


def blocks(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Enlarge every value to a block of 2x2."""
    return values.repeat(2, axis=0).repeat(2, axis=1)
