# SPDX-License-Identifier: Apache-2.0
"""``panoptic bench``: figures of one engine, two engines in turn, and a user's mistakes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.core.synthetic.engine import DrawnEngine
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.core.timing.percentiles import percentiles
from panoptic_ros.report.timing import (
    OUTSIDE,
    WHOLE,
    StageTimes,
    batch_rate,
    measure,
    ratio,
)
from test.drawn.tiny_model import write_tiny_model

STAGES = ["resize", "infer", "decode", "track", "drivable", "messages", OUTSIDE, WHOLE]


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Words of a short run with two small engines at hand."""
    pytest.importorskip("rich")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("panoptic_ros.engine.device.LIBRARY", "libnowhere.so.1")
    write_tiny_model(tmp_path / "small.onnx", size=(32, 16))
    write_tiny_model(tmp_path / "tiny.onnx")
    for number in range(3):
        # Red is the label of the tiny model, which has two.
        image = np.full((32, 64, 3), (0, 90 * number, number % 2), np.uint8)
        (tmp_path / "images").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), image)
    words = "--input images --frames 12 --warmup 1 --size 64x32 --threads 1"
    return ["bench", *words.split(), "--json", "out/figures.json"]


def figures() -> dict[str, Any]:
    return dict(json.loads(Path("out/figures.json").read_text(encoding="utf-8")))


def test_cpu_time_and_memory_are_said(
    short: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*short, "--engine", "tiny.onnx"]) == 0
    report = figures()
    assert 0.0 < report["cpu_ms"]["p50"] <= report["cpu_ms"]["p99"]
    assert report["cpu_ms"]["cores"] > 0.0
    assert math.isfinite(report["memory_mib"])
    assert "ms of CPU a frame" in capsys.readouterr().out


def test_one_model_runs_against_itself_in_another_runtime(short: list[str]) -> None:
    pytest.importorskip("openvino")
    words = ["--engine", "tiny.onnx", "--runtime", "onnxruntime", "--against-runtime", "openvino"]
    assert main([*short, *words]) == 0
    report = figures()
    assert report["facts"]["runtime"].startswith("ONNX Runtime")
    assert report["against"]["facts"]["runtime"].startswith("OpenVINO")
    assert set(report["ratio"]) == {"infer", WHOLE}


def test_one_engine_gets_percentiles_and_frames_a_second(
    short: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*short, "--engine", "tiny.onnx"]) == 0
    report = figures()
    assert list(report["stages_ms"]) == STAGES
    for values in report["stages_ms"].values():
        assert 0.0 <= values["p50"] <= values["p95"] <= values["p99"]
    assert report["frames_per_s"]["infer"] > report["frames_per_s"][WHOLE] > 0.0
    assert "against" not in report
    assert report["facts"]["runtime"].startswith("ONNX Runtime ")
    said = capsys.readouterr()
    assert "tiny 8x4 on ONNX Runtime" in said.out
    assert f"{report['frames_per_s'][WHOLE]:.1f} frames/s" in said.out
    assert "not TensorRT: there is no NVIDIA driver" in said.err


def test_two_engines_are_compared_frame_by_frame(
    short: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*short, "--engine", "tiny.onnx", "--against", "small.onnx"]) == 0
    report = figures()
    assert report["engine"].startswith("tiny 8x4 on ")
    assert report["against"]["engine"].startswith("tiny 32x16 on ")
    assert list(report["against"]["stages_ms"]) == STAGES
    said = capsys.readouterr().out
    for found in report["ratio"].values():
        assert f"{found['median']:.3f}" in said
        assert found["low"] <= found["median"] <= found["high"]
        assert found["verdict"] in ("faster", "slower", "no difference shown")


