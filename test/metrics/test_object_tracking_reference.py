# SPDX-License-Identifier: Apache-2.0
"""CLEAR, HOTA and identity scores against TrackEval on sequences that hypothesis draws."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from panoptic_ros.cli.main import main
from panoptic_ros.core.files import rle
from panoptic_ros.metrics.clear import Clear
from panoptic_ros.metrics.frame_matches import TrackingSequence, match_frame, tracking_sequence
from panoptic_ros.metrics.hota import Hota
from panoptic_ros.metrics.idf1 import Identity
from panoptic_ros.metrics.object_tracking import ObjectTracking

with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
    # It announces on import which of its data sets cannot be used.
    warnings.simplefilter("ignore")
    trackeval = pytest.importorskip("trackeval")

pytestmark = pytest.mark.reference

Frames = list[tuple[NDArray[np.uint16], NDArray[np.uint16]]]


@st.composite
def sequences(draw: st.DrawFn) -> Frames:
    """Frames of 4x5 pixels in which the prediction agrees in places and swaps ids at times."""
    maps = hnp.arrays(np.uint16, (4, 5), elements=st.integers(0, 4))
    frames: Frames = []
    truth = draw(maps)
    for _ in range(draw(st.integers(1, 6))):
        # Objects mostly stay, or hardly any id would live for two frames.
        if draw(st.booleans()):
            truth = draw(maps)
        renamed = np.array([0, *draw(st.permutations([1, 2, 3, 4]))], np.uint16)
        keeps = draw(st.sampled_from([True, True, False]))
        agrees = draw(hnp.arrays(np.bool_, (4, 5), elements=st.sampled_from([True] * 4 + [False])))
        predicted = np.where(agrees, truth if keeps else renamed[truth], draw(maps))
        frames.append((truth, predicted.astype(np.uint16)))
    return frames


def reference(lines: dict[str, TrackingSequence]) -> dict[str, dict[str, Any]]:
    """TrackEval's scores over the sequences."""
    found = {}
    for name in ("CLEAR", "HOTA", "Identity"):
        with contextlib.redirect_stdout(io.StringIO()):
            metric = getattr(trackeval.metrics, name)()
            by_sequence = {
                key: metric.eval_sequence(trackeval_data(line)) for key, line in lines.items()
            }
            found[name] = metric.combine_sequences(by_sequence)
    return found


def trackeval_data(line: TrackingSequence) -> dict[str, Any]:
    return {
        "gt_ids": [seen.truth for seen in line.frames],
        "tracker_ids": [seen.predicted for seen in line.frames],
        "similarity_scores": [seen.iou for seen in line.frames],
        "num_gt_ids": line.truth_count,
        "num_tracker_ids": line.predicted_count,
        "num_gt_dets": sum(seen.truth.size for seen in line.frames),
        "num_tracker_dets": sum(seen.predicted.size for seen in line.frames),
        "num_timesteps": len(line.frames),
    }


def assert_clear(ours: Clear, theirs: dict[str, Any]) -> None:
    assert [ours.tp, ours.fp, ours.fn, ours.id_switches] == [
        theirs[name] for name in ("CLR_TP", "CLR_FP", "CLR_FN", "IDSW")
    ]
    assert [ours.mostly_tracked, ours.partly_tracked, ours.mostly_lost, ours.fragments] == [
        theirs[name] for name in ("MT", "PT", "ML", "Frag")
    ]
    assert [ours.smotsa, ours.motsa, ours.motsp] == pytest.approx(
        [theirs[name] for name in ("sMOTA", "MOTA", "MOTP")], rel=0, abs=1e-9
    )


def assert_hota(ours: Hota, theirs: dict[str, Any]) -> None:
    assert ours.tp.tolist() == theirs["HOTA_TP"].tolist()
    assert ours.fp.tolist() == theirs["HOTA_FP"].tolist()
    assert ours.fn.tolist() == theirs["HOTA_FN"].tolist()
    assert [ours.hota, ours.detection, ours.accuracy, ours.localisation] == pytest.approx(
        [float(theirs[name].mean()) for name in ("HOTA", "DetA", "AssA", "LocA")], rel=0, abs=1e-9
    )


def assert_identity(ours: Identity, theirs: dict[str, Any]) -> None:
    assert [ours.tp, ours.fp, ours.fn] == [theirs[name] for name in ("IDTP", "IDFP", "IDFN")]
    assert ours.idf1 == pytest.approx(theirs["IDF1"], rel=0, abs=1e-9)


@given(st.lists(sequences(), min_size=1, max_size=3))
@settings(deadline=None, max_examples=60)
def test_equals_trackeval(drawn: list[Frames]) -> None:
    metric = ObjectTracking()
    lines = {}
    for number, frames in enumerate(drawn):
        for truth, predicted in frames:
            metric.update(truth, predicted, str(number))
        lines[str(number)] = tracking_sequence([match_frame(*frame) for frame in frames])
    found, theirs = metric.result(), reference(lines)
    assert_clear(found.clear, theirs["CLEAR"])
    assert_hota(found.hota, theirs["HOTA"])
    assert_identity(found.identity, theirs["Identity"])


def write_tracks(path: Path, maps: list[NDArray[np.uint16]]) -> None:
    """Write cars as KITTI MOTS' text files have them."""
    lines = [
        f"{frame} {1000 + key} 1 {drawn.shape[0]} {drawn.shape[1]} {rle.encode(drawn == key)}"
        for frame, drawn in enumerate(maps)
        for key in np.unique(drawn[drawn > 0]).tolist()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


@given(st.lists(sequences(), min_size=1, max_size=2))
@settings(deadline=None, max_examples=30)
def test_panoptic_eval_equals_trackeval(drawn: list[Frames]) -> None:
    lines = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, frames in enumerate(drawn):
            # A frame in which a car is seen: without any, nobody knows the size of the images.
            frames.append((np.ones((4, 5), np.uint16), np.ones((4, 5), np.uint16)))
            for place in (0, 1):
                file = folder / ("truth", "found")[place] / f"{number:04}.txt"
                write_tracks(file, [frame[place] for frame in frames])
            lines[str(number)] = tracking_sequence([match_frame(*frame) for frame in frames])
        words = (
            "--gt",
            folder / "truth",
            "--pred",
            folder / "found",
            "--json",
            folder / "out.json",
        )
        with contextlib.redirect_stdout(io.StringIO()):
            assert main(["eval", "--format", "kitti-mots", *map(str, words)]) == 0
        car = json.loads((folder / "out.json").read_text())["objects"]["car"]
    theirs = reference(lines)
    expected = {
        "smotsa": theirs["CLEAR"]["sMOTA"],
        "motsa": theirs["CLEAR"]["MOTA"],
        "motsp": theirs["CLEAR"]["MOTP"],
        "id_switches": theirs["CLEAR"]["IDSW"],
        "hota": float(theirs["HOTA"]["HOTA"].mean()),
        "deta": float(theirs["HOTA"]["DetA"].mean()),
        "assa": float(theirs["HOTA"]["AssA"].mean()),
        "idf1": theirs["Identity"]["IDF1"],
    }
    assert car == pytest.approx(expected, rel=0, abs=1e-9)
