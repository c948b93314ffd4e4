# SPDX-License-Identifier: Apache-2.0
"""Objects for annotation tools: read back here, and by the tools' own libraries."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from panoptic_ros.core.errors import DataError
from panoptic_ros.core.result import Result
from panoptic_ros.data.format import DataSetLocation
from panoptic_ros.data.formats import FORMATS, open_truth
from panoptic_ros.data.tools.coco_instances import mask_of
from panoptic_ros.data.tools.label_studio import decode_brush, encode_brush
from test.drawn.drawn_inputs import write_folder
from test.drawn.drawn_result import LABELS, drawn_result

TOOLS = ("coco-instances", "cvat", "datumaro", "label-studio")


def written(folder: Path, tool: str) -> Path:
    """Two images of one sequence."""
    open_writer = FORMATS[tool].open_writer
    assert open_writer is not None
    writer = open_writer(folder, LABELS, None)
    for name in ("0001.png", "0002.png"):
        writer.write(drawn_result(), name)
    writer.close()
    return folder


def masks_of(result: Result) -> dict[int, Any]:
    return {one.id: one.mask for one in result.instances()}


@pytest.mark.parametrize("tool", TOOLS)
def test_what_was_written_is_read_back(tmp_path: Path, tool: str) -> None:
    files = open_truth(tool, DataSetLocation(written(tmp_path, tool)))
    (found,) = files.sequences.values()
    assert list(found) == ["0001", "0002"]
    result = drawn_result()
    names = [category.name for category in files.categories]
    for file in found.values():
        read = file.read().map
        assert np.array_equal(read.ids, result.instance_ids())
        for one in result.instances():
            assert {names[label] for label in read.labels[one.mask].tolist()} == {one.name}
        assert not read.labels[read.ids == 0].any()


@pytest.mark.parametrize("tool", TOOLS)
def test_the_sequence_is_called_like_its_folder_or_a_file_of_another_name(
    tmp_path: Path, tool: str
) -> None:
    (tmp_path / "drive 7").mkdir()
    folder = written(tmp_path / "drive 7", tool)
    (file,) = (path for path in folder.rglob("*") if path.is_file())
    corrected = Path(shutil.copy(file, tmp_path / f"corrected{file.suffix}"))
    names = [
        name
        for path in (folder, file, corrected)
        for name in open_truth(tool, DataSetLocation(path)).sequences
    ]
    assert names == ["drive 7", "drive 7", "corrected"]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_file_of_something_else_is_one_error(tmp_path: Path, tool: str) -> None:
    path = tmp_path / "other.json"
    path.write_text('[{"a": 1}]')
    with pytest.raises(DataError, match=r"other\.json"):
        open_truth(tool, DataSetLocation(path))


def test_entities_in_a_file_of_cvat_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "annotations.xml"
    path.write_text('<!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>')
    with pytest.raises(DataError, match="entities"):
        open_truth("cvat", DataSetLocation(path))


def test_a_person_may_draw_polygons_and_boxes_in_cvat(tmp_path: Path) -> None:
    path = written(tmp_path, "cvat") / "annotations.xml"
    shapes = (
        '<polygon label="car" points="1,1;5,1;5,4;1,4" z_order="9"></polygon>'
        '<box label="car" xtl="10" ytl="2" xbr="14" ybr="5" z_order="9"></box>'
    )
    path.write_text(path.read_text().replace("</image>", f"{shapes}</image>", 1))
    first = open_truth("cvat", DataSetLocation(path)).sequences[tmp_path.name]["0001"].read().map
    assert len(np.unique(first.ids[1:5, 1:6])) == 1
    assert (first.ids[2:5, 10:14] == first.ids[2, 10]).all()
    assert first.ids[2, 10] not in (0, first.ids[1, 1])


def test_corrections_in_label_studio_count_before_predictions(tmp_path: Path) -> None:
    path = written(tmp_path, "label-studio") / "tasks.json"
    tasks = json.loads(path.read_text())
    for task in tasks:
        task["annotations"] = [{"result": task["predictions"][0]["result"][:1]}]
    path.write_text(json.dumps(tasks))
    files = open_truth("label-studio", DataSetLocation(path))
    ids = files.sequences[tmp_path.name]["0001"].read().map.ids
    assert np.unique(ids).tolist() == [0, drawn_result().instances()[0].id]


@given(arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_a_brush_is_read_as_it_was_written(mask: Any) -> None:
    assert np.array_equal(decode_brush(encode_brush(mask), mask.shape), mask)


def test_a_brush_holds_runs_of_any_length() -> None:
    mask = np.zeros((300, 500), np.bool_)
    mask[10:290] = True
    assert np.array_equal(decode_brush(encode_brush(mask), mask.shape), mask)


def test_cocos_own_library_reads_masks_and_tracks(tmp_path: Path) -> None:
    hotcoco = pytest.importorskip("hotcoco")
    path = written(tmp_path, "coco-instances") / "instances.json"
    coco = hotcoco.COCO(str(path))
    entries = coco.loadAnns(coco.getAnnIds())
    masks = masks_of(drawn_result())
    assert len(entries) == 2 * len(masks)
    for entry, told in zip(entries, json.loads(path.read_text())["annotations"], strict=True):
        assert np.array_equal(coco.annToMask(entry) > 0, masks[told["track_id"]])
        assert sum(told["probabilities"].values()) == pytest.approx(1.0)
        assert next(iter(told["probabilities"].values())) == told["score"]


@pytest.mark.parametrize(
    ("tool", "theirs"),
    [("coco-instances", "coco_instances"), ("cvat", "cvat"), ("datumaro", "datumaro")],
)
@pytest.mark.filterwarnings("ignore")
def test_datumaro_reads_masks_classes_and_tracks(tmp_path: Path, tool: str, theirs: str) -> None:
    datumaro = pytest.importorskip("datumaro")
    folder = written(tmp_path, tool)
    if tool == "coco-instances":
        (folder / "annotations").mkdir()
        (folder / "instances.json").rename(folder / "annotations" / "instances_default.json")
    write_folder(folder / "images", ["0001.png", "0002.png"])
    data = datumaro.Dataset.import_from(str(folder), theirs)
    names = [label.name for label in data.categories()[datumaro.AnnotationType.label].items]
    masks, classes = masks_of(drawn_result()), {o.id: o.name for o in drawn_result().instances()}
    assert len(data) == 2
    for item in data:
        # Of COCO's objects Datumaro makes a box each, beside the mask.
        found = [one for one in item.annotations if one.type == datumaro.AnnotationType.mask]
        assert len(found) == len(masks)
        for one in found:
            track = int(one.attributes["track_id"])
            assert names[one.label] == classes[track]
            assert np.array_equal(np.asarray(one.image) > 0, masks[track])


@pytest.mark.filterwarnings("ignore")
def test_label_studios_converter_reads_our_brush_and_we_read_its(tmp_path: Path) -> None:
    brush = pytest.importorskip("label_studio_converter.brush")
    tasks = json.loads((written(tmp_path, "label-studio") / "tasks.json").read_text())
    masks = masks_of(drawn_result())
    for result in tasks[0]["predictions"][0]["result"]:
        mask = masks[result["meta"]["track_id"]]
        theirs = brush.decode_rle(result["value"]["rle"]).reshape(*mask.shape, 4)[..., 3]
        assert np.array_equal(theirs > 0, mask)
        again = brush.mask2rle((mask * 255).astype(np.uint8))
        assert np.array_equal(decode_brush(again, mask.shape), mask)


def test_coco_masks_may_be_polygons_or_plain_runs() -> None:
    square = np.zeros((6, 8), np.bool_)
    square[1:4, 2:6] = True
    assert np.array_equal(mask_of([[2, 1, 5, 1, 5, 3, 2, 3]], (6, 8)), square)
    flat = square.ravel(order="F").astype(np.int8)
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *edges.tolist(), flat.size]).tolist()
    assert np.array_equal(mask_of({"counts": runs, "size": [6, 8]}, (6, 8)), square)
