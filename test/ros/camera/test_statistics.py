# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import time

import pytest

from panoptic_ros.ros.camera.statistics import COUNTS, CameraStatistics


def test_counts_are_kept_in_all_and_per_window() -> None:
    statistics = CameraStatistics()
    statistics.receive(replaced_another=False)
    statistics.receive(replaced_another=True)
    statistics.refuse("unknown encoding")
    statistics.publish(12.0, {"infer": 10.0}, tracks=3)
    first, second = statistics.report(), statistics.report()
    assert (first.received, first.published, first.tracks) == (2, 1, 3)
    assert (second.received, second.published) == (0, 0)
    assert (first.last_refusal, second.last_refusal) == ("unknown encoding", "")
    assert second.total == {
        **dict.fromkeys(COUNTS, 0),
        "received": 2,
        "published": 1,
        "dropped_busy": 1,
        "dropped_unusable": 1,
    }


def test_a_window_counts_what_came_since_the_report_before() -> None:
    statistics = CameraStatistics()
    for received, published in ((5, 3), (4, 2)):
        for _ in range(received):
            statistics.receive(replaced_another=False)
        for _ in range(published):
            statistics.publish(1.0, {}, 0)
        report = statistics.report()
        assert (report.received, report.published) == (received, published)


def test_windows_follow_each_other_without_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = iter((103.0, 110.0))
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    statistics = CameraStatistics(_since_s=100.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(now_s))
    assert [statistics.report().seconds for _ in range(2)] == [3.0, 7.0]


def test_an_image_beyond_the_rate_came_and_was_left_out() -> None:
    statistics = CameraStatistics()
    statistics.leave_out()
    statistics.leave_out(lost_before=3)
    report = statistics.report()
    assert {name: count for name, count in report.total.items() if count} == {
        "received": 2,
        "left_out": 2,
        "lost_in_transport": 3,
    }
    assert report.silent_s is not None
    assert report.waiting_s == 0.0
    assert report.tracks == 0


def test_the_last_512_results_are_summed_up() -> None:
    statistics = CameraStatistics()
    for ms in [0.0] * 257 + [10.0] * 256:
        statistics.publish(ms, {"infer": ms}, 0)
    report = statistics.report()
    assert report.stages_ms == {"infer": 5.0}
    assert report.latency_ms[0] == 5.0


def test_an_image_waits_from_its_coming_and_a_result_is_as_old_as_its_stamp(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    statistics = CameraStatistics()
    statistics.publish(2_000.0, {}, 0)
    statistics.receive(replaced_another=False)
    now_s = 103.0
    statistics.receive(replaced_another=True)
    now_s = 107.0
    report = statistics.report()
    assert (report.waiting_s, report.silent_s, report.age_s) == (7.0, 4.0, 9.0)


def test_latencies_are_summed_up_as_percentiles() -> None:
    statistics = CameraStatistics()
    for latency_ms in range(101):
        statistics.publish(float(latency_ms), {}, 0)
    assert statistics.report().latency_ms == pytest.approx((50.0, 95.0, 99.0))


@pytest.mark.parametrize(
    "latency_ms",
    [-5.0, 3.6e6, 1e12, math.nan],
    ids=["future", "an hour", "another clock", "no stamp"],
)
def test_stamps_of_another_clock_give_no_latency(latency_ms: float) -> None:
    statistics = CameraStatistics()
    statistics.publish(latency_ms, {}, 0)
    assert (statistics.report().latency_ms, statistics.report().age_s) == ((), None)


def test_stages_are_medians() -> None:
    statistics = CameraStatistics()
    for ms in (1.0, 2.0, 30.0):
        statistics.publish(1.0, {"infer": ms}, 0)
    assert statistics.report().stages_ms == {"infer": 2.0}


def test_silence_is_the_time_since_the_last_image(monkeypatch: pytest.MonkeyPatch) -> None:
    statistics = CameraStatistics()
    assert statistics.report().silent_s is None
    for now_s, silent_s in ((100.0, 2.5), (200.0, 0.5)):
        monkeypatch.setattr(time, "monotonic", lambda now_s=now_s: now_s)
        statistics.receive(replaced_another=False)
        monkeypatch.setattr(time, "monotonic", lambda now_s=now_s + silent_s: now_s)
        assert statistics.report().silent_s == silent_s


def test_nobody_waits_before_an_image_and_after_its_result() -> None:
    statistics = CameraStatistics()
    assert statistics.report().waiting_s == 0.0
    statistics.receive(replaced_another=False)
    assert statistics.report().waiting_s > 0.0
    statistics.publish(1.0, {}, 0)
    assert statistics.report().waiting_s == 0.0


def test_losses_and_events_are_counted_by_cause() -> None:
    statistics = CameraStatistics()
    statistics.receive(replaced_another=False, lost_before=3)
    statistics.jump_back()
    statistics.publish_void()
    statistics.come_late()
    statistics.come_late()
    total = statistics.report().total
    assert (total["lost_in_transport"], total["stamp_jumps"], total["taken_back"]) == (3, 1, 1)
    assert total["late"] == 2


def test_the_age_of_the_last_result_grows_from_its_latency() -> None:
    statistics = CameraStatistics()
    assert statistics.report().age_s is None
    statistics.publish(5_000.0, {}, 0)
    first, second = statistics.report().age_s, statistics.report().age_s
    assert first is not None
    assert second is not None
    assert 5.0 <= first <= second
