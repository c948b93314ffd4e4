# SPDX-License-Identifier: Apache-2.0
"""Which classes an object may be: votes of its pixels to probabilities that sum to one."""

from __future__ import annotations

from collections.abc import Mapping

Votes = tuple[tuple[int, float], ...]
"""Class index and its share of the votes, 0..1, the largest first."""

_LEAST_SHARE = 0.01
_MOST_CLASSES = 3


def shares(votes: Mapping[int, float]) -> Votes:
    """Turn votes to shares of all of them; classes with less than a hundredth are left out.

    Args:
        votes: Sum of votes by class index.

    >>> shares({13: 30.0, 14: 10.0, 15: 0.1})
    ((13, 0.7481296758104738), (14, 0.24937655860349128))
    """
    total = sum(votes.values())
    least = _LEAST_SHARE * total
    found = [(label, vote / total) for label, vote in votes.items() if vote >= least > 0.0]
    return tuple(sorted(found, key=lambda one: (-one[1], one[0])))


def probabilities(label: int, score: float, votes: Votes, void: int) -> dict[int, float]:
    """Tell the probability of each class that an object may be.

    Args:
        label: Its class.
        score: 0..1, how sure it is that there is one object of this class.
        votes: Shares of the classes that it was taken for; empty where all are for ``label``.
        void: Stands for what no class has.

    Returns:
        Up to three classes, ``label`` first, the others by falling probability; then ``void``,
        what is left to one: no object, or one of another class. ``label`` has ``score``, and
        never more than its share; the other classes have their shares in the same proportion.

    >>> probabilities(13, 0.75, (), void=255)
    {13: 0.75, 255: 0.25}
    >>> probabilities(13, 0.375, ((13, 0.75), (14, 0.25)), void=255)
    {13: 0.375, 14: 0.125, 255: 0.5}
    """
    share_of = dict(votes)
    own = share_of.pop(label, 0.0 if votes else 1.0)
    found = {label: min(score, own)}
    likely = found[label] / own if own > 0.0 else score
    for other, share in list(share_of.items())[: _MOST_CLASSES - 1]:
        found[other] = share * likely
    found[void] = max(0.0, 1.0 - sum(found.values()))
    return found
