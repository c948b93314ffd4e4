# SPDX-License-Identifier: Apache-2.0
"""Every data set is found in its own layout, and says the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.core.errors import DataError
from panoptic_ros.data.class_map import ClassMapFile
from panoptic_ros.data.format import DataSetLocation
from panoptic_ros.data.formats import mapped, open_predictions, open_truth
from panoptic_ros.data.image_search import with_images
from panoptic_ros.data.label_files import LabelFiles, unpaired
from panoptic_ros.data.label_map import LabelMap
from test.drawn import drawn_formats
from test.drawn.drawn_formats import DRAWN, WRITERS, Written, grid

VOID = 255


@pytest.fixture(params=WRITERS)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Written:
    """One data set."""
    return WRITERS[request.param](tmp_path)


def opened(written: Written) -> LabelFiles:
    return open_truth(written.format, DataSetLocation(written.gt))


def label_images(files: LabelFiles) -> list[LabelMap]:
    return [pair.truth.read().map for pair in unpaired(files.sequences)]


def test_every_pixel_has_its_class(written: Written) -> None:
    files = opened(written)
    names = [category.name for category in files.categories]
    meaning = dict(zip("rs1", written.names, strict=True)) | {"2": written.names[2], ".": ""}
    for drawn, image in zip(DRAWN, label_images(files), strict=True):
        found = [
            ["" if label == VOID else names[label] for label in row]
            for row in image.labels.tolist()
        ]
        assert found == [[meaning[letter] for letter in row] for row in grid(drawn)]


def test_every_object_is_one_and_stays_itself_in_a_sequence(written: Written) -> None:
    files = opened(written)
    numbers = []
    for drawn, image in zip(DRAWN, label_images(files), strict=True):
        first, second = (np.unique(image.ids[grid(drawn) == car]).tolist() for car in "12")
        assert len(first) == len(second) == 1
        assert first != second
        assert 0 not in first + second
        numbers.append((first, second))
    assert not files.is_video or numbers[0] == numbers[1]


def test_only_cars_are_things(written: Written) -> None:
    files = opened(written)
    is_thing = {category.name: category.is_thing for category in files.categories}
    assert [is_thing[name] for name in written.names] == [False, False, True]


def test_every_image_is_found(written: Written) -> None:
    pairs = unpaired(opened(written).sequences)
    if written.images is not None:
        pairs = with_images(pairs, written.images)
    assert all(pair.truth.image is not None and pair.truth.image.is_file() for pair in pairs)


def test_predictions_laid_out_like_the_truth_are_read_as_predictions(written: Written) -> None:
    truth = opened(written)
    found = open_predictions(written.format, DataSetLocation(written.gt), truth)
    for ours, theirs in zip(label_images(found), label_images(truth), strict=True):
        assert ours.labels.tolist() == theirs.labels.tolist()
        assert ours.ids.tolist() == theirs.ids.tolist()


def test_classes_may_be_renamed(written: Written) -> None:
    files = opened(written)
    found = mapped(files, {written.names[2]: "vehicle", "*": None}, is_truth=True)
    assert [category.name for category in found.categories] == ["vehicle"]
    for drawn, image in zip(DRAWN, label_images(found), strict=True):
        assert ((image.labels == 0) == np.isin(grid(drawn), ["1", "2"])).all()


@pytest.mark.parametrize("kind", ["cityscapes", "ade20k", "vistas 2.0"])
def test_coco_results_fit_other_data_sets_by_name(tmp_path: Path, kind: str) -> None:
    truth = WRITERS[kind](tmp_path / "truth")
    results = drawn_formats.coco(tmp_path / "results")
    stems = [file.name for file in opened(truth).sequences[""].values()]
    images_of = tmp_path / "results" / "annotations" / "panoptic_val"
    text = results.gt.read_text()
    for number, stem in enumerate(stems):
        shutil.move(images_of / f"{number:04}.png", images_of / f"{stem}.png")
        text = text.replace(f"{number:04}.png", f"{stem}.png")
    results.gt.write_text(text)
    rules = dict(zip(results.names, truth.names, strict=True))
    files = opened(truth)
    place = DataSetLocation(results.gt, images_of)
    found = open_predictions(truth.format, place, files, ClassMapFile(prediction=rules))
    for ours, theirs in zip(label_images(found), label_images(files), strict=True):
        assert ours.labels.tolist() == theirs.labels.tolist()
        assert ((ours.ids > 0) == (theirs.ids > 0)).all()


@pytest.mark.parametrize("kind", ["coco", "cityscapes", "kitti-step", "kitti-mots", "ade20k"])
def test_an_empty_folder_is_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(DataError, match=str(tmp_path)):
        open_truth(kind, DataSetLocation(tmp_path))


def test_vistas_without_its_configuration_says_how_to_name_it(tmp_path: Path) -> None:
    written = drawn_formats.vistas(tmp_path)
    config = tmp_path / "config_v2.0.json"
    moved = config.rename(tmp_path / "elsewhere.json")
    with pytest.raises(DataError, match="name it with --config"):
        opened(written)
    assert (
        open_truth("vistas", DataSetLocation(written.gt, config=moved)).categories[2].name == "Car"
    )


def test_coco_images_that_are_not_beside_the_json_are_asked_for(tmp_path: Path) -> None:
    written = drawn_formats.coco(tmp_path)
    (tmp_path / "annotations" / "panoptic_val").rename(tmp_path / "pngs")
    with pytest.raises(DataError, match="name their folder with --gt-dir"):
        opened(written)
    assert label_images(open_truth("coco", DataSetLocation(written.gt, tmp_path / "pngs")))


def test_a_coco_json_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.json: no such file"):
        open_truth("coco", DataSetLocation(tmp_path / "nowhere.json"))


def test_results_of_sequences_need_tracks(tmp_path: Path) -> None:
    truth = opened(drawn_formats.kitti_step(tmp_path / "truth"))
    results = drawn_formats.coco(tmp_path / "results")
    with pytest.raises(DataError, match="COCO results hold no tracks"):
        open_predictions("kitti-step", DataSetLocation(results.gt), truth)


def test_a_text_file_is_about_the_frames_of_its_truth_and_may_be_empty(tmp_path: Path) -> None:
    truth = opened(drawn_formats.kitti_mots(tmp_path))
    path = tmp_path / "0002.txt"
    path.write_text("")
    found = label_images(open_predictions("kitti-mots", DataSetLocation(path), truth))
    assert [image.labels.tolist() for image in found] == [[[0] * 8] * 4] * 2


def test_a_text_file_of_truth_is_about_every_frame_that_has_an_image(tmp_path: Path) -> None:
    written = drawn_formats.kitti_mots_text(tmp_path)
    assert written.images is not None
    shutil.copy(written.images / "0002" / "000001.png", written.images / "0002" / "000002.png")
    files = open_truth("kitti-mots", DataSetLocation(written.gt, images=written.images))
    assert list(files.sequences["0002"]) == ["000000", "000001", "000002"]
    assert not files.sequences["0002"]["000002"].read().map.ids.any()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param("missing", "has no image 0002/000001", id="missing"),
        pytest.param("twice", "may both be the image 0002/000001", id="twice"),
    ],
)
def test_an_image_that_cannot_be_told_is_named(tmp_path: Path, spoil: str, message: str) -> None:
    written = drawn_formats.kitti_step(tmp_path)
    assert written.images is not None
    image = written.images / "0002" / "000001.png"
    if spoil == "missing":
        image.unlink()
    else:
        shutil.copy(image, image.with_suffix(".jpg"))
    with pytest.raises(DataError, match=message):
        with_images(unpaired(opened(written).sequences), written.images)


def test_labels_below_the_folder_of_images_are_no_images(tmp_path: Path) -> None:
    written = drawn_formats.kitti_step(tmp_path)
    assert written.images is not None
    labels = written.images / "labels"
    shutil.move(written.gt / "0002", labels)
    files = open_truth("kitti-step", DataSetLocation(labels))
    for pair in with_images(unpaired(files.sequences), written.images):
        assert pair.truth.image == written.images / "0002" / pair.truth.path.name
