# SPDX-License-Identifier: Apache-2.0
"""An option that would do nothing is refused, with the option that it goes with."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoptic_ros.cli.main import main

EVAL = "eval --format coco --gt a.json"
IDLE = {
    "a node without a file": (
        "predict a.mp4 --format coco --params-node /front/panoptic",
        "--params-node: only with --params",
    ),
    "threads of label files": (
        f"{EVAL} --pred b.json --threads 2",
        "--threads: only with --engine",
    ),
    "parameters of a bag": (
        f"{EVAL} --bag b.mcap --params c.yaml",
        "--params: only with --engine",
    ),
    "stamps of a model": (
        f"{EVAL} --engine street_fast --stamps s.txt --missing count",
        "--stamps and --missing: only with --bag",
    ),
    "PNG files of a model": (
        f"{EVAL} --engine street_fast --pred-dir c",
        "--pred-dir: only with --pred",
    ),
    "a rate of label files": (
        f"{EVAL} --pred b.json --fps 25",
        "--fps: only with --engine or --bag",
    ),
    "a topic of two bags": ("diff a.mcap b.mcap --topic /image", "--topic: only with --input"),
    "an engine of two models": (
        "diff street_fast street_sharp --input a.mp4 --engine drawn",
        "--engine: only with a parameter file as A or B",
    ),
    "a node of two models": (
        "diff street_fast street_sharp --input a.mp4 --node /panoptic",
        "--node: only with bags of results, without --input",
    ),
    "a topic of nothing": ("bench --topic /image", "--topic: only with --input"),
    "an overlap without parts": (
        "label a.mcap --out b --overlap-s 3",
        "--overlap-s: only with --cut-s",
    ),
    "actors without a cluster": (
        "label a.mcap --out b --workers 1:2 --num-gpus 0.5",
        "--workers and --num-gpus: only with --ray",
    ),
    "a topic of the demo's own video": ("demo --topic /image", "--topic: only with --input"),
    "queries of a training": (
        "export best.pt m.onnx --queries 20 --threshold 0",
        "--threshold and --queries: only with --hf",
    ),
    "a device of TensorRT": (
        "build street_fast --openvino-device CPU",
        "--openvino-device: only with --runtime openvino",
    ),
    "ranges without images": ("build street_fast --most 9", "--most: only with --images"),
}


@pytest.mark.parametrize("case", IDLE)
def test_an_option_that_would_do_nothing_is_refused(
    case: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    words, told = IDLE[case]
    assert main(words.split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"panoptic {words.split()[0]}: {told}"


def test_a_speed_and_no_speed_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["play", "a.mp4", "--rate", "2", "--fast"])
    assert "--fast: not allowed with argument --rate" in capsys.readouterr().err
