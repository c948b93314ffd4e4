# SPDX-License-Identifier: Apache-2.0
"""A bag that takes as long as it may is labelled; one that takes longer is not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from panoptic_ros.fleet import failure
from panoptic_ros.fleet.failure import LimitError, check_limit


@pytest.fixture
def ten_seconds_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure, "time", SimpleNamespace(monotonic=lambda: 110.0))


@pytest.mark.usefixtures("ten_seconds_later")
@pytest.mark.parametrize("limit_s", [None, 10.0, 10.5])
def test_a_bag_may_take_exactly_its_limit(limit_s: float | None) -> None:
    check_limit(100.0, limit_s)


@pytest.mark.usefixtures("ten_seconds_later")
def test_a_bag_that_takes_longer_is_ended_with_its_limit() -> None:
    with pytest.raises(LimitError, match=r"took longer than 9\.5 s"):
        check_limit(100.0, 9.5)
