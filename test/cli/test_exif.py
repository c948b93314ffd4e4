# SPDX-License-Identifier: Apache-2.0
"""Every verb takes the pixels as they are stored, and says so where EXIF would turn them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.cli.main import main
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.data.cityscapes import CATEGORIES
from panoptic_ros.data.coco.ids import write_ids
from test.drawn.drawn_images import write_with_orientation

NOT_APPLIED = "EXIF orientation, which is not applied"
FRAME, TRUTH = DrawnStreet(seconds=1, size=(512, 256)).draw(0)


def write_set(folder: Path, orientation: int, turns_truth: bool = False) -> Path:
    """Write one labelled image; its truth may have been drawn on what a viewer shows."""
    ids = (TRUTH.labels.astype(np.uint32) + 1) * 1000 + TRUTH.ids
    if turns_truth:
        ids = np.ascontiguousarray(np.rot90(ids, -1))
    write_with_orientation(folder / "images" / "a.jpg", FRAME.image, orientation)
    (folder / "panoptic").mkdir()
    write_ids(folder / "panoptic" / "a.png", ids)
    keys, areas = (part.tolist() for part in np.unique(ids, return_counts=True))
    infos = [
        {"id": key, "category_id": key // 1000 - 1, "area": area}
        for key, area in zip(keys, areas, strict=True)
    ]
    height, width = ids.shape
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": width, "height": height}],
        "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": infos}],
        "categories": [
            {"id": number, "name": entry.name, "isthing": int(entry.is_thing)}
            for number, entry in enumerate(CATEGORIES)
        ],
    }
    path = folder / "val.json"
    path.write_text(json.dumps(document))
    return path


def scores(path: Path) -> dict[str, Any]:
    out = path.with_name("out.json")
    words = ("--format", "coco", "--gt", str(path), "--engine", "drawn", "--json", str(out))
    assert main(["eval", *words]) == 0
    found: dict[str, Any] = json.loads(out.read_text())
    return found


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_the_same_pixels_have_the_same_scores(tmp_path: Path, orientation: int) -> None:
    upright = scores(write_set(tmp_path / "upright", 1))
    turned = scores(write_set(tmp_path / "turned", orientation))
    assert upright["panoptic"]["stuff"]["pq"] > 0.9
    assert turned["panoptic"] == upright["panoptic"]
    assert upright["remarks"] == []
    assert NOT_APPLIED in turned["remarks"][0]


def test_truth_on_the_grid_that_a_viewer_shows_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_set(tmp_path / "set", 6, turns_truth=True)
    assert main(["eval", "--format", "coco", "--gt", str(path), "--engine", "drawn"]) == 2
    error = capsys.readouterr().err
    assert "a.jpg: is 512x256, its truth a.png is 256x512; the image carries EXIF" in error


def test_predict_labels_the_stored_grid_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_with_orientation(tmp_path / "in" / "a.jpg", FRAME.image, 6)
    words = ("--engine", "drawn", "--format", "cityscapes", "--out", str(tmp_path / "out"))
    assert main(["predict", str(tmp_path / "in"), *words]) == 0
    labels = cv2.imread(str(tmp_path / "out" / "a_labelIds.png"), cv2.IMREAD_UNCHANGED)
    assert labels.shape == (256, 512)
    assert f"1 image with an {NOT_APPLIED}" in capsys.readouterr().err


def board(number: int) -> NDArray[np.uint8]:
    """A chessboard of 6x4 inner corners, seen from another place each time."""
    squares = np.indices((5, 7)).sum(axis=0) % 2
    flat = np.pad(255 * np.kron(squares, np.ones((40, 40))), 40, constant_values=255)
    dice = np.random.default_rng(number)
    matrix = np.array([[600.0, 0, 330], [0, 600, 190], [0, 0, 1]])
    turn = cv2.Rodrigues(dice.uniform(-0.4, 0.4, 3))[0]
    place = np.array([[dice.uniform(-0.05, 0.05)], [dice.uniform(-0.02, 0.02)], [0.5]])
    scale = 0.03 / 40
    height, width = flat.shape
    centred = np.array(
        [[scale, 0, -width * scale / 2], [0, scale, -height * scale / 2], [0, 0, 1]]
    )
    seen = matrix @ np.hstack([turn[:, :2], place]) @ centred
    gray = cv2.warpPerspective(flat.astype(np.uint8), seen, (640, 360), borderValue=127)
    return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), np.uint8)


def test_calibrate_does_not_turn_the_sensor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(12):
        write_with_orientation(
            tmp_path / f"in/{number:02}.jpg", board(number), 3 * (number % 2) or 1
        )
    out = tmp_path / "camera.yaml"
    words = ("--board", "6x4", "--square", "0.03", "--out", str(out))
    assert main(["calibrate", str(tmp_path / "in"), *words]) == 0
    matrix = json.loads(out.read_text().split("data: ")[1].split("]")[0] + "]")
    assert (matrix[2], matrix[5]) == (pytest.approx(330, abs=2), pytest.approx(190, abs=2))
    assert f"6 images with an {NOT_APPLIED}" in capsys.readouterr().err


def test_a_calibration_of_what_a_viewer_shows_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_with_orientation(tmp_path / "in" / "a.jpg", FRAME.image, 6)
    info = tmp_path / "camera.yaml"
    info.write_text(
        "image_width: 256\nimage_height: 512\ncamera_name: c\ndistortion_model: plumb_bob\n"
        "camera_matrix: {rows: 3, cols: 3, data: [300, 0, 128, 0, 300, 256, 0, 0, 1]}\n"
        "distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}\n"
        "rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}\n"
        "projection_matrix:\n  rows: 3\n  cols: 4\n"
        "  data: [300, 0, 128, 0, 0, 300, 256, 0, 0, 0, 1, 0]\n"
    )
    words = ("--engine", "drawn", "--json", str(tmp_path / "out.json"), "--camera-info", str(info))
    assert main(["replay", str(tmp_path / "in"), *words]) == 2
    assert "an EXIF orientation is not applied" in capsys.readouterr().err
