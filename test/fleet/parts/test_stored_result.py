# SPDX-License-Identifier: Apache-2.0
"""A result that is stored for a join comes back as it was."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from panoptic_ros.core.result import Result
from panoptic_ros.fleet.parts.stored_result import pack, unpack
from test.drawn.drawn_result import LABELS, drawn_result


def told(result: Result) -> dict[str, object]:
    panoptic, drivable = asdict(result.panoptic), asdict(result.drivable)
    arrays = {**panoptic, **{f"drivable {name}": value for name, value in drivable.items()}}
    return {
        **{name: np.asarray(value).tolist() for name, value in arrays.items()},
        "tracks": result.tracks,
        "stages_ms": result.stages_ms,
        "segments": result.panoptic.segments,
    }


@pytest.mark.parametrize("has_ego", [False, True])
def test_nothing_of_a_result_is_lost(has_ego: bool) -> None:
    result = replace(drawn_result(), stages_ms={"infer": 1.25})
    one = replace(result.tracks[0], velocity=(0.1, -1e-9), pieces=(2,), state="refound")
    votes = ((2, 0.75), (3, 0.25))
    one = replace(one, segment=replace(one.segment, votes=votes), votes=votes)
    ego = np.eye(16, 24, dtype=np.bool_) if has_ego else None
    panoptic = replace(result.panoptic, ego=ego)
    result = replace(result, tracks=(one, result.tracks[1]), panoptic=panoptic)
    assert told(unpack(pack(result), result.frame, LABELS)) == told(result)