def test_too_few_frames_give_a_ratio_without_interval(short: list[str]) -> None:
    words = ["--engine", "tiny.onnx", "--against", "tiny.onnx", "--frames", "4"]
    assert main([*short, *words]) == 0
    found = figures()["ratio"]["infer"]
    assert (found["low"], found["high"]) == (None, None)
    assert found["verdict"].startswith("too few frames")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--engine", "nowhere"], "no model 'nowhere'"),
        (["--engine", "tiny.onnx", "--against", "nowhere.onnx"], "no model 'nowhere.onnx'"),
        (["--engine", "tiny.onnx", "--frames", "0"], "--frames needs at least 1"),
        (["--engine", "tiny.onnx", "--input", "nothing"], "nothing"),
        (
            ["--engine", "tiny.onnx", "--json", "tiny.onnx/x.json"],
            "name another place with --json",
        ),
    ],
    ids=["engine", "against", "frames", "input", "json"],
)
def test_a_mistake_is_one_line_and_status_2(
    words: list[str], said: str, short: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*short, *words]) == 2
    (line,) = [
        line for line in capsys.readouterr().err.splitlines() if line.startswith("panoptic bench:")
    ]
    assert said in line


def test_an_older_file_of_figures_outlives_a_run_that_fails(short: list[str]) -> None:
    Path("out").mkdir()
    Path("out/figures.json").write_text('{"older": 1}', encoding="utf-8")
    assert main([*short, "--engine", "nowhere"]) == 2
    assert figures() == {"older": 1}


def test_a_run_that_fails_leaves_no_file_behind(short: list[str]) -> None:
    assert main([*short, "--engine", "nowhere"]) == 2
    assert list(Path("out").iterdir()) == []


def test_the_first_of_a_pair_is_the_second_of_the_next() -> None:
    order: list[str] = []

    class Noting(DrawnEngine):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.own_name = name

        def infer(self, image: Any) -> Any:
            order.append(self.own_name)
            return super().infer(image)

    frames = [frame for frame, _ in DrawnStreet(size=(64, 32), seconds=0.04)]
    times = measure([Noting("a"), Noting("b")], frames, count=3, warmup=1)
    assert "".join(order) in ("abbaabba", "baabbaab")
    assert [len(each.stages_ms[WHOLE]) for each in times] == [3, 3]


def test_sums_leave_inference_out_and_in() -> None:
    times = StageTimes()
    times.add({"resize": 1.0, "infer": 3.0, "decode": 1.0})
    assert (times.stages_ms[OUTSIDE], times.stages_ms[WHOLE]) == ([2.0], [5.0])
    assert times.frames_per_s() == {"infer": 333.33, WHOLE: 200.0}


@pytest.mark.parametrize(
    ("factor", "verdict"), [(0.8, "faster"), (1.25, "slower"), (1.0, "no difference shown")]
)
def test_a_ratio_is_told_from_noise(factor: float, verdict: str) -> None:
    rng = np.random.default_rng(4)
    others = rng.uniform(9.0, 11.0, 200)
    times = others * factor * rng.uniform(0.9, 1.1, 200)
    found = ratio(list(times), list(others))
    assert found.verdict == verdict
    assert found.low <= found.median <= found.high
    assert abs(found.median - factor) < 0.03


def test_one_slow_frame_does_not_change_the_verdict() -> None:
    found = ratio([1.0] * 20 + [500.0], [2.0] * 21)
    assert (found.median, found.verdict) == (0.5, "faster")


def test_a_ratio_of_nine_pairs_has_no_interval() -> None:
    assert math.isnan(ratio([1.0] * 9, [1.0] * 9).low)
    assert not math.isnan(ratio([1.0] * 10, [1.0] * 10).low)


def test_batches_are_timed_where_the_engine_takes_them() -> None:
    asked: list[int] = []
    engine = SimpleNamespace(batch=4, infer_batch=asked.append)
    found = batch_rate(engine, count=20, warmup=2)
    assert asked == [4] * 7
    assert found["images"] == 4.0
    assert found["images_per_s"] > 0.0
    assert batch_rate(SimpleNamespace(), 20, 2) == {}


def test_percentiles_are_named() -> None:
    assert percentiles([1.0, 2.0, 3.0]) == {"p50": 2.0, "p95": 2.9, "p99": 2.98}
