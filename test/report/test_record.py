# SPDX-License-Identifier: Apache-2.0
"""The figures of a run, and the page about it."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from panoptic_ros.core.result import Result
from panoptic_ros.core.types import Frame
from panoptic_ros.report.charts import Row, Series, histogram, line_chart, timeline
from panoptic_ros.report.from_messages import result_from_messages
from panoptic_ros.report.page import render
from panoptic_ros.report.record import FrameFacts, RunRecord, class_shares
from panoptic_ros.report.samples import MOST_MOMENTS, SampledFrames
from test.drawn.painted_engine import LABELS

SECOND_NS = 10**9


def record_of(*tracks: list[tuple[int, int]]) -> RunRecord:
    """One frame per second; each tells (track id, class)."""
    record = RunRecord("t", "s", "e", LABELS, "l")
    record.frames = [
        FrameFacts(number * SECOND_NS, 10.0 + number, tuple(seen), 0.25, {0: 0.5, 1: 0.25})
        for number, seen in enumerate(tracks)
    ]
    return record


def test_a_track_is_one_life_with_gaps() -> None:
    lives = record_of([(1, 2)], [(1, 2)], [], [(1, 0)], [(1, 2), (7, 2)]).tracks()
    assert [(life.id, life.label, life.frames) for life in lives] == [(1, 2, 4), (7, 2, 1)]
    assert lives[0].spans_s == ((0.0, 1.0), (3.0, 4.0))
    assert lives[1].spans_s == ((4.0, 4.0),)


def test_the_figures_are_plain_json() -> None:
    stats = record_of([(1, 2), (2, 2)], [(1, 2)]).stats()
    assert json.loads(json.dumps(stats)) == stats
    assert stats["objects_per_frame"] == {"car": {"mean": 1.5, "most": 2}}
    assert stats["latency_ms"]["p50"] == 10.5
    assert stats["class_shares"] == {"road": 0.5, "sky": 0.25}
    assert stats["drivable_share"] == 0.25


def test_void_counts_in_the_whole_but_has_no_share() -> None:
    labels = np.full((8, 8), 255, np.uint8)
    labels[:4] = 1
    assert class_shares(labels) == {1: 0.5}


@pytest.mark.parametrize("count", [0, 1, 2], ids=["no frame", "one frame", "two frames"])
def test_a_short_run_still_makes_a_page(count: int) -> None:
    pytest.importorskip("jinja2")
    text = render(record_of(*[[(1, 2)]] * count), [])
    assert f"<b>{count}</b><span>processed</span>" in text


def test_words_from_outside_cannot_become_markup() -> None:
    pytest.importorskip("jinja2")
    record = record_of([(1, 2)], [(1, 2)])
    record.notes = ["<script>alert(1)</script>"]
    record.title = "<b>x</b>"
    text = render(record, [])
    assert "<script" not in text
    assert "<b>x</b>" not in text


@pytest.mark.parametrize(
    "chart",
    [
        line_chart([0, 1], [Series("a<b", [1, 2], "red")], "x", "y"),
        line_chart([0, 1], [Series("flat", [0, 0], "red")], "x", "y"),
        histogram([1.0, 1.0, 500.0], "ms", [("p50", 1.0)]),
        timeline([Row("car & 1", "#fff", [(0.0, 1.0)])], 2.0, "s"),
    ],
    ids=["lines", "flat line", "histogram", "timeline"],
)
def test_charts_are_well_formed(chart: str) -> None:
    assert ElementTree.fromstring(chart).tag == "svg"


def test_a_chart_of_nothing_is_nothing() -> None:
    assert line_chart([], [], "x", "y") == histogram([], "x", []) == timeline([], 1.0, "s") == ""


@pytest.mark.parametrize("count", [1, 6, 7, 100])
def test_the_album_keeps_moments_from_the_whole_run(count: int) -> None:
    sampled = SampledFrames(LABELS)
    labels = np.zeros((24, 32), np.uint8)
    for number in range(count):
        frame = Frame(np.zeros((24, 32, 3), np.uint8), number)
        sampled.offer(result_from_messages(frame, labels, labels.astype(np.uint16), labels))
    stamps = [sample.stamp_ns for sample in sampled.samples()]
    assert len(stamps) == min(count, MOST_MOMENTS)
    assert stamps == sorted(set(stamps))
    assert stamps[0] == 0
    assert stamps[-1] >= 0.75 * (count - 1)


def test_a_result_is_rebuilt_from_its_images() -> None:
    labels = np.zeros((6, 8), np.uint8)
    ids = np.zeros((6, 8), np.uint16)
    labels[1:3, 2:5], ids[1:3, 2:5] = 2, 900
    labels[4:, 6:], ids[4:, 6:] = 2, 17
    surface = np.where(labels == 0, 255, 0).astype(np.uint8)
    result = result_from_messages(Frame(np.zeros((12, 16, 3), np.uint8), 5), labels, ids, surface)
    np.testing.assert_array_equal(result.track_ids(), ids)
    np.testing.assert_array_equal(result.track_labels(), labels)
    assert [(one.id, one.segment.box, one.segment.area) for one in result.tracks] == [
        (17, (6, 4, 8, 6), 4),
        (900, (2, 1, 5, 3), 6),
    ]
    assert result.drivable.boundary.tolist() == [-1, -1, 2, 2, 2, -1, 5, 5]


def test_warnings_stand_in_a_box_of_their_own_and_remarks_do_not() -> None:
    pytest.importorskip("jinja2")
    record = record_of([(1, 2)])
    record.notes.append("The node received 3 images.")
    calm = render(record, [])
    assert "The node received 3 images." in calm
    assert "card warning" not in calm
    record.warnings.append("2 images could not be read.")
    assert "card warning" in render(record, [])


def test_a_run_without_any_class_warns() -> None:
    record = RunRecord("t", "s", "e", LABELS, "l")
    record.frames = [FrameFacts(0, 1.0, (), 0.0, {})]
    (warning,) = record.stats()["warnings"]
    assert "Every pixel of every frame is void" in warning
    assert record_of([(1, 2)]).stats()["warnings"] == []


def test_the_page_tells_how_it_was_made_and_links_the_film() -> None:
    pytest.importorskip("jinja2")
    record = record_of([(1, 2)])
    record.settings["command"] = "panoptic replay 'my drive.mp4' --report r.html"
    record.film = "overlay.mp4"
    text = render(record, [one for _, one in _doubtful(0).doubtful()])
    assert "panoptic replay &#39;my drive.mp4&#39; --report r.html" in text
    assert '<a href="overlay.mp4">' in text


def test_tracks_that_were_found_again_are_counted() -> None:
    record = record_of([(1, 2), (2, 2)], [(2, 2)], [(1, 2), (2, 2)])
    assert record.stats()["tracks"]["seen_again"] == 1


def painted(stamp_ns: int) -> Result:
    """A frame of nothing but road."""
    labels = np.zeros((24, 32), np.uint8)
    frame = Frame(np.zeros((24, 32, 3), np.uint8), stamp_ns)
    return result_from_messages(frame, labels, labels.astype(np.uint16), labels)


def _doubtful(stamp_ns: int) -> SampledFrames:
    sampled = SampledFrames(LABELS)
    sampled.offer_doubtful(painted(stamp_ns), 0.31)
    return sampled


def test_the_least_confident_frames_are_kept_one_per_second() -> None:
    sampled = SampledFrames(LABELS)
    #              0.0  0.5  1.0  1.5  2.0  3.0  4.0  5.0
    confidences = [0.9, 0.2, 0.8, 0.1, 0.7, 0.6, 0.5, None]
    times_s = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0]
    for second, confidence in zip(times_s, confidences, strict=True):
        sampled.offer_doubtful(painted(int(second * SECOND_NS)), confidence)
    kept = [(confidence, one.stamp_ns / SECOND_NS) for confidence, one in sampled.doubtful()]
    assert kept == [(0.1, 1.5), (0.2, 0.5), (0.5, 4.0)]


def test_the_least_confident_frames_are_shown_with_their_second() -> None:
    pytest.importorskip("jinja2")
    text = render(record_of([(1, 2)]), [], _doubtful(2 * SECOND_NS).doubtful())
    assert "2.0 s, confidence 31 %" in text
