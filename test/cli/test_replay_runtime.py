# SPDX-License-Identifier: Apache-2.0
"""A replay says which runtime computed it, and one runtime gives the same bytes every time."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import cv2
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.core.model import runtime_words
from panoptic_ros.core.synthetic.engine import DrawnEngine
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.engine.models import shipped_models

pytest.importorskip("rosbags")

RUNTIMES = [
    pytest.param("onnxruntime", "ONNX Runtime", "CPU, as the model", id="ONNX Runtime"),
    pytest.param(
        "openvino",
        "OpenVINO",
        "CPU, f32",
        id="OpenVINO",
        marks=pytest.mark.skipif(
            find_spec("openvino") is None, reason="OpenVINO is not installed"
        ),
    ),
]


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "drive"
    folder.mkdir()
    for number, (frame, _) in enumerate(DrawnStreet(size=(256, 128), fps=2.0, seconds=1.0)):
        cv2.imwrite(str(folder / f"{number}.png"), frame.image[..., ::-1])
    return folder


def contents(bag: Path) -> list[tuple[str, int, bytes]]:
    from rosbags.rosbag2 import Reader

    with Reader(bag) as reader:
        return [(entry.topic, time, bytes(data)) for entry, time, data in reader.messages()]


@pytest.mark.skipif("street_fast" not in shipped_models(), reason="no model is installed")
@pytest.mark.parametrize(("runtime", "title", "rest"), RUNTIMES)
def test_one_runtime_gives_the_same_bytes_and_is_named(
    runtime: str,
    title: str,
    rest: str,
    drive: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bags = []
    for name in ("a", "b"):
        words = ["--runtime", runtime, "--threads", "1", "--json", f"{tmp_path}/{name}.json"]
        assert main(["replay", str(drive), *words, "--out", f"{tmp_path}/{name}.mcap"]) == 0
        bags.append(contents(tmp_path / f"{name}.mcap"))
    assert len(bags[0]) > 2
    assert bags[0] == bags[1]
    said = json.loads((tmp_path / "a.json").read_text())["settings"]["runtime"]
    assert said.startswith(f"{title} ")
    if "bf16" not in said:
        assert said.endswith(rest)
    assert f"; street_fast 512x256 on {title} " in capsys.readouterr().out


def test_an_engine_without_a_runtime_is_built_in() -> None:
    assert runtime_words(DrawnEngine()) == "built in"
