# SPDX-License-Identifier: Apache-2.0
"""``panoptic replay``: what it writes, twice the same, over good and bad input."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.core.pipeline import Pipeline
from test.drawn.drawn_inputs import write_bag2
from test.drawn.drawn_replay import FRAMES, messages, replay, write_images
from test.drawn.painted_engine import street

pytest.importorskip("rosbags")
pytestmark = pytest.mark.usefixtures("painted")


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    return write_images(tmp_path / "drive")


def test_the_bag_holds_the_topics_of_the_node(drive: Path, tmp_path: Path) -> None:
    assert replay(drive, "--out", tmp_path / "r.mcap") == 0
    found = messages(tmp_path / "r.mcap")
    per_frame = [
        "confidence",
        "detections",
        "drivable",
        "instance",
        "label",
        "overlay/compressed",
        "panoptic",
    ]
    names = {f"/panoptic/{name}" for name in per_frame}
    assert set(found) == names | {"/panoptic/label_info"}
    assert {len(found[name]) for name in names} == {FRAMES}
    assert len(found["/panoptic/label_info"]) == 1


def test_labels_are_at_camera_size_and_ids_agree_with_the_detections(
    drive: Path, tmp_path: Path
) -> None:
    assert replay(drive, "--out", tmp_path / "r.mcap") == 0
    found = messages(tmp_path / "r.mcap")
    for number in range(FRAMES):
        time_ns, label = found["/panoptic/label"][number]
        assert (label.width, label.height, label.step, label.encoding) == (128, 96, 128, "mono8")
        assert time_ns == label.header.stamp.sec * 10**9 + label.header.stamp.nanosec
        labels = label.data.reshape(96, 128)
        left = 2 * (10 + 3 * number)
        assert (labels[52:68, left : left + 24] == 2).all()
        instance = found["/panoptic/instance"][number][1]
        ids = instance.data.view(np.uint16).reshape(96, 128)
        assert np.unique(ids[labels == 2]).tolist() == [1]
        detected = found["/panoptic/detections"][number][1].detections
        assert [(one.id, one.results[0].hypothesis.class_id) for one in detected] == [("1", "car")]


def test_two_runs_give_the_same_bytes_of_every_message(drive: Path, tmp_path: Path) -> None:
    from rosbags.rosbag2 import Reader

    contents = []
    for name in ("a.mcap", "b.mcap"):
        assert replay(drive, "--out", tmp_path / name) == 0
        with Reader(tmp_path / name) as reader:
            contents.append(
                [(entry.topic, time, bytes(data)) for entry, time, data in reader.messages()]
            )
    assert len(contents[0]) == 7 * FRAMES + 1
    assert contents[0] == contents[1]


def test_the_figures_count_frames_tracks_and_classes(drive: Path, tmp_path: Path) -> None:
    assert replay(drive, "--json", tmp_path / "s.json") == 0
    stats = json.loads((tmp_path / "s.json").read_text())
    assert stats["frames"] == {
        "in": FRAMES,
        "processed": FRAMES,
        "dropped": 0,
        "skipped": 0,
        "late": 0,
        "left_out": 0,
    }
    assert stats["tracks"]["count"] == 1
    assert stats["tracks"]["by_class"] == {"car": 1}
    assert stats["objects_per_frame"] == {"car": {"mean": 1.0, "most": 1}}
    assert stats["drivable_share"] == pytest.approx(0.5 - 96 / (64 * 48), abs=0.02)
    assert {"resize", "infer", "decode", "track", "drivable"} <= set(stats["stages_ms"])
    assert stats["latency_ms"]["p50"] > 0


def test_the_report_needs_no_other_file(drive: Path, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    assert replay(drive, "--report", tmp_path / "r.html") == 0
    text = (tmp_path / "r.html").read_text()
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!data:|#)|url\(|@import|https?://", text)
    assert text.count("data:image/jpeg;base64,") == 4 * FRAMES
    assert text.count("<svg") == 6
    assert "car 1" in text


def test_the_film_has_every_frame(drive: Path, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    assert replay(drive, "--overlay", tmp_path / "o.mp4") == 0
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == FRAMES


def test_a_bag_gives_its_stamps_and_camera_info_on(tmp_path: Path) -> None:
    bag = write_bag2(tmp_path / "bag", count=2, stamps=[7_000_000_001, 7_100_000_002])
    assert replay(bag, "--out", tmp_path / "r.mcap") == 0
    found = messages(tmp_path / "r.mcap")
    assert [time for time, _ in found["/panoptic/label"]] == [7_000_000_001, 7_100_000_002]
    header = found["/panoptic/label"][0][1].header
    assert (header.stamp.nanosec, header.frame_id) == (1, "front_optical")
    info = found["/panoptic/camera_info"][1][1]
    assert (info.width, info.height, info.header.stamp.nanosec) == (64, 48, 100_000_002)


def test_stamps_that_jump_back_start_the_tracks_anew(tmp_path: Path) -> None:
    second = 10**9
    bag = write_bag2(
        tmp_path / "bag", count=4, stamps=[9 * second, 10 * second, 1 * second, 2 * second]
    )
    assert replay(bag, "--json", tmp_path / "s.json") == 0
    assert json.loads((tmp_path / "s.json").read_text())["frames"]["processed"] == 4


def test_late_frames_are_left_out_and_counted_and_ids_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ms = 1_000_000
    stamps = [9000 * ms, 9100 * ms, 9095 * ms, 9200 * ms, 9080 * ms, 9300 * ms]
    bag = write_bag2(tmp_path / "bag", count=6, stamps=stamps)
    assert replay(bag, "--json", tmp_path / "s.json", "--out", tmp_path / "r.mcap") == 0
    stats = json.loads((tmp_path / "s.json").read_text())
    assert stats["frames"] == {
        "in": 6,
        "processed": 4,
        "dropped": 0,
        "skipped": 0,
        "late": 2,
        "left_out": 0,
    }
    assert "4 frames processed, 0 skipped, 2 late" in capsys.readouterr().out
    published = [time for time, _ in messages(tmp_path / "r.mcap")["/panoptic/label"]]
    assert published == [9000 * ms, 9100 * ms, 9200 * ms, 9300 * ms]


def test_what_cannot_be_read_is_counted_and_told(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (drive / "2.png").write_bytes(b"no image")
    assert replay(drive, "--json", tmp_path / "s.json") == 1
    stats = json.loads((tmp_path / "s.json").read_text())
    assert stats["frames"] == {
        "in": FRAMES,
        "processed": FRAMES - 1,
        "dropped": 0,
        "skipped": 1,
        "late": 0,
        "left_out": 0,
    }
    assert "2.png" in stats["notes"][0]
    assert "2.png" in capsys.readouterr().err


def test_images_of_other_sizes_are_labelled_at_their_size(drive: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(drive / "2.png"), street(16)[..., ::-1])
    cv2.imwrite(str(drive / "3.png"), np.zeros((1, 1, 3), np.uint8))
    assert replay(drive, "--out", tmp_path / "r.mcap", "--overlay", tmp_path / "o.mp4") == 0
    sizes = [
        (message.width, message.height)
        for _, message in messages(tmp_path / "r.mcap")["/panoptic/label"]
    ]
    assert sizes == [(128, 96), (128, 96), (64, 48), (1, 1), (128, 96)]


def test_thresholds_come_from_the_parameter_file(drive: Path, tmp_path: Path) -> None:
    params = tmp_path / "p.yaml"
    decode = "{center_threshold: 0.99, region_confidence: 1.0}"
    params.write_text(f"/**:\n  ros__parameters:\n    decode: {decode}\n")
    assert replay(drive, "--json", tmp_path / "s.json", "--params", params) == 0
    assert json.loads((tmp_path / "s.json").read_text())["tracks"]["count"] == 0


def test_a_road_that_is_never_sure_enough_is_told_once_and_in_the_report(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params, figures = tmp_path / "p.yaml", tmp_path / "s.json"
    params.write_text("/**:\n  ros__parameters:\n    drivable: {min_confidence: 0.9}\n")
    assert replay(drive, "--json", figures) == 0
    assert json.loads(figures.read_text())["warnings"] == []
    assert replay(drive, "--json", figures, "--params", params) == 0
    (told,) = json.loads(figures.read_text())["warnings"]
    assert "road never counts for more than 0.80" in told
    assert "drivable.min_confidence is 0.9" in told
    assert capsys.readouterr().err.count(told) == 1


ALL = ["overlay.mp4", "report.html", "result.mcap", "stats.json"]


@pytest.mark.parametrize("out", [None, "there"])
def test_without_files_named_all_are_written_to_a_folder_and_listed(
    drive: Path,
    tmp_path: Path,
    out: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("jinja2")
    pytest.importorskip("av")
    monkeypatch.chdir(tmp_path)
    assert replay(drive, *(["--out", out] if out else [])) == 0
    folder = Path(out or "out/replay")
    assert sorted(path.name for path in folder.iterdir()) == ALL
    listed = capsys.readouterr().out.splitlines()[-1].removeprefix("wrote ").split(", ")
    assert sorted(listed) == [str(folder / name) for name in ALL]


@pytest.mark.parametrize("shape", [(1, 1), (1000, 3), (3, 1000)], ids=["1x1", "3x1000", "1000x3"])
def test_an_image_of_an_odd_shape_has_every_output(shape: tuple[int, int], tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    pytest.importorskip("av")
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "0.png"), np.full((*shape, 3), 90, np.uint8))
    assert replay(tmp_path / "in", "--out", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ALL
    assert "data:image/jpeg" in (tmp_path / "out" / "report.html").read_text()


def test_a_file_that_is_named_alone_is_all_that_is_written(drive: Path, tmp_path: Path) -> None:
    assert replay(drive, "--json", tmp_path / "there" / "s.json") == 0
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["s.json"]


@pytest.mark.ros
def test_the_topics_lie_below_the_name_of_the_node() -> None:
    pytest.importorskip("rclpy")
    from panoptic_ros.core.node_config import NODE_NAME
    from panoptic_ros.recordings.result_bag import NODE

    assert f"/{NODE_NAME}" == NODE


def test_camera_info_of_another_size_is_not_written(tmp_path: Path) -> None:
    bag = write_bag2(tmp_path / "bag", count=2, info_size=(32, 24))
    assert replay(bag, "--out", tmp_path / "r.mcap") == 0
    assert "/panoptic/camera_info" not in messages(tmp_path / "r.mcap")


VIEW = """
/panoptic:
  ros__parameters:
    ego_mask: ["0,80 127,80 127,95 0,95"]
    rotation: [180]
    max_rate_hz: [5.0]
    output: {size: ["64x48"]}
