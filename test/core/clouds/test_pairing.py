# SPDX-License-Identifier: Apache-2.0
"""Which result labels which cloud."""

from __future__ import annotations

from dataclasses import replace

import pytest

from panoptic_ros.core.clouds.pairing import MOST_WAITING, Paired, Pairing
from panoptic_ros.core.result import Result
from test.drawn.drawn_result import drawn_result

MS = 1_000_000
MAX_S = 0.05


def result(time_ms: int) -> Result:
    drawn = drawn_result()
    return replace(drawn, frame=replace(drawn.frame, stamp_ns=time_ms * MS))


def times(pairs: list[Paired[str]]) -> list[tuple[str, int | None]]:
    return [
        (pair.item, pair.result and pair.result.frame.stamp_ns // MS)  # type: ignore[misc]
        for pair in pairs
    ]


def test_a_cloud_waits_for_the_image_after_it_and_takes_the_nearer_one() -> None:
    pairing: Pairing[str] = Pairing()
    assert not pairing.take(result(1000), MAX_S)
    for name, time_ms in (("near first", 1010), ("near second", 1030), ("later", 1050)):
        assert pairing.put(name, time_ms * MS) == 0
    found = times(pairing.take(result(1040), MAX_S))
    assert found == [("near first", 1000), ("near second", 1040)]
    assert times(pairing.take(result(1080), MAX_S)) == [("later", 1040)]


def test_a_cloud_far_from_every_image_has_none() -> None:
    pairing: Pairing[str] = Pairing()
    pairing.put("lonely", 500 * MS)
    (pair,) = pairing.take(result(1000), MAX_S)
    assert pair.result is None
    assert pair.offset_s == 0.5


@pytest.mark.parametrize(("time_ms", "found"), [(950, 1000), (949, None)], ids=["equal", "more"])
def test_a_cloud_as_far_from_an_image_as_may_be_has_one(time_ms: int, found: int | None) -> None:
    pairing: Pairing[str] = Pairing()
    pairing.put("early", time_ms * MS)
    assert times(pairing.take(result(1000), MAX_S)) == [("early", found)]


def test_clouds_that_wait_for_nothing_give_way() -> None:
    pairing: Pairing[str] = Pairing()
    lost = [pairing.put(str(number), number) for number in range(MOST_WAITING + 3)]
    assert lost == [0] * MOST_WAITING + [1, 1, 1]


def test_the_end_of_a_recording_gives_those_that_still_wait() -> None:
    pairing: Pairing[str] = Pairing()
    pairing.take(result(1000), MAX_S)
    pairing.put("last", 1020 * MS)
    pairing.put("too late", 1080 * MS)
    assert times(pairing.finish(MAX_S)) == [("last", 1000), ("too late", None)]
    assert not pairing.finish(MAX_S)


def test_a_recording_that_starts_again_is_not_labelled_by_its_end() -> None:
    pairing: Pairing[str] = Pairing()
    pairing.take(result(5000), MAX_S)
    pairing.put("again", 990 * MS)
    assert times(pairing.take(result(1000), MAX_S)) == [("again", 1000)]


def test_a_cloud_from_the_end_of_a_recording_is_none_of_the_next() -> None:
    pairing: Pairing[str] = Pairing()
    pairing.take(result(5000), MAX_S)
    pairing.put("end", 5020 * MS)
    pairing.put("again", 990 * MS)
    assert times(pairing.take(result(1000), MAX_S)) == [("end", None), ("again", 1000)]
    assert times(pairing.take(result(5040), MAX_S)) == []


def test_the_end_of_a_recording_is_far_from_a_start_that_is_near_in_time() -> None:
    pairing: Pairing[str] = Pairing()
    pairing.take(result(1000), 1.0)
    pairing.put("end", 1020 * MS)
    (pair,) = pairing.take(result(400), 1.0)
    assert (pair.item, pair.result, pair.offset_s) == ("end", None, float("inf"))


def test_images_are_not_kept() -> None:
    pairing: Pairing[str] = Pairing()
    pairing.put("one", 1000 * MS)
    (pair,) = pairing.take(result(1000), MAX_S)
    assert pair.result is not None
    assert pair.result.camera_size == drawn_result().camera_size
    assert pair.result.frame.image.strides[0] == 0
