# SPDX-License-Identifier: Apache-2.0
"""One bag: what comes out of it, what its report says, and that nothing makes it raise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.camera.camera_config import CameraLists
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.fleet.folder import FleetFolder
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.job_engine import parameter_files
from panoptic_ros.fleet.label_bag import Labeller, label_bag
from panoptic_ros.fleet.opened import fingerprint
from panoptic_ros.recordings.bag_writer import BagWriter, typestore
from panoptic_ros.recordings.offered_qos import offered_qos, topic_qos
from panoptic_ros.recordings.open_bag import OpenBag
from panoptic_ros.recordings.source import ReadErrors
from test.drawn.drawn_bags import write_messages
from test.drawn.drawn_fleet import FRONT, street, write_drive, write_empty
from test.drawn.drawn_inputs import SECOND_NS, compressed_message, write_bag2
from test.drawn.vehicle_bag import tf_message

pytest.importorskip("rosbags")

JOB = Job("drawn")


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    return write_drive(tmp_path / "drive.mcap", street(4))


def messages(path: Path) -> list[tuple[str, int, Any]]:
    from rosbags.highlevel import AnyReader

    with AnyReader([path]) as reader:
        return [
            (entry.topic, time_ns, reader.deserialize(data, entry.msgtype))
            for entry, time_ns, data in reader.messages()
        ]


def header_of(message: Any) -> tuple[int, int, str]:
    header = message.header
    return header.stamp.sec, header.stamp.nanosec, header.frame_id


def labels_of(out: Path) -> Path:
    return next(out.glob("*/*.labels.mcap"))


def test_a_bag_of_labels_has_the_stamps_and_headers_of_its_input(
    drive: Path, tmp_path: Path
) -> None:
    report = label_bag(str(drive), str(tmp_path / "out"), JOB)
    assert (report.status, report.frames, report.error) == ("ok", 4, "")
    found = messages(labels_of(tmp_path / "out"))
    inputs = [(time_ns, header_of(message)) for _, time_ns, message in messages(drive)]
    for name in ("label", "instance", "panoptic", "drivable"):
        topic = f"/panoptic/{name}/compressed"
        assert [(t, header_of(m)) for told, t, m in found if told == topic] == inputs
    assert {topic for topic, *_ in found} >= {"/panoptic/detections", "/panoptic/label_info"}


def test_the_labels_of_a_bag_are_read_back_as_a_node_published_them(
    drive: Path, tmp_path: Path
) -> None:
    from panoptic_ros.core.pipeline import Pipeline
    from panoptic_ros.core.synthetic.engine import DrawnEngine
    from panoptic_ros.recordings.open import open_source
    from panoptic_ros.recordings.published import PublishedResults

    label_bag(str(drive), str(tmp_path / "out"), JOB)
    pipeline = Pipeline(DrawnEngine())
    state = pipeline.new_state()
    with (
        PublishedResults(labels_of(tmp_path / "out")) as published,
        open_source(drive) as source,
    ):
        for read, recorded in zip(published.frames(), source.frames(), strict=True):
            result = pipeline.step(recorded.frame, state)
            assert np.array_equal(read.labels, result.semantic())
            assert np.array_equal(read.ids, result.instance_ids())
            assert read.drivable is not None
            assert np.array_equal(read.drivable > 0, result.drivable_mask())


def test_every_camera_of_a_bag_has_topics_of_its_own(tmp_path: Path) -> None:
    topics = ("/left/image_raw/compressed", "/right/image_raw/compressed")
    drive = write_drive(tmp_path / "two.mcap", street(2), topics)
    report = label_bag(str(drive), str(tmp_path / "out"), JOB)
    assert (report.frames, set(report.cameras)) == (4, set(topics))
    found = messages(labels_of(tmp_path / "out"))
    assert {topic.split("/")[2] for topic, *_ in found} == {"left", "right"}
    assert [time_ns for _, time_ns, _ in found] == sorted(time_ns for _, time_ns, _ in found)


def test_a_bag_of_none_of_several_cameras_fails_and_says_so(drive: Path, tmp_path: Path) -> None:
    config = NodeConfig(cameras=("left", "right"), of_cameras=CameraLists(rotation=(0, 180)))
    report = label_bag(str(drive), str(tmp_path / "out"), replace(JOB, config=config))
    assert report.status == "failed"
    assert "is the image topic of no camera" in report.error
    assert "left/image, right/image" in report.error


def test_a_merged_bag_also_holds_the_input(drive: Path, tmp_path: Path) -> None:
    label_bag(str(drive), str(tmp_path / "out"), replace(JOB, is_merged=True))
    found = messages(labels_of(tmp_path / "out"))
    assert [time_ns for topic, time_ns, _ in found if topic == FRONT] == [
        time_ns for _, time_ns, _ in messages(drive)
    ]
    assert "/panoptic/label/compressed" in {topic for topic, *_ in found}


def test_a_latched_topic_of_the_input_stays_latched_when_merged(tmp_path: Path) -> None:
    """``ros2 bag play`` offers a topic as the bag says: tf2 hears no /tf_static otherwise."""
    path, image = tmp_path / "drive.mcap", street(1)[0]
    static, latched = tf_message("base_link", "camera", (0, 0, 0, 1)), [topic_qos(True)]
    data = typestore().serialize_cdr(static, static.__msgtype__)
    with BagWriter(path) as writer:
        writer.write_raw("/tf_static", static.__msgtype__, data, 5 * SECOND_NS, latched)
        message = compressed_message(typestore(), image, 5 * SECOND_NS)
        writer.write(FRONT, message, 5 * SECOND_NS)
    label_bag(str(path), str(tmp_path / "out"), replace(JOB, is_merged=True))
    with OpenBag(labels_of(tmp_path / "out"), ReadErrors()) as bag:
        found = {topic.name: offered_qos(topic.qos)[0].durability.name for topic in bag.topics()}
    assert (found["/tf_static"], found[FRONT]) == ("TRANSIENT_LOCAL", "VOLATILE")


def test_label_files_are_written_in_place_of_a_bag(drive: Path, tmp_path: Path) -> None:
    report = label_bag(str(drive), str(tmp_path / "out"), replace(JOB, format="coco"))
    names = [output.name for output in report.outputs]
    assert "predictions.json" in names
    assert len([name for name in names if name.startswith("panoptic/")]) == 4


def test_reading_a_database_with_its_log_makes_no_other_bag_of_it(tmp_path: Path) -> None:
    """SQLite keeps an index of the write-ahead log, which a killed recorder leaves, in a file."""
    folder = write_bag2(tmp_path / "bag", storage="sqlite3")
    (path,) = folder.glob("*.db3")
    killed = (
        "import os, sqlite3, sys; database = sqlite3.connect(sys.argv[1])\n"
        "database.execute('PRAGMA journal_mode = WAL')\n"
        "database.execute('DELETE FROM messages WHERE id > 8')\n"
        "database.commit(); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", killed, str(path)], check=True)
    assert path.with_name(path.name + "-wal").stat().st_size
    before = fingerprint(str(folder))
    for _ in range(2):
        with OpenBag(folder, ReadErrors()) as bag:
            assert sum(topic.count for topic in bag.topics()) == 8
        assert fingerprint(str(folder)) == before


def test_a_later_result_in_a_store_leaves_nothing_of_the_earlier(
    drive: Path, tmp_path: Path
) -> None:
    files = pytest.importorskip("fsspec").filesystem("memory")
    out = "memory://relabelled"
    assert label_bag(str(drive), out, replace(JOB, format="coco")).status == "ok"
    report = label_bag(str(drive), out, JOB)
    found = {Path(place).name for place in files.find("/relabelled")}
    assert report.status == "ok"
    assert found == {"drive.labels.mcap", "manifest.json"}


def test_a_bag_that_was_labelled_is_not_labelled_again(drive: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    first = label_bag(str(drive), out, JOB)
    before = labels_of(tmp_path / "out").stat().st_mtime_ns
    again = label_bag(str(drive), out, JOB)
    assert (first.status, again.status) == ("ok", "skipped")
    assert labels_of(tmp_path / "out").stat().st_mtime_ns == before


@pytest.mark.parametrize("change", ["bag", "parameters", "files", "output"])
def test_what_changed_is_labelled_again(drive: Path, tmp_path: Path, change: str) -> None:
    out, job = str(tmp_path / "out"), JOB
    label_bag(str(drive), out, JOB)
    if change == "bag":
        os.utime(drive, ns=(1, 1))
    elif change == "parameters":
        decode = replace(JOB.config.decode, center_threshold=0.42)
        job = replace(JOB, config=replace(JOB.config, decode=decode))
    elif change == "files":
        job = replace(JOB, files=parameter_files(JOB.config))
    else:
        labels_of(tmp_path / "out").write_bytes(b"cut")
    assert label_bag(str(drive), out, job).status == "ok"


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("missing", "failed", "cannot be found"),
        ("nothing", "failed", ""),
        ("cut", "failed", "can be read"),
        ("empty", "skipped", "no images"),
        ("text", "failed", "MCAP"),
    ],
)
def test_a_bad_bag_is_a_report_and_no_error(
    tmp_path: Path, kind: str, status: str, words: str
) -> None:
    path = tmp_path / "bad.mcap"
    if kind == "cut":
        path.write_bytes(write_drive(path, street(1)).read_bytes()[:300])
    elif kind == "empty":
        write_empty(path)
    elif kind != "missing":
        path.write_bytes(b"" if kind == "nothing" else b"not a bag at all")
    report = label_bag(str(path), str(tmp_path / "out"), JOB)
    assert report.status == status
    assert words in report.error


def test_a_bag_whose_images_are_not_read_fails_and_says_what_helps(tmp_path: Path) -> None:
    kind = "theora_image_transport/msg/Packet"
    bag = write_messages(tmp_path / "a.mcap", kind, "cdr", [b"1234"] * 3)
    report = label_bag(str(bag), str(tmp_path / "out"), JOB)
    assert report.status == "failed"
    assert f"/cam ({kind} in cdr, 3): ros2 run image_transport republish" in report.error


def test_a_bag_of_something_else_says_what_it_has(tmp_path: Path) -> None:
    bag = write_messages(tmp_path / "a.mcap", "std_msgs/msg/String", "cdr", [b"1234"])
    report = label_bag(str(bag), str(tmp_path / "out"), JOB)
    assert (report.status, report.error) == (
        "skipped",
        "holds no images; needs messages of sensor_msgs/msg/Image or "
        "sensor_msgs/msg/CompressedImage, it has /cam (std_msgs/msg/String)",
    )


def test_a_topic_that_is_wanted_twice_is_labelled_once(drive: Path, tmp_path: Path) -> None:
    job = replace(JOB, image_topics=(FRONT, FRONT))
    assert label_bag(str(drive), str(tmp_path / "out"), job).frames == 4


def test_a_bag_of_which_a_part_can_be_read_is_labelled_in_part(tmp_path: Path) -> None:
    drive = write_drive(tmp_path / "drive.mcap", street(4))
    drive.write_bytes(drive.read_bytes()[:-200])
    report = label_bag(str(drive), str(tmp_path / "out"), JOB)
    assert (report.status, report.frames) == ("partial", 4)
    assert report.notes


def test_an_engine_that_is_not_there_fails_the_bag(drive: Path, tmp_path: Path) -> None:
    report = label_bag(str(drive), str(tmp_path / "out"), Job("nowhere.onnx"))
    assert report.status == "failed"
    assert "no model" in report.error


def test_a_model_of_other_bytes_than_the_jobs_is_refused(drive: Path, tmp_path: Path) -> None:
    job = Job("street_fast", model_sha256="0" * 64)
    report = label_bag(str(drive), str(tmp_path / "out"), job)
    assert "same file" in report.error


def test_a_file_that_a_parameter_names_must_be_that_of_the_job(
    drive: Path, tmp_path: Path
) -> None:
    report = label_bag(str(drive), str(tmp_path / "out"), replace(JOB, files={"nav2": "0"}))
    assert report.status == "failed"
    assert "give every machine the same file" in report.error


def test_a_bag_over_its_limit_leaves_nothing_behind(drive: Path, tmp_path: Path) -> None:
    report = label_bag(str(drive), str(tmp_path / "out"), replace(JOB, limit_s=1e-6))
    assert (report.status, report.outputs) == ("failed", ())
    assert "--limit-s" in report.error
    assert [path.name for path in (tmp_path / "out" / report.id).iterdir()] == ["manifest.json"]


def test_a_failed_bag_is_tried_again_only_when_told(drive: Path, tmp_path: Path) -> None:
    out, hurried = str(tmp_path / "out"), replace(JOB, limit_s=1e-6)
    assert label_bag(str(drive), out, hurried).status == "failed"
    assert label_bag(str(drive), out, JOB).status == "failed"
    assert label_bag(str(drive), out, replace(JOB, retries_failed=True)).status == "ok"


def test_a_bag_that_another_call_has_is_left_to_it(drive: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    with Labeller(out, JOB) as labeller:
        bag = labeller.give_up(str(drive), "first").id
        with FleetFolder(out).claimed(bag) as folder:
            assert folder is not None
            assert labeller.label(str(drive)).is_busy
        assert not labeller.label(str(drive)).is_busy


def test_the_manifest_says_what_the_report_says(drive: Path, tmp_path: Path) -> None:
    report = label_bag(str(drive), str(tmp_path / "out"), JOB)
    told = json.loads((tmp_path / "out" / report.id / "manifest.json").read_text())
    assert told == json.loads(json.dumps(report.to_json()))


def test_a_bag_behind_an_address_gives_the_same_labels(drive: Path, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").pipe_file("/bags/drive.mcap", drive.read_bytes())
    here = label_bag(str(drive), str(tmp_path / "here"), JOB)
    there = label_bag("memory://bags/drive.mcap", str(tmp_path / "there"), JOB)
    assert [output.sha256 for output in here.outputs] == [out.sha256 for out in there.outputs]


def test_a_bag_that_must_be_copied_is_copied_within_its_room(tmp_path: Path) -> None:
    from test.drawn.drawn_inputs import write_bag1

    fsspec = pytest.importorskip("fsspec")
    content = write_bag1(tmp_path / "old.bag").read_bytes()
    fsspec.filesystem("memory").pipe_file("/bags/old.bag", content)
    out = str(tmp_path / "out")
    refused = label_bag("memory://bags/old.bag", out, replace(JOB, scratch_bytes=100))
    assert "--scratch-gb" in refused.error
    again = replace(JOB, retries_failed=True)
    assert label_bag("memory://bags/old.bag", out, again).frames == 6
    assert list((tmp_path / "out" / ".panoptic" / "scratch").iterdir()) == []


def test_results_are_uploaded_to_an_object_store(drive: Path, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    out = "memory://results"
    first = label_bag(str(drive), out, JOB)
    name = f"/results/{first.id}/{first.outputs[0].name}"
    assert fsspec.filesystem("memory").size(name) == first.outputs[0].size
    assert label_bag(str(drive), out, JOB).status == "skipped"
