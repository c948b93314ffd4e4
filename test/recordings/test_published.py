# SPDX-License-Identifier: Apache-2.0
"""Results read back from a bag, image by image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core.errors import DataError
from panoptic_ros.recordings.bag_writer import BagWriter, bag_types
from panoptic_ros.recordings.open import open_source
from panoptic_ros.recordings.published import MOST_WAITING, Published, PublishedResults

TYPES = bag_types()
LABELS = np.array([[0, 13, 255]], np.uint8)
IDS = np.array([[0, 700, 0]], np.uint16)


def image(pixels: NDArray[Any], encoding: str, stamp_ns: int, **changes: object) -> Any:
    seconds, rest = divmod(stamp_ns, 1_000_000_000)
    stamp = TYPES.make("builtin_interfaces/msg/Time", sec=seconds, nanosec=rest)
    fields: dict[str, Any] = {
        "header": TYPES.make("std_msgs/msg/Header", stamp=stamp, frame_id="camera"),
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "encoding": encoding,
        "is_bigendian": 0,
        "step": pixels.nbytes // pixels.shape[0],
        "data": TYPES.payload(pixels),
    }
    return TYPES.make("sensor_msgs/msg/Image", **{**fields, **changes})


def label(stamp_ns: int) -> Any:
    return image(LABELS, "mono8", stamp_ns)


def instance(stamp_ns: int) -> Any:
    return image(IDS, "16UC1", stamp_ns)


def read(path: Path, *messages: tuple[str, Any]) -> tuple[list[Published], list[str]]:
    """Write messages (name below the node, message) to a bag and read its frames."""
    with BagWriter(path) as writer:
        for time_ns, (name, message) in enumerate(messages, start=1):
            writer.write(f"/panoptic/{name}", message, time_ns)
    with PublishedResults(path) as results:
        return list(results.frames()), results.read_errors.notes


def with_results(path: Path, **cameras: str) -> Path:
    """A bag with a node's results and, by topic, images of cameras."""
    with BagWriter(path) as writer:
        writer.write("/panoptic/label", label(1), 1)
        writer.write("/panoptic/instance", instance(1), 2)
        for name in cameras.values():
            writer.write(name, image(np.zeros((1, 3, 3), np.uint8), "rgb8", 1), 3)
    return path


def test_results_are_no_images_of_a_camera(tmp_path: Path) -> None:
    """A bag of everything on the robot needs no --topic because of what the node published."""
    with open_source(with_results(tmp_path / "all.mcap", front="/front/image")) as source:
        assert source.topic == "/front/image"
    with open_source(tmp_path / "all.mcap", topic="/panoptic/label") as source:
        assert source.topic == "/panoptic/label"
    with pytest.raises(DataError, match=r"several image topics.*: /a/image \(1\), /b/image"):
        open_source(with_results(tmp_path / "two.mcap", a="/a/image", b="/b/image"))


def test_a_bag_of_results_alone_is_called_that(tmp_path: Path) -> None:
    needed = r"has the results of /panoptic and no camera's images; panoptic eval --bag grades"
    with pytest.raises(DataError, match=needed):
        open_source(with_results(tmp_path / "results.mcap"))


def test_two_writers_of_one_file_do_not_spoil_each_other(tmp_path: Path) -> None:
    path = tmp_path / "result.mcap"
    with BagWriter(path) as first:
        first.write("/panoptic/label", label(1), 1)
        with pytest.raises(DataError, match="another run is writing it"):
            BagWriter(path)
    assert [child.name for child in tmp_path.iterdir()] == ["result.mcap"]
    BagWriter(path).close()


def test_images_of_one_stamp_are_one_frame_in_any_order(tmp_path: Path) -> None:
    messages = (
        ("label", label(1)),
        ("instance", instance(2)),
        ("instance", instance(1)),
        ("label", label(2)),
    )
    frames, notes = read(tmp_path / "r.mcap", *messages)
    assert [frame.stamp_ns for frame in frames] == [1, 2]
    assert frames[0].labels.tolist() == LABELS.tolist()
    assert frames[0].ids.tolist() == IDS.tolist()
    assert frames[0].confidence is frames[0].drivable is None
    assert notes == []


