# SPDX-License-Identifier: Apache-2.0
"""``panoptic calibrate``: images in, a file that ROS's camera drivers read out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from panoptic_ros.cli.calibrate import _boards, _show_errors
from panoptic_ros.cli.main import main
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.ground.calibration import Board, Intrinsics, find_corners
from panoptic_ros.messages.calibration.camera_yaml import read_camera_yaml
from panoptic_ros.recordings.open import open_source
from panoptic_ros.recordings.source import CalibratedSource
from test.core.ground.test_calibration import SIZE, painted, poses

BOARD = ("--board", "9x6", "--square", "0.025")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of ten painted boards, one image without a board and one of another size."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number, pose in enumerate(poses()):
        cv2.imwrite(str(folder / f"board{number}.png"), painted(*pose))
    cv2.imwrite(str(folder / "wall.png"), np.full((SIZE[1], SIZE[0]), 90, np.uint8))
    cv2.imwrite(str(folder / "wide.png"), cv2.resize(painted(*poses()[0]), (800, 480)))
    return folder


def test_a_folder_of_boards_becomes_a_calibration_file(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "front.yaml"
    assert main(["calibrate", str(images), *BOARD, "--name", "front", "--out", str(out)]) == 0
    document = yaml.safe_load(out.read_text(encoding="utf-8"))
    assert (document["image_width"], document["image_height"]) == SIZE
    assert document["camera_name"] == "front"
    assert document["camera_matrix"]["data"][0] == pytest.approx(600, rel=0.01)
    said = capsys.readouterr()
    assert "10 images" in said.out
    assert "do not show the whole board: wall.png" in said.err
    assert "are of another size: wide.png" in said.err


def test_every_image_has_its_error_and_the_whole_a_verdict(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "front"
    assert main(["calibrate", str(images), *BOARD, "--out", str(out)]) == 0
    *errors, verdict, wrote = capsys.readouterr().out.splitlines()[1:]
    assert sorted(line.split()[1] for line in errors) == [f"board{n}.png" for n in range(10)]
    values = [float(line.split()[0]) for line in errors]
    assert values == sorted(values, reverse=True)
    assert 0 < values[0] < 0.5
    assert verdict.startswith("good: 640x480, 10 images, root mean square error 0.")
    samples = sorted((out / "undistorted").iterdir())
    assert len(samples) == 3
    assert sorted(wrote.removeprefix("wrote ").split(", ")) == sorted(
        map(str, [out / "camera.yaml", *samples])
    )


def test_an_image_that_does_not_fit_is_named(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bent = cv2.imread(str(images / "board4.png"))
    rows, columns = np.indices(bent.shape[:2]).astype(np.float32)
    wavy = cv2.remap(bent, columns + 4 * np.sin(rows / 40), rows, cv2.INTER_LINEAR)
    cv2.imwrite(str(images / "board4.png"), wavy)
    main(["calibrate", str(images), *BOARD, "--out", str(tmp_path / "camera.yaml")])
    marked = [line for line in capsys.readouterr().out.splitlines() if "leave it out?" in line]
    assert [line.split()[1] for line in marked] == ["board4.png"]
    assert not (tmp_path / "undistorted").exists()


UNSOLVED = Intrinsics(SIZE, "plumb_bob", np.eye(3), np.zeros(5), np.eye(3, 4))


def test_a_small_error_is_no_reason_to_leave_an_image_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = replace(UNSOLVED, error_px=0.06, errors_px=(0.05, 0.13, 0.05))
    _show_errors(["a.png", "b.png", "c.png"], made)
    assert "leave it out?" not in capsys.readouterr().out


def test_another_board_than_the_wanted_one_is_named_by_its_size(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = ("--board", "10x7", "--square", "0.025", "--out", str(tmp_path / "out"))
    assert main(["calibrate", str(images), *wrong]) == 2
    assert "they show one of 9x6: --board 9x6" in capsys.readouterr().err


def test_a_board_that_the_first_image_cuts_off_is_named_by_its_whole_size(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A part of a board is a smaller board to the search."""
    first = sorted(images.iterdir())[0]
    image = cv2.imread(str(first))
    corners = find_corners(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), Board(9, 6, 0.025))
    assert corners is not None
    columns = sorted(corners.reshape(6, 9, 2)[..., 0].mean(0))
    image[:, int((columns[5] + columns[6]) / 2) :] = 128
    cv2.imwrite(str(first), image)
    wrong = ("--board", "10x7", "--square", "0.025", "--out", str(tmp_path / "out"))
    assert main(["calibrate", str(images), *wrong]) == 2
    assert "they show one of 9x6: --board 9x6" in capsys.readouterr().err


@pytest.mark.skipif(
    not hasattr(getattr(cv2, "aruco", None), "CharucoBoard"), reason="OpenCV before 4.7"
)
@pytest.mark.parametrize("board", ["7x5", "6x4", "7x4"])
def test_a_board_with_markers_is_told_from_a_chessboard(
    tmp_path: Path, board: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_5X5_100)
    drawn = cv2.aruco.CharucoBoard((7, 5), 0.04, 0.03, kind).generateImage((640, 480), None, 60)
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), drawn)
    words = ["--board", board, "--square", "0.04", "--out", str(tmp_path / "out")]
    assert main(["calibrate", str(tmp_path), *words]) == 2
    said = capsys.readouterr().err
    assert "a board with markers (ChArUco, AprilTag), which is not read" in said
    assert "--board" not in said