"""


VIEWED = """
image_width: 128
image_height: 96
distortion_model: plumb_bob
camera_matrix: {rows: 3, cols: 3, data: [100, 0, 60, 0, 100, 50, 0, 0, 1]}
distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}
"""


def test_the_parameters_of_the_camera_count_as_in_the_node(drive: Path, tmp_path: Path) -> None:
    params, calibration = tmp_path / "camera.yaml", tmp_path / "calibration.yaml"
    params.write_text(VIEW)
    calibration.write_text(VIEWED)
    for file in drive.iterdir():
        cv2.imwrite(str(file), np.rot90(cv2.imread(str(file)), 2))
    out, figures = tmp_path / "r.mcap", tmp_path / "r.json"
    said = ("--params", params, "--camera-info", calibration, "--out", out, "--json", figures)
    assert replay(drive, *said) == 0
    counts = json.loads(figures.read_text())["frames"]
    assert (counts["in"], counts["processed"], counts["left_out"]) == (FRAMES, 3, 2)
    found = messages(out)
    _, label = found["/panoptic/label"][0]
    _, info = found["/panoptic/camera_info"][0]
    pixels = np.asarray(label.data).reshape(48, 64)
    assert set(pixels[:8].ravel().tolist()) == {255}, "the mask is turned with the image"
    assert set(pixels[24:].ravel().tolist()) == {0, 2}, "the road is below again"
    assert (info.width, info.height) == (64, 48)
    assert np.asarray(info.k)[[0, 2, 4, 5]].tolist() == [50.0, 33.25, 50.0, 22.25]


@pytest.mark.parametrize("was_there", [False, True])
def test_a_run_that_is_stopped_says_that_its_bag_is_not_whole(
    was_there: bool,
    drive: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bag = tmp_path / "r.mcap"
    if was_there:
        assert replay(drive, "--out", bag) == 0
    before = bag.read_bytes() if was_there else b""
    capsys.readouterr()
    step, calls = Pipeline.step, iter(range(FRAMES))

    def stopped(self: Pipeline, *args: Any) -> Any:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return step(self, *args)

    monkeypatch.setattr(Pipeline, "step", stopped)
    assert replay(drive, "--out", bag) == 130
    told = (
        f"stopped early; {bag} holds only what was written until then" in capsys.readouterr().err
    )
    assert told is not was_there
    if was_there:
        assert bag.read_bytes() == before
    else:
        assert len(messages(bag)["/panoptic/label"]) == 1
