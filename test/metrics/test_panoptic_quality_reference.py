# SPDX-License-Identifier: Apache-2.0
"""Panoptic quality against hotcoco, which follows panopticapi, on drawn and on real images."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import SegmentInfo
from panoptic_ros.data.coco.files import read_truth
from panoptic_ros.data.coco.ids import write_ids
from panoptic_ros.data.coco.reader import ImageRecord, read_coco_panoptic
from panoptic_ros.data.format import DataSetLocation
from panoptic_ros.data.formats import open_predictions, open_truth
from panoptic_ros.evaluation.evaluate import EvaluationResult
from panoptic_ros.evaluation.predictor import label_predictor
from panoptic_ros.evaluation.score import score
from panoptic_ros.metrics.panoptic_quality import PanopticQualityResult
from test.drawn.drawn_panoptic import Pair, pairs, write_predictions, write_truth

panoptic = pytest.importorskip("hotcoco.panoptic")

pytestmark = pytest.mark.reference


def reference(truth: tuple[Path, Path], predictions: tuple[Path, Path]) -> dict[str, Any]:
    folders = {"gt_folder": str(truth[1]), "pred_folder": str(predictions[1])}
    evaluation = panoptic.PanopticEval(str(truth[0]), str(predictions[0]), **folders)
    evaluation.evaluate()
    results: dict[str, Any] = evaluation.results()
    results["miou"] = evaluation.report()["metrics"]["mIoU"]
    return results


def assert_equal(ours: PanopticQualityResult, theirs: dict[str, Any]) -> None:
    for name, mean in (("All", ours.all), ("Things", ours.things), ("Stuff", ours.stuff)):
        assert mean.classes == theirs[name]["n"]
        for key in ("pq", "sq", "rq"):
            value = getattr(mean, key)
            assert math.isnan(value) == (mean.classes == 0)
            if mean.classes:
                assert value == pytest.approx(theirs[name][key], rel=0, abs=1e-9), (name, key)
    for number, quality in ours.classes.items():
        expected = theirs["per_class"][number]
        counts = (quality.tp, quality.fp, quality.fn)
        assert counts == (expected["tp"], expected["fp"], expected["fn"]), number
        assert quality.iou == pytest.approx(expected["iou"], rel=0, abs=1e-9)
        if quality.occurs:
            assert quality.pq == pytest.approx(expected["pq"], rel=0, abs=1e-9)


def ours(truth: tuple[Path, Path], predictions: tuple[Path, Path]) -> EvaluationResult:
    """Score files as ``panoptic eval`` does."""
    data = open_truth("coco", DataSetLocation(*truth))
    found = open_predictions("coco", DataSetLocation(*predictions), data)
    return score(label_predictor(data, found))


@given(images=st.lists(pairs(), min_size=1, max_size=3))
@settings(deadline=None, max_examples=150)
def test_equals_hotcoco_on_any_drawn_images(images: list[Pair]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        truth = write_truth(Path(folder), images)
        predictions = write_predictions(Path(folder), images)
        theirs = reference(truth, predictions)
        report = ours(truth, predictions).frames
        assert_equal(report.panoptic, theirs)
        miou = -1.0 if math.isnan(report.semantic.miou) else report.semantic.miou
        assert miou == pytest.approx(theirs["miou"], rel=0, abs=1e-9)


@pytest.mark.street
def test_equals_hotcoco_on_real_truth_that_was_spoiled(street: Path, tmp_path: Path) -> None:
    truth = (street / "val.json", street / "panoptic")
    data = read_coco_panoptic(*truth, street / "images")
    annotations = [spoil(record, tmp_path) for record in data.records]
    spoiled = tmp_path / "spoiled.json"
    spoiled.write_text(json.dumps({"annotations": annotations}), encoding="utf-8")
    report = ours(truth, (spoiled, tmp_path)).frames
    assert report.images == len(data.records)
    assert 0.3 < report.panoptic.all.pq < 0.95
    assert_equal(report.panoptic, reference(truth, (spoiled, tmp_path)))


def spoil(record: ImageRecord, folder: Path) -> dict[str, Any]:
    """Merge, split, shift and forget segments, in a way that depends on the image's number."""
    drawn = read_truth(record).astype(np.int64)
    category = {segment.id: segment.category_id for segment in record.segments}
    changed = drawn.copy()
    for place, segment in enumerate(record.segments):
        spoil_segment(changed, drawn == segment.id, segment, (record.id + place) % 5, category)
    there, areas = np.unique(changed[changed > 0], return_counts=True)
    name = f"{record.id}.png"
    write_ids(folder / name, changed.astype(np.uint32))
    return {
        "image_id": record.id,
        "file_name": name,
        "segments_info": [
            {"id": number, "category_id": category[number], "area": area, "iscrowd": 0}
            for number, area in zip(there.tolist(), areas.tolist(), strict=True)
        ],
    }


def spoil_segment(
    changed: NDArray[np.int64],
    mask: NDArray[np.bool_],
    segment: SegmentInfo,
    how: int,
    category: dict[int, int],
) -> None:
    other = segment.id + 1_000_000
    if how == 1:
        # Split: the right part becomes a segment of its own.
        columns = np.flatnonzero(mask.any(axis=0))
        mask[:, : int(columns[len(columns) // 3])] = False
        changed[mask] = other
        category[other] = segment.category_id
    elif how == 2:
        # Shift, over whatever lies there.
        moved = cv2.warpAffine(
            mask.astype(np.uint8), np.float32([[1, 0, 5], [0, 1, 3]]), mask.shape[::-1]
        )
        changed[moved > 0] = segment.id
    elif how == 3 and segment.id % 2:
        changed[mask] = 0
    elif how == 4:
        # Merge with the segment that lies left of its first pixel.
        row, column = np.argwhere(mask)[0]
        neighbour = int(changed[row, max(0, column - 1)])
        changed[mask] = neighbour or segment.id
