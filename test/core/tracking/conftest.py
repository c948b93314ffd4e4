# SPDX-License-Identifier: Apache-2.0
"""A tracker of usual thresholds."""

from __future__ import annotations

import pytest

from panoptic_ros.core.config import TrackConfig
from panoptic_ros.core.tracking import Tracker


@pytest.fixture
def tracker() -> Tracker:
    return Tracker(TrackConfig())