def test_a_board_that_is_no_size_is_refused_with_an_example(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["calibrate", "images", "--board", "9", "--square", "0.025"])
    assert "write columns x rows, like 9x6" in capsys.readouterr().err


def board_video(path: Path) -> Path:
    """The painted boards, each in six frames."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = (*SIZE, "yuv420p")
        stream.bit_rate = 20_000_000
        for pose in poses():
            grey = painted(*pose)
            frame = av.VideoFrame.from_ndarray(np.repeat(grey[..., None], 3, 2), format="rgb24")
            for _ in range(6):
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_of_a_video_a_sample_is_searched_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("av")
    video, out = board_video(tmp_path / "boards.mp4"), tmp_path / "camera.yaml"
    words = ["calibrate", str(video), *BOARD, "--most", "10", "--out", str(out)]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "boards.mp4 has 60 frames, one in 6 is searched (--most)" in said.err
    assert "10 images" in said.out


def test_the_sample_is_said_once_where_it_shows_another_board(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("av")
    video = board_video(tmp_path / "boards.mp4")
    words = ["--board", "10x7", "--square", "0.025", "--most", "10"]
    assert main(["calibrate", str(video), *words, "--out", str(tmp_path / "camera.yaml")]) == 2
    said = capsys.readouterr().err
    assert said.count("is searched (--most)") == 1
    assert "they show one of 9x6: --board 9x6" in said


def test_a_sample_of_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", str(tmp_path), *BOARD, "--most", "0"]) == 2
    assert "--most is 0, needs at least 1" in capsys.readouterr().err


def test_images_without_a_board_are_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "wall.png"
    cv2.imwrite(str(image), np.full((480, 640), 90, np.uint8))
    assert main(["calibrate", str(image), *BOARD]) == 2
    assert "found no board of 9x6 inner corners in 1 image;" in capsys.readouterr().err


@pytest.mark.parametrize("second", ["images/board0.png", "link"])
def test_an_image_that_is_named_twice_is_one_view(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], second: str
) -> None:
    (tmp_path / "link").symlink_to("images")
    made = []
    for inputs in ([images], [images, tmp_path / second]):
        made.append(tmp_path / f"{len(made)}.yaml")
        words = [*map(str, inputs), *BOARD, "--out", str(made[-1])]
        assert main(["calibrate", *words]) == 0
    assert "named more than once, taken once: " in capsys.readouterr().err
    assert made[0].read_text() == made[1].read_text()


def test_the_file_gives_images_their_camera_info(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "camera.yaml"
    assert main(["calibrate", str(images), *BOARD, "--out", str(out)]) == 0
    with CalibratedSource(open_source(images / "wall.png"), out) as source:
        info = next(source.frames()).camera_info
    assert (info.width, info.height, info.distortion_model) == (*SIZE, "plumb_bob")
    assert (info.k.size, info.d.size, info.r.size, info.p.size) == (9, 5, 9, 12)
    with (
        CalibratedSource(open_source(images / "wide.png"), out) as source,
        pytest.raises(DataError, match=r"calibration is for 640x480, wide\.png has 800x480"),
    ):
        next(source.frames())


MATRICES = yaml.safe_dump(
    {
        "camera_matrix": {"data": [1.0] * 9},
        "rectification_matrix": {"data": [1.0] * 9},
        "projection_matrix": {"data": [1.0] * 12},
        "distortion_model": "plumb_bob",
    }
)
WHOLE = f"{MATRICES}image_width: 4\nimage_height: 3\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image_width: [", "is not YAML"),
        ("[" * 20_000, "is not YAML"),
        (f"{MATRICES}image_width: 4\nimage_height: 0", "image_height is 0, needs at least 1"),
        (WHOLE + "distortion_coefficients: {data: [.nan]}", "not a finite number"),
        ("image_width: 4", "it lacks 'camera_matrix'"),
        ("camera_matrix: {data: [1, 2]}", "has 2 numbers, needs 9"),
        ("just words", "is not a camera calibration"),
    ],
    ids=["no yaml", "deep", "no height", "no number", "no matrix", "short matrix", "text"],
)
def test_a_file_that_is_no_calibration_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "camera.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=words):
        read_camera_yaml(path)


def test_an_image_that_is_lost_counts_for_the_status(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (images / "wall.png").write_bytes((images / "board0.png").read_bytes()[:500])
    assert main(["calibrate", str(images), *BOARD, "--out", str(tmp_path / "c.yaml")]) == 1
    assert "wall.png: is cut off: a chunk ends at byte " in capsys.readouterr().err


def test_a_file_that_is_no_calibration_file_is_no_folder_either(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "camera.txt"
    with pytest.raises(SystemExit, match="2"):
        main(["calibrate", str(images), *BOARD, "--out", str(out)])
    assert "camera.txt: needs a folder, or a file *.yaml" in capsys.readouterr().err
    assert not out.exists()


def test_boards_of_windows_or_of_one_image_are_not_proposed() -> None:
    assert not _boards([(3, 3), (3, 3), (5, 4)], 7)
    assert _boards([(9, 6), (9, 6)], 7) == {(9, 6): 2}
    assert _boards([(9, 6)], 1) == {(9, 6): 1}