def test_lines_may_be_padded_and_bytes_swapped(tmp_path: Path) -> None:
    padded = np.zeros((2, 5), np.uint8)
    padded[:, :3] = [[1, 2, 3], [4, 5, 6]]
    swapped = np.array([[1, 2, 700], [0, 0, 0]], ">u2")
    labels = image(padded, "mono8", 1, width=3)
    ids = image(swapped.view(np.uint8), "16UC1", 1, width=3, is_bigendian=1)
    (frame,), _ = read(tmp_path / "r.mcap", ("label", labels), ("instance", ids))
    assert frame.labels.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert frame.ids.tolist() == [[1, 2, 700], [0, 0, 0]]


def test_a_frame_may_lack_its_confidence_but_not_its_ids(tmp_path: Path) -> None:
    sure = image(LABELS, "mono8", 1)
    messages = (
        ("label", label(1)),
        ("instance", instance(1)),
        ("confidence", sure),
        ("label", label(2)),
        ("instance", instance(2)),
        ("label", label(3)),
    )
    frames, notes = read(tmp_path / "r.mcap", *messages)
    assert [(frame.stamp_ns, frame.confidence is not None) for frame in frames] == [
        (1, True),
        (2, False),
    ]
    assert notes == ["/panoptic: frames without label or instance image"]


def test_frames_that_never_become_complete_are_not_kept(tmp_path: Path) -> None:
    many = [("label", label(stamp)) for stamp in range(1, MOST_WAITING + 10)]
    frames, _ = read(tmp_path / "r.mcap", *many, ("instance", instance(1)))
    assert frames == []


@pytest.mark.parametrize(
    ("message", "words"),
    [
        pytest.param(image(IDS, "mono16", 1), "has encoding mono16, the node's is 16UC1", id="no"),
        pytest.param(
            image(IDS, "16UC1", 1, height=9), "3x9 with a step of 6 in 6 bytes", id="short"
        ),
        pytest.param(image(IDS, "16UC1", 1, step=2), "3x1 with a step of 2 in 6 bytes", id="step"),
    ],
)
def test_an_image_that_cannot_be_the_nodes_is_refused(
    tmp_path: Path, message: Any, words: str
) -> None:
    with pytest.raises(DataError, match=rf"r\.mcap: /panoptic/instance: {words}"):
        read(tmp_path / "r.mcap", ("label", label(1)), ("instance", message))


def test_a_bag_without_results_says_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"/panoptic; it has /panoptic/overlay"):
        read(tmp_path / "r.mcap", ("overlay", image(LABELS, "mono8", 1)))


def test_a_frame_that_lacks_its_surface_keeps_its_place(tmp_path: Path) -> None:
    messages = [
        (name, made(stamp))
        for stamp in (1, 2, 3)
        for name, made in (("label", label), ("instance", instance), ("drivable", label))
        if (stamp, name) != (1, "drivable")
    ]
    frames, notes = read(tmp_path / "r.mcap", *messages)
    assert [(frame.stamp_ns, frame.drivable is not None) for frame in frames] == [
        (1, False),
        (2, True),
        (3, True),
    ]
    assert notes == []


def test_no_more_frames_wait_for_one_than_are_stated(tmp_path: Path) -> None:
    count = 2 * MOST_WAITING
    messages = [("label", label(1)), ("drivable", label(1)), ("instance", instance(1))][:1]
    for stamp in range(2, count):
        messages += [("label", label(stamp)), ("instance", instance(stamp))]
    frames, notes = read(tmp_path / "r.mcap", *messages)
    assert [frame.stamp_ns for frame in frames] == list(range(2, count))
    assert len(notes) == 1
    assert "frames without label or instance image" in notes[0]
