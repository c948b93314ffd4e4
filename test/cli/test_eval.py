# SPDX-License-Identifier: Apache-2.0
"""``panoptic eval`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.core.classes.label_documents import read_label_set
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.synthetic.street import DrawnStreet, Truth
from panoptic_ros.core.types import VOID
from panoptic_ros.data.cityscapes import write_cityscapes
from panoptic_ros.data.coco.ids import write_ids
from panoptic_ros.data.formats import FORMATS
from panoptic_ros.data.kitti_step import write_kitti_step
from test.drawn.drawn_panoptic import (
    CAR,
    ROAD,
    Pair,
    ids,
    segments,
    write_predictions,
    write_truth,
)

TRUTH = ids("1112", "1112")
MOVED = ids("1122", "1112")


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """A command line that scores one drawn image."""
    classes = {1: ROAD, 2: CAR}
    pair = Pair(TRUTH, segments(TRUTH, classes), MOVED, segments(MOVED, classes))
    truth, predicted = write_truth(tmp_path, [pair]), write_predictions(tmp_path, [pair])
    return [
        *("eval", "--format", "coco", "--gt-json", str(truth[0]), "--gt-dir", str(truth[1])),
        *("--pred-json", str(predicted[0]), "--pred-dir", str(predicted[1])),
    ]


def scores(words: list[str], tmp_path: Path) -> dict[str, Any]:
    assert main([*words, "--json", str(tmp_path / "out.json")]) == 0
    found: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    return found


def test_writes_the_scores_as_json(words: list[str], tmp_path: Path) -> None:
    found = scores(words, tmp_path)
    assert found["images"] == 1
    assert found["panoptic"]["things"]["pq"] == pytest.approx(2 / 3)
    assert found["panoptic"]["stuff"]["pq"] == pytest.approx(5 / 6)
    assert found["semantic"]["miou"] == pytest.approx((2 / 3 + 5 / 6) / 2)


def test_every_class_has_its_line_in_the_json(words: list[str], tmp_path: Path) -> None:
    by_name = {entry["name"]: entry for entry in scores(words, tmp_path)["classes"]}
    assert set(by_name) == {"road", "sky", "person", "car"}
    assert by_name["car"]["tp"] == 1
    assert by_name["sky"]["pq"] is None


def test_prints_a_table_of_all_classes(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    rows = [line.replace("│", " ").split() for line in capsys.readouterr().out.splitlines()]
    assert ["all", "(2)", "75.0", "75.0", "100.0", "75.0"] in rows
    assert ["road", "83.3", "83.3", "100.0", "83.3", "1", "0", "0"] in rows
    assert ["sky", "-", "-", "-", "-", "0", "0", "0"] in rows


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_a_place_that_is_not_there_is_called_that(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "--format", kind, "--gt", "nix", "--pred", "nix"]) == 2
    assert "nix: no such file or folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(["--engine", "x"], "found --engine and --pred; give one", id="both"),
        pytest.param(["--gt-json", "absent.json"], "absent.json: cannot be read", id="no truth"),
        pytest.param(["--pred-json", "absent.json"], "absent.json: cannot be read", id="no files"),
        pytest.param(["--pred-dir", "absent"], "absent/0.png: no such file", id="no images"),
        pytest.param(
            ["--json", "/dev/null/out.json"], "); name another place with --json\n", id="no place"
        ),
        pytest.param(
            ["--out", "/dev/null/e"], "); name another place with --out\n", id="no folder"
        ),
    ],
)
def test_a_mistake_is_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str], change: list[str], message: str
) -> None:
    assert main([*words, *change]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_images_without_an_engine_are_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    truth_only = words[: words.index("--pred-json")]
    assert main([*truth_only, "--images", "."]) == 2
    assert "found nothing to score; give one of --engine, --pred, --bag" in capsys.readouterr().err


def test_a_missing_model_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    truth_only = words[: words.index("--pred-json")]
    assert main([*truth_only, "--images", ".", "--engine", "absent.onnx"]) == 2
    assert "no model 'absent.onnx'" in capsys.readouterr().err


def write_drawn_street(folder: Path) -> None:
    """Write some frames of the drawn street as a COCO panoptic folder."""
    labels = read_label_set(resource("config", "labels", "cityscapes.yaml"))
    document: dict[str, Any] = {"images": [], "annotations": []}
    document["categories"] = [
        {"id": label.index + 1, "name": label.name, "isthing": int(label.is_thing)}
        for label in labels.labels
    ]
    for name in ("images", "panoptic"):
        (folder / name).mkdir()
    street = DrawnStreet(size=(512, 256))
    for number in range(0, 30, 10):
        frame, truth = street.draw(number)
        ids, infos = coco_segments(truth)
        # A PNG named .jpg: the reader goes by content, and flat colours must survive.
        drawn = cv2.imencode(".png", np.ascontiguousarray(frame.image[..., ::-1]))[1]
        (folder / "images" / f"{number}.jpg").write_bytes(drawn.tobytes())
        write_ids(folder / "panoptic" / f"{number}.png", ids)
        image = {"id": number, "file_name": f"{number}.jpg", "width": 512, "height": 256}
        document["images"].append(image)
        document["annotations"].append(
            {"image_id": number, "file_name": f"{number}.png", "segments_info": infos}
        )
    (folder / "truth.json").write_text(json.dumps(document), encoding="utf-8")


def coco_segments(truth: Truth) -> tuple[Any, list[dict[str, int]]]:
    labels = truth.labels.astype(np.uint32)
    ids = np.where(labels == VOID, 0, (labels + 1) * 1000 + truth.ids)
    there, areas = np.unique(ids[ids > 0], return_counts=True)
    infos = [
        {"id": number, "category_id": number // 1000, "area": area}
        for number, area in zip(there.tolist(), areas.tolist(), strict=True)
    ]
    return ids.astype(np.uint32), infos


def test_an_engine_that_reads_the_drawn_street_scores_high(tmp_path: Path) -> None:
    write_drawn_street(tmp_path)
    found = scores(
        [
            *("eval", "--format", "coco", "--engine", "drawn"),
            *("--gt-json", str(tmp_path / "truth.json"), "--gt-dir", str(tmp_path / "panoptic")),
            *("--images", str(tmp_path / "images")),
        ],
        tmp_path,
    )
    assert found["images"] == 3
    # Far objects of a few pixels each are more than the reader tells apart.
    assert found["panoptic"]["stuff"]["pq"] > 0.95
    assert found["panoptic"]["things"]["pq"] > 0.4
    assert found["semantic"]["miou"] > 0.9


def write_sequence(folder: Path, swap_ids_at: int) -> None:
    """Write four frames of one car and its prediction, under another id from a frame on."""
    for number in range(4):
        labels = np.array([[0, 13, 13, 10]], np.uint8)
        for name, car in (("truth", 7), ("predicted", 1 if number < swap_ids_at else 2)):
            path = folder / name / "0002" / f"{number:06}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_kitti_step(path, labels, np.where(labels == 13, car, 0).astype(np.uint16))


def step_words(folder: Path) -> list[str]:
    """A command line that scores the sequences of a folder."""
    truth, predicted = str(folder / "truth"), str(folder / "predicted")
    return ["eval", "--format", "kitti-step", "--gt", truth, "--pred", predicted]


def test_sequences_are_scored_over_time(tmp_path: Path) -> None:
    write_sequence(tmp_path, swap_ids_at=2)
    found = scores(step_words(tmp_path), tmp_path)
    assert found["images"] == 4
    assert found["panoptic"]["all"]["pq"] == found["semantic"]["miou"] == 1.0
    assert found["tracking"]["aq"] == found["tracking"]["sequences"]["0002"]["aq"] == 0.5
    assert found["tracking"]["stq"] == pytest.approx(0.5**0.5)
    assert found["video"]["windows"]["1"] == 1.0
    assert found["video"]["windows"]["4"] == pytest.approx(2 / 3)
    assert found["objects"]["car"]["id_switches"] == 1
    assert found["objects"]["car"]["idf1"] == 0.5
    assert found["objects"]["person"]["hota"] is None, "nobody has a person: nothing to score"
    assert found["objects"]["person"]["id_switches"] == 0


def test_sequences_have_their_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sequence(tmp_path, swap_ids_at=4)
    assert main(step_words(tmp_path)) == 0
    rows = [line.replace("│", " ").split() for line in capsys.readouterr().out.splitlines()]
    assert ["0002", "100.0", "100.0", "100.0", "4"] in rows
    assert ["VPQ", "100.0"] in rows
    assert ["car", *["100.0"] * 7, "0"] in rows


def test_a_single_sequence_is_called_like_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sequence(tmp_path, swap_ids_at=4)
    monkeypatch.chdir(tmp_path / "truth" / "0002")
    predicted = str(tmp_path / "predicted" / "0002")
    words = ["eval", "--format", "kitti-step", "--gt", ".", "--pred", predicted, "--out", "out"]
    assert main(words) == 0
    rows = [line.replace("│", " ").split() for line in capsys.readouterr().out.splitlines()]
    assert ["0002", "100.0", "100.0", "100.0", "4"] in rows
    scores = json.loads(Path("out/scores.json").read_text())
    assert list(scores["tracking"]["sequences"]) == ["0002"]
    page = Path("out/report.html").read_text()
    assert "<h2>Track assignment and ID switches: 0002</h2>" in page


def test_a_frame_without_prediction_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sequence(tmp_path, swap_ids_at=4)
    (tmp_path / "predicted" / "0002" / "000001.png").unlink()
    assert main(step_words(tmp_path)) == 2
    assert "0002: no prediction for 1 of 4 images, the first is 000001" in (
        capsys.readouterr().err
    )


def test_frames_of_another_size_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sequence(tmp_path, swap_ids_at=4)
    blank = np.zeros((2, 2), np.uint8)
    write_kitti_step(tmp_path / "predicted/0002/000003.png", blank, blank.astype(np.uint16))
    assert main(step_words(tmp_path)) == 2
    error = capsys.readouterr().err
    assert "predicted/0002/000003.png: is 2x2, its truth 000003.png is 4x1" in error


def write_cities(folder: Path) -> list[str]:
    """Write the truth of one Cityscapes image and a prediction, as ``predict`` names it."""
    truth, predicted = folder / "gtFine" / "aachen", folder / "predicted"
    for place in (truth, predicted):
        place.mkdir(parents=True)
    name = "aachen_000000_000019"
    labels = np.array([[7, 7, 26, 26, 26, 26, 3, 3]], np.uint8)
    true_ids = np.array([[0, 0, 1, 1, 0, 0, 0, 0]], np.uint16)
    write_cityscapes(truth, f"{name}_gtFine", labels, true_ids)
    # One car found, one on the group, one on what is not evaluated.
    labels[labels == 3] = 26
    found_ids = np.array([[0, 0, 1, 1, 2, 2, 3, 3]], np.uint16)
    write_cityscapes(predicted, f"{name}_leftImg8bit", labels, found_ids)
    return ["eval", "--format", "cityscapes", "--gt", str(truth.parent), "--pred", str(predicted)]


def test_cityscapes_files_are_scored_by_its_rules(tmp_path: Path) -> None:
    found = scores(write_cities(tmp_path), tmp_path)
    by_name = {entry["name"]: entry for entry in found["classes"]}
    assert found["panoptic"]["all"] == {"pq": 1.0, "sq": 1.0, "rq": 1.0, "classes": 2}
    assert (by_name["car"]["tp"], by_name["car"]["fp"]) == (1, 0)
    assert by_name["car"]["iou"] == 1.0
    assert "tracking" not in found


def test_a_city_image_without_prediction_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = write_cities(tmp_path)
    blank = np.zeros((1, 8), np.uint8)
    write_cityscapes(tmp_path / "gtFine", "bonn_0_1_gtFine", blank, blank.astype(np.uint16))
    assert main(words) == 2
    error = capsys.readouterr().err
    assert "eval: no prediction for 1 of 2 images, the first is bonn_0_1" in error
