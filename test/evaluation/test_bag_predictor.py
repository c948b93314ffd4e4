# SPDX-License-Identifier: Apache-2.0
"""``panoptic eval --bag``: what a node published, graded against truth by stamp."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.data.annotation import Annotation
from panoptic_ros.data.kitti_step import write_kitti_step
from panoptic_ros.data.label_files import LabelFile, Pair
from panoptic_ros.evaluation.stamps import stamped
from panoptic_ros.messages.convert import image_message
from panoptic_ros.recordings.bag_writer import BagWriter, bag_types
from test.cli.test_eval_formats import drive_words, refused, scores, write_drive

FRAMES = 8
METRICS = "pq,miou,label_miou,biou,ece,drivable,stq,vpq,clear,hota,idf1"


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn drive in KITTI-STEP's layout."""
    folder = tmp_path_factory.mktemp("drive")
    write_drive(folder, frames=FRAMES)
    return folder


def replayed(drive: Path, out: Path, *words: object) -> Path:
    """Play the drive through the pipeline into a bag of the node's topics."""
    images = drive / "images" / "0007"
    given = ["replay", images, "--engine", "drawn", "--out", out, *words]
    assert main(list(map(str, given))) == 0
    return out


def bag_words(drive: Path, bag: Path) -> tuple[object, ...]:
    places = ("--gt", drive / "maps", "--images", drive / "images")
    return ("--format", "kitti-step", *places, "--bag", bag)


def without_names(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key not in ("subject", "truth")}


def test_a_bag_scores_as_the_engine_that_filled_it(drive: Path, tmp_path: Path) -> None:
    bag = replayed(drive, tmp_path / "result.mcap")
    published = scores(tmp_path, *bag_words(drive, bag), "--metrics", METRICS)
    engine = scores(tmp_path, *drive_words(drive), "--metrics", METRICS)
    assert published["images"] == FRAMES
    assert without_names(published) == without_names(engine)


def test_the_panoptic_image_alone_says_the_same(drive: Path, tmp_path: Path) -> None:
    both = replayed(drive, tmp_path / "a.mcap", "--topics", "label,instance")
    pairs = replayed(drive, tmp_path / "b.mcap", "--topics", "panoptic")
    first, second = (scores(tmp_path, *bag_words(drive, bag)) for bag in (both, pairs))
    assert without_names(first) == without_names(second)


