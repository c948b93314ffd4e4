# SPDX-License-Identifier: Apache-2.0
"""What the heads shall say about a crop."""

from __future__ import annotations

import numpy as np

from panoptic_ros.model.training.augment import Labelled
from panoptic_ros.model.training.targets import draw_targets

THINGS = np.array([False, True])
STRIDE = 4


def test_offsets_point_at_the_centre_of_mass_and_not_of_the_box() -> None:
    instances = np.zeros((32, 32), np.uint16)
    instances[4:8, 4:28] = 1
    instances[8:28, 4:12] = 1
    labels = (instances > 0).astype(np.uint8)
    crop = Labelled(np.zeros((32, 32, 3), np.uint8), labels, instances)
    targets = draw_targets(crop, THINGS, STRIDE)
    # 96 pixels around row 5.5 and column 15.5, 160 around row 17.5 and column 7.5.
    y, x = (96 * 5.5 + 160 * 17.5) / 256, (96 * 15.5 + 160 * 7.5) / 256
    rows, columns = np.nonzero(targets.offset_weight[0])
    assert rows.size == 16
    pointed = np.stack((rows, columns)) + targets.offset[:, rows, columns]
    middle = [(y + 0.5) / STRIDE - 0.5, (x + 0.5) / STRIDE - 0.5]
    np.testing.assert_allclose(pointed, np.array([middle] * 16).T, atol=1e-5)
