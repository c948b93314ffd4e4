# SPDX-License-Identifier: Apache-2.0
"""``panoptic predict``: the three formats to the letter."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.cli import predict as verb
from panoptic_ros.cli.main import main
from panoptic_ros.data.coco.ids import read_ids
from panoptic_ros.data.formats import FORMATS
from panoptic_ros.data.kitti_step import read_kitti_step
from test.drawn.drawn_inputs import write_bag2
from test.drawn.painted_engine import street

pytestmark = pytest.mark.usefixtures("painted")

WRITTEN = [name for name, form in FORMATS.items() if form.open_writer]
CAR_BOX = (slice(52, 68), slice(40, 64))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        image = street(20 + 2 * number, width=128, height=96)
        cv2.imwrite(str(folder / f"frame_{number}.png"), image[..., ::-1])
    return folder


def predict(folder: Path, out: Path, kind: str, *words: object) -> int:
    given = ["predict", folder, "--out", out, "--format", kind, "--engine", "painted", *words]
    return main(list(map(str, given)))


def test_coco_writes_segments_that_agree_with_the_images(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert predict(images, out, "coco") == 0
    document = json.loads((out / "predictions.json").read_text())
    assert [entry["file_name"] for entry in document["images"]] == [
        f"frame_{number}.png" for number in range(3)
    ]
    for annotation in document["annotations"]:
        ids = read_ids(out / "panoptic" / annotation["file_name"])
        assert ids.shape == (96, 128)
        told = {entry["id"]: entry for entry in annotation["segments_info"]}
        assert set(told) == set(np.unique(ids[ids > 0]).tolist())
        for key, entry in told.items():
            rows, columns = np.nonzero(ids == key)
            assert entry["area"] == rows.size
            assert entry["bbox"] == [
                columns.min(),
                rows.min(),
                np.ptp(columns) + 1,
                np.ptp(rows) + 1,
            ]
            assert 0 < entry["score"] <= 1
            # Objects have the ids that the pipeline gave them, below those of stuff.
            assert ("probabilities" in entry) == (key < 1 << 16)
            assert sum(entry.get("probabilities", {"": 1.0}).values()) == pytest.approx(1.0)


@pytest.mark.parametrize("shape", [(1, 1), (1000, 3), (3, 1000)], ids=["1x1", "3x1000", "1000x3"])
def test_an_image_of_an_odd_shape_is_drawn(shape: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "0.png"), np.full((*shape, 3), 90, np.uint8))
    assert predict(tmp_path / "in", tmp_path / "out", "coco", "--annotated") == 0
    drawn = cv2.imread(str(tmp_path / "out" / "annotated" / "0.jpg"))
    assert drawn is not None
    assert drawn.shape[:2] == shape


def test_late_frames_get_no_label_file_and_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rosbags")
    ms = 1_000_000
    bag = write_bag2(tmp_path / "bag", count=3, stamps=[9000 * ms, 8880 * ms, 9100 * ms])
    assert predict(bag, tmp_path / "out", "kitti-step") == 0
    assert len(list((tmp_path / "out").glob("*.png"))) == 2
    assert "2 images labelled" in (told := capsys.readouterr().out)
    assert "1 left out because they came after a newer one" in told


def test_coco_numbers_follow_the_ground_truth_file(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "gt.json"
    truth.write_text(
        json.dumps(
            {
                "images": [{"id": 77, "file_name": "frame_1.jpg"}],
                "categories": [
                    {"id": 7, "name": "road", "isthing": 0},
                    {"id": 23, "name": "sky", "isthing": 0},
                    {"id": 26, "name": "car", "isthing": 1},
                ],
            }
        )
    )
    out = tmp_path / "out"
    assert predict(images, out, "coco", "--categories", truth) == 0
    document = json.loads((out / "predictions.json").read_text())
    second = document["annotations"][1]
    assert second["image_id"] == 77
    assert sorted(entry["category_id"] for entry in second["segments_info"]) == [7, 23, 26]
    # The moon is no class of the ground truth: its pixels are void.
    assert (read_ids(out / "panoptic" / "frame_1.png")[6:14, 6:14] == 0).all()
    assert len({entry["image_id"] for entry in document["annotations"]}) == 3
    words = f"3 segments in 3 images left out, as {truth} has no class of that name: moon (3)"
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["kitti-step", "cityscapes"])
def test_classes_that_the_format_lacks_are_told(
    images: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(images, tmp_path / "out", kind) == 0
    told = "3 segments in 3 images left out, as Cityscapes has no class of that name: moon (3)"
    assert told in capsys.readouterr().err


def test_with_numbers_of_its_own_nothing_is_left_out(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(images, tmp_path / "out", "coco") == 0
    assert "left out" not in capsys.readouterr().err


def test_coco_leaves_thing_pixels_without_object_void(images: Path, tmp_path: Path) -> None:
    params = tmp_path / "p.yaml"
    decode = "{center_threshold: 0.99, region_confidence: 1.0}"
    params.write_text(f"/**:\n  ros__parameters:\n    decode: {decode}\n")
    out = tmp_path / "out"
    assert predict(images, out, "coco", "--params", params) == 0
    assert (read_ids(out / "panoptic" / "frame_0.png")[CAR_BOX] == 0).all()


def test_kitti_step_has_train_ids_and_track_ids(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert predict(images, out, "kitti-step", "--fps", 10) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        f"frame_{number}.png" for number in range(3)
    ]
    for number in range(3):
        classes, ids = read_kitti_step(out / f"frame_{number}.png")
        left = 40 + 4 * number
        car = (slice(52, 68), slice(left, left + 24))
        assert np.unique(classes[car]).tolist() == [13]
        assert np.unique(ids[car]).tolist() == [1]
        assert (classes[90, 0], classes[40, 100], classes[8, 8]) == (0, 10, 255)
        assert not ids[classes != 13].any()


def test_cityscapes_has_16_bit_instance_ids(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert predict(images, out, "cityscapes") == 0
    ids = cv2.imread(str(out / "frame_0_instanceIds.png"), cv2.IMREAD_UNCHANGED)
    assert ids.dtype == np.uint16
    assert np.unique(ids[CAR_BOX]).tolist() == [26000]
    assert (ids[90, 0], ids[40, 100], ids[8, 8]) == (7, 23, 0)
    labels = cv2.imread(str(out / "frame_0_labelIds.png"), cv2.IMREAD_UNCHANGED)
    assert labels.dtype == np.uint8
    assert np.unique(labels[CAR_BOX]).tolist() == [26]


@pytest.mark.parametrize("kind", ["coco", "kitti-step", "cityscapes"])
def test_two_images_of_one_stem_are_refused(
    images: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(images / "frame_1.jpg"), street()[..., ::-1])
    assert predict(images, tmp_path / "out", kind) == 2
    assert "two images are named frame_1" in capsys.readouterr().err


def test_an_unreadable_image_is_told_and_the_others_are_labelled(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (images / "frame_1.png").write_bytes(b"")
    assert predict(images, tmp_path / "out", "coco") == 1
    assert "frame_1.png" in capsys.readouterr().err
    document = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert len(document["annotations"]) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("[", "not a COCO panoptic file (Expecting value: "),
        ("{}", "not a COCO panoptic file ('categories' is missing)"),
        ('{"categories": [{"id": 1, "name": "dog"}]}', "shares no class name"),
    ],
    ids=["missing", "no JSON", "empty", "strangers"],
)
def test_bad_categories_are_explained(
    images: Path,
    tmp_path: Path,
    content: str | None,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if content is not None:
        (tmp_path / "gt.json").write_text(content)
    assert predict(images, tmp_path / "o", "coco", "--categories", tmp_path / "gt.json") == 2
    assert words in capsys.readouterr().err


def test_no_image_at_all_is_a_mistake(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in images.iterdir():
        path.write_bytes(b"")
    assert predict(images, tmp_path / "out", "coco") == 2
    assert str(images) in capsys.readouterr().err


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_was_written_is_listed(
    images: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert predict(images, out, kind) == 0
    named = capsys.readouterr().out.splitlines()[-1].removeprefix("wrote ").split(", ")
    listed = {found for name in named for found in out.glob(str(Path(name).relative_to(out)))}
    assert listed == {path for path in out.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["coco", "cvat"])
def test_a_run_without_an_image_leaves_the_labels_of_the_one_before(
    images: Path, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "out"
    assert predict(images, out, kind) == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert predict(images, out, kind, "--start", "99") == 2
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("annotated", [(), ("--annotated",)])
def test_a_run_that_is_stopped_keeps_its_labels_unless_there_were_others(
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    annotated: tuple[str, ...],
) -> None:
    again, first = tmp_path / "again", tmp_path / "first"
    assert predict(images, again, kind, *annotated) == 0
    before = contents(again)
    # What a run that was killed left.
    (again / ".unfinished").mkdir()
    (again / ".unfinished" / "predictions.json").write_text("[")
    cv2.imwrite(str(images / "frame_0.png"), street(60, width=128, height=96)[..., ::-1])

    def stop(stem: str, stems: set[str]) -> None:
        if stem == "frame_1":
            raise KeyboardInterrupt

    monkeypatch.setattr(verb, "_check_stem", stop)
    capsys.readouterr()
    assert predict(images, again, kind, *annotated) == 130
    assert contents(again) == before
    assert "stopped early" not in capsys.readouterr().err
    assert predict(images, first, kind, *annotated) == 130
    assert f"stopped early; {first} holds only the 1 image labelled" in capsys.readouterr().err
    drawn = [path.name for path in contents(first / "annotated")]
    assert drawn == ["frame_0.jpg"] * len(annotated)
    if kind == "coco":
        assert len(json.loads((first / "predictions.json").read_text())["images"]) == 1


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_categories_are_for_formats_that_number_by_them(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(images, tmp_path / "out", "kitti-step", "--categories", "gt.json") == 2
    assert "--categories goes with --format coco only" in capsys.readouterr().err


def test_a_name_that_the_ground_truth_has_twice_is_refused(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = [{"id": "a/1", "file_name": "a/frame_1.jpg"}, {"id": 2, "file_name": "b/frame_1.jpg"}]
    road = {"id": 7, "name": "road", "isthing": 0}
    (tmp_path / "gt.json").write_text(json.dumps({"images": listed, "categories": [road]}))
    out = tmp_path / "out"
    assert predict(images, out, "coco", "--categories", tmp_path / "gt.json") == 2
    error = capsys.readouterr().err
    assert "frame_1.png may be a/frame_1.jpg or b/frame_1.jpg" in error


def test_annotated_images_show_the_result_and_are_listed(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(images, tmp_path / "out", "kitti-step", "--annotated") == 0
    drawn = sorted((tmp_path / "out" / "annotated").iterdir())
    assert [path.stem for path in drawn] == sorted(path.stem for path in images.iterdir())
    assert [path.suffix for path in drawn] == [".jpg"] * len(drawn)
    before, after = cv2.imread(str(sorted(images.iterdir())[0])), cv2.imread(str(drawn[0]))
    assert before.shape == after.shape
    assert np.abs(before.astype(int) - after).mean() > 5
    assert f"{tmp_path / 'out'}/annotated/*.jpg" in capsys.readouterr().out


def test_the_parameters_of_the_camera_count_as_in_the_node(images: Path, tmp_path: Path) -> None:
    params = tmp_path / "camera.yaml"
    params.write_text(
        "/**: {ros__parameters: {ego_mask: ['0,80 127,80 127,95 0,95'], "
        "output: {size: ['64x48']}}}"
    )
    out = tmp_path / "out"
    assert predict(images, out, "kitti-step", "--params", params) == 0
    labels, _ = read_kitti_step(next(out.rglob("*.png")))
    assert labels.shape == (48, 64)
    assert (labels[40:] == 255).all()
    assert (labels[24:40] != 255).all()


def test_label_files_of_an_earlier_run_that_stay_are_told(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        assert predict(images, out, "cityscapes", "--annotated") == 0
        assert "earlier run" not in capsys.readouterr().err
    (images / "frame_0.png").rename(images / "other.png")
    assert predict(images, out, "cityscapes", "--annotated") == 0
    assert (
        f"3 files of an earlier run stay in {out}: annotated/frame_0.jpg, "
        "frame_0_instanceIds.png, frame_0_labelIds.png"
    ) in capsys.readouterr().err


@pytest.mark.parametrize("format_name", ["cityscapes", "coco"])
def test_where_nothing_can_be_read_no_folder_is_left(
    format_name: str, images: Path, tmp_path: Path
) -> None:
    for path in images.iterdir():
        path.write_bytes(path.read_bytes()[:60])
    assert predict(images, tmp_path / "a" / "b", format_name) == 2
    assert not (tmp_path / "a").exists()