def test_frames_that_were_not_published_are_left_out_and_told(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = replayed(drive, tmp_path / "part.mcap", "--start", 0.25, "--duration", 0.3)
    found = scores(tmp_path, *bag_words(drive, bag))
    assert found["images"] == 3
    remark = "3 of 8 labelled images were published; the rest is left out."
    assert found["remarks"] == [remark]
    assert remark in capsys.readouterr().out


def test_frames_that_were_not_published_may_count(drive: Path, tmp_path: Path) -> None:
    bag = replayed(drive, tmp_path / "part.mcap", "--start", 0.25, "--duration", 0.3)
    left_out = scores(tmp_path, *bag_words(drive, bag), "--metrics", METRICS)
    counted = scores(tmp_path, *bag_words(drive, bag), "--metrics", METRICS, "--missing", "count")
    assert counted["images"] == FRAMES
    assert "counts as nothing predicted" in counted["remarks"][0]
    by_name = {entry["name"]: entry for entry in counted["classes"]}
    assert (by_name["road"]["tp"], by_name["road"]["fn"]) == (3, 5)
    assert counted["tracking"]["stq"] < left_out["tracking"]["stq"]


def test_a_bag_of_another_time_is_explained(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stamps = tmp_path / "stamps.txt"
    stamps.write_text("".join(f"{number:06} {50 + number}.0\n" for number in range(FRAMES)))
    bag = replayed(drive, tmp_path / "result.mcap")
    error = refused(capsys, *bag_words(drive, bag), "--stamps", stamps)
    assert "it has 8 frames from 1.000 to 1.700 s, the truth from 50.000 to 57.000 s" in error


def test_stamps_of_a_file_are_matched_within_the_tolerance(drive: Path, tmp_path: Path) -> None:
    stamps = tmp_path / "stamps.txt"
    late_ns = [1_000_000_000 + 100_000_000 * number + 400_000 * number for number in range(FRAMES)]
    lines = [f"0007/{number:06}, {stamp}" for number, stamp in enumerate(late_ns)]
    stamps.write_text("# name, ns\n" + "\n".join(lines))
    words = (*bag_words(drive, replayed(drive, tmp_path / "r.mcap")), "--stamps", stamps)
    assert scores(tmp_path, *words)["images"] == 3
    assert scores(tmp_path, *words, "--tolerance-ms", 2)["images"] == 6
    assert scores(tmp_path, *words, "--tolerance-ms", 5)["images"] == FRAMES


def write_labels(path: Path, nodes: tuple[str, ...] = ("/panoptic",), stamp_s: int = 1) -> Path:
    """Write a bag with two images of each node and nothing else."""
    types = bag_types()
    with BagWriter(path) as writer:
        for node in nodes:
            time = types.make("builtin_interfaces/msg/Time", sec=stamp_s, nanosec=0)
            header = types.make("std_msgs/msg/Header", stamp=time, frame_id="camera")
            labels = np.zeros((4, 8), np.uint8)
            for name, pixels, encoding in (
                ("label", labels, "mono8"),
                ("instance", labels.astype(np.uint16), "16UC1"),
            ):
                message = image_message(pixels, encoding, types, header)
                writer.write(f"{node}/{name}", message, stamp_s * 1_000_000_000)
    return path


@pytest.fixture
def one_frame(tmp_path: Path) -> tuple[object, ...]:
    """Words that name the truth of one frame, all of it road, which was taken at 1 s."""
    (tmp_path / "gt").mkdir()
    labels = np.zeros((4, 8), np.uint8)
    write_kitti_step(tmp_path / "gt" / "000000.png", labels, labels.astype(np.uint16))
    return ("--format", "kitti-step", "--gt", tmp_path / "gt", "--metrics", "pq")


def test_a_bag_without_label_info_needs_the_label_set(
    tmp_path: Path, one_frame: tuple[object, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    bag = write_labels(tmp_path / "r.mcap")
    assert "/panoptic/label_info is not in the bag" in refused(capsys, *one_frame, "--bag", bag)
    found = scores(tmp_path, *one_frame, "--bag", bag, "--labels", "cityscapes")
    assert found["panoptic"]["all"]["pq"] == 1.0


def test_of_several_nodes_one_is_chosen(
    tmp_path: Path, one_frame: tuple[object, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    words = (*one_frame, "--bag", write_labels(tmp_path / "r.mcap", ("/left", "/right/panoptic")))
    assert "has results of /left, /right/panoptic; choose with --node" in refused(capsys, *words)
    chosen = ("--node", "right/panoptic", "--labels", "cityscapes")
    assert scores(tmp_path, *words, *chosen)["subject"].endswith("/right/panoptic")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["--bag", "absent.mcap"], "absent.mcap: no such file", id="no bag"),
        pytest.param(["--node", "/front"], "needs the images /front/label", id="no such node"),
        pytest.param(
            ["--labels", "mars"], "no label set 'mars'; there are cityscapes", id="no such labels"
        ),
        pytest.param(["--labels", "coco", "--map", "m.yaml"], "m.yaml: cannot be", id="no map"),
        pytest.param(["--tolerance-ms", "-1"], "needs 0 or more", id="tolerance"),
        pytest.param(["--tolerance-ms", "inf"], "is inf, needs 0 or more ms", id="no tolerance"),
        pytest.param(["--fps", "inf"], "--fps is inf, needs a number", id="no rate"),
        pytest.param(["--stamps", "absent.txt"], "absent.txt: cannot be read", id="no stamps"),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path,
    one_frame: tuple[object, ...],
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bag = write_labels(tmp_path / "r.mcap")
    given = (*one_frame, "--bag", bag, *words)
    assert message in refused(capsys, *given)


def test_another_size_names_the_frame(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gt").mkdir()
    labels = np.zeros((5, 8), np.uint8)
    write_kitti_step(tmp_path / "gt" / "000000.png", labels, labels.astype(np.uint16))
    words = ("--format", "kitti-step", "--gt", tmp_path / "gt", "--labels", "cityscapes")
    error = refused(capsys, *words, "--bag", write_labels(tmp_path / "r.mcap"))
    assert "/panoptic at 1.000000000 s: is 8x4, its truth 000000.png is 8x5" in error


def never() -> Annotation:
    raise AssertionError("stamps do not depend on pixels")


def pairs(*names: str, sequence: str = "") -> list[Pair]:
    return [Pair(sequence, LabelFile(name, Path(f"{name}.png"), never)) for name in names]


def stamps_of(found: list[tuple[int, Pair]]) -> dict[str, int]:
    return {pair.truth.name: stamp for stamp, pair in found}


def test_names_of_enough_digits_are_stamps() -> None:
    names = ("1700000000100000000", "1700000000000000000")
    assert list(stamps_of(stamped(pairs(*names), None, None, 10.0)).values()) == [
        1700000000000000000,
        1700000000100000000,
    ]


def test_otherwise_the_order_counts_as_in_replay() -> None:
    found = stamps_of(stamped(pairs("a", "b", "c"), None, None, 4.0))
    assert found == {"a": 1_000_000_000, "b": 1_250_000_000, "c": 1_500_000_000}


def test_the_place_in_the_folder_of_images_counts_where_it_is_known(tmp_path: Path) -> None:
    for number in (2, 10, 9):
        cv2.imwrite(str(tmp_path / f"frame_{number}.png"), np.zeros((2, 2, 3), np.uint8))
    found = stamps_of(stamped(pairs("frame_10", "frame_9"), None, tmp_path, 10.0))
    assert found == {"frame_9": 1_100_000_000, "frame_10": 1_200_000_000}


def test_two_images_of_one_name_have_no_place(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "b.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((2, 2, 3), np.uint8))
    assert stamps_of(stamped(pairs("b"), None, tmp_path, 10.0)) == {"b": 1_200_000_000}
    with pytest.raises(DataError, match="2 images are named a, so its stamp is not clear"):
        stamped(pairs("a", "b"), None, tmp_path, 10.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a 1.5\n", "has no stamp of b", id="missing"),
        pytest.param("a 1.5\nb 1500000000\n", "both have stamp 1500000000", id="twice"),
        pytest.param("a 1.5\nb soon\n", "line 2: is 'b soon', needs", id="no number"),
        pytest.param("a\n", "line 1: is 'a', needs", id="no stamp"),
    ],
)
def test_a_wrong_file_of_stamps_is_explained(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "stamps.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        stamped(pairs("a", "b"), path, None, 10.0)


def test_seconds_are_read_to_the_nanosecond(tmp_path: Path) -> None:
    path = tmp_path / "stamps.txt"
    path.write_text("a 1700000000.123456789\n")
    assert stamps_of(stamped(pairs("a"), path, None, 10.0)) == {"a": 1700000000123456789}


def test_a_bag_is_about_one_sequence() -> None:
    with pytest.raises(DataError, match="the truth has 2 sequences, a bag is about one"):
        stamped([*pairs("0", sequence="a"), *pairs("0", sequence="b")], None, None, 10.0)


def test_the_drawn_street_has_the_stamps_of_a_folder() -> None:
    frame, _ = DrawnStreet(fps=10.0).draw(3)
    assert stamps_of(stamped(pairs(*"abcd"), None, None, 10.0))["d"] == frame.stamp_ns
