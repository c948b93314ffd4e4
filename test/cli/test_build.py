# SPDX-License-Identifier: Apache-2.0
"""``panoptic build``: exit status and the lines a user reads."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.cli.models.build_images import choose_images
from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine.models import shipped_models
from test.drawn.drawn_inputs import write_folder
from test.drawn.drawn_nncf import DrawnNncf
from test.drawn.tiny_model import write_tiny_model

OPENVINO = ("--runtime", "openvino", "--precision", "int8")

needs_model = pytest.mark.skipif(
    "street_fast" not in shipped_models(), reason="no model is installed"
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "panoptic_ros" / "engines"


@pytest.mark.rtx
@needs_model
def test_a_model_becomes_a_plan_and_the_second_time_it_is_there(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["build", "street_fast", "--variant", "tensorrt_rtx"]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "building: there is no plan of street_fast in" in said.err
    assert "street_fast.onnx in fp16, batch 1, for portable with TensorRT for RTX" in said.out
    assert re.search(r"same class: \d+\.\d\d %, limit 98 %, passed", said.out)
    assert re.search(r"objects, .*: \d+\.\d\d %, limit 90 %, passed", said.out)
    assert re.search(r"wrote \S+\.plan, \S+\.plan\.json", said.out)
    assert len(list(cache.glob("*.plan"))) == len(list(cache.glob("*.plan.json"))) == 1
    assert main(words) == 0
    said = capsys.readouterr()
    assert "there is a plan already" in said.err
    assert "wrote" not in said.out
    assert main([*words, "--precision", "fp32"]) == 0
    assert "precision is fp16, here it is fp32" in capsys.readouterr().err


@pytest.mark.rtx
@needs_model
def test_the_recipe_says_what_to_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = shipped_models()["street_fast"]
    recipe = tmp_path / "three.yaml"
    recipe.write_text(f"model: {model}\nbatch: 3\nvariant: tensorrt_rtx\n", encoding="utf-8")
    assert main(["build", str(recipe), "--out", str(tmp_path / "three.plan")]) == 0
    assert "in fp16, batch 3" in capsys.readouterr().out
    assert (tmp_path / "three.plan").is_file()


@needs_model
def test_a_good_model_passes_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "street_fast", "--check"]) == 0
    assert "no findings" in capsys.readouterr().out


def test_the_check_lists_findings_with_their_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx")
    assert main(["build", str(model), "--check"]) == 1
    said = capsys.readouterr().out
    assert "refused: labels (Gather): computes on uint8\n  fix: cast to float before it" in said
    assert "tiny.onnx: 4 nodes, 3 findings" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "no model 'nowhere'"),
        (["model.pth"], "is a checkpoint of PyTorch, not a model"),
        (["wide.yaml"], "wide.yaml: batch 0: needs 1 to 64"),
        (["tiny.onnx", *OPENVINO, "--batch", "4", "--dla", "0"], " --batch, --dla: only plans of"),
        (["both.yaml", *OPENVINO, "--workspace", "9"], " batch, --workspace: only plans of"),
        (["tiny.onnx", *OPENVINO, "--images", ".", "--most", "2"], "--most 2: int8 takes its ra"),
        (["tiny.onnx", *OPENVINO, "--check"], "--check lists what TensorRT cannot take, and"),
        (["missing.yaml", "--check"], "missing.onnx: cannot be read (No such file or directory)"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.pth").touch()
    tiny = "tiny.onnx\nbatch:"
    recipes = {"missing": "missing.onnx", "wide": f"{tiny} 0", "both": f"{tiny} 4"}
    for name, text in recipes.items():
        (tmp_path / f"{name}.yaml").write_text(f"model: {text}\n", encoding="utf-8")
    write_tiny_model(tmp_path / "tiny.onnx")
    assert main(["build", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_images_are_chosen_evenly_and_apart(tmp_path: Path) -> None:
    (tmp_path / "drive").mkdir()
    for number in range(60):
        grey = np.full((24, 32), 4 * number, np.uint8)
        cv2.imwrite(str(tmp_path / "drive" / f"{number}.png"), grey)
    ranging, shown, total = choose_images(tmp_path / "drive", (24, 32), 20, is_int8=True)
    numbers = [int(image[0, 0, 0]) // 4 for image in ranging]
    assert total == 60
    assert len(ranging) == len(numbers) == 20
    assert len(shown) == 12
    assert numbers == sorted(set(numbers))
    assert max(np.diff(numbers)) <= 5
    assert not set(numbers) & {int(image[0, 0, 0]) // 4 for image in shown}


def test_too_few_images_are_refused_with_their_number(tmp_path: Path) -> None:
    write_folder(tmp_path / "drive", ["1.png", "2.png", "3.png", "4.png"])
    with pytest.raises(ModelError, match=r"at least 4 images, .* has 4"):
        choose_images(tmp_path / "drive", (24, 32), 200, is_int8=True)


@pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
def test_a_plan_of_openvino_is_checked_listed_and_doubted(
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", DrawnNncf())  # type: ignore[arg-type]
    model, drive = write_tiny_model(tmp_path / "tiny.onnx"), tmp_path / "drive"
    drive.mkdir()
    for number in range(10):
        image = np.random.default_rng(number).integers(0, 2, (4, 8, 3)).astype(np.uint8)
        cv2.imwrite(str(drive / f"{number}.png"), image)
    words = ["build", str(model), "--runtime", "openvino", "--precision", "int8"]
    assert main([*words, "--images", str(drive)]) == 0
    said = capsys.readouterr()
    assert "building: there is no plan of tiny in" in said.err
    assert "ranges from 8 images, comparison on 2 images" in said.err
    assert re.search(r"tiny\.onnx in int8, batch 1, for .* with OpenVINO 20", said.out)
    assert "same class: 100.00 %, limit 90 %, passed" in said.out
    (plan,) = cache.glob("*.plan")
    assert f"wrote {plan}, {plan}.json" in said.out.replace("\n", "")
    assert (
        "int8 cost street_fast 2.0 points of PQ and street_sharp 2.1 of mIoU; score it" in said.err
    )
    assert f"score it before it drives: panoptic eval --engine {plan}" in said.err
    assert main([*words, "--images", str(drive)]) == 0
    told = capsys.readouterr().err
    assert "there is a plan already; with other images it is built by --rebuild" in told
    assert "ranges from" not in told
    named = [*words, "--images", str(drive), "--out", str(tmp_path / "robot.plan")]
    assert main(named) == 0
    assert f"building: there is no {tmp_path / 'robot.plan'}\n" in capsys.readouterr().err
    assert main(named) == 0
    told = capsys.readouterr().err
    assert "there is a plan already; with other images" in told
    assert "ranges from" not in told
    assert main(["build", str(model), "--runtime", "openvino"]) == 2
    assert "needs no plan in fp16, it runs tiny.onnx as it is" in capsys.readouterr().err


@needs_model
def test_ranges_of_int8_report_every_image(tmp_path: Path) -> None:
    from panoptic_ros.engine.building.compile import prepared
    from panoptic_ros.engine.building.recipe import Recipe

    write_folder(tmp_path / "drive", [f"{number}.png" for number in range(15)])
    ranging, _, _ = choose_images(tmp_path / "drive", (256, 512), 200, is_int8=True)
    told: list[float] = []
    recipe = Recipe(shipped_models()["street_fast"], "int8")
    prepared(recipe, ranging, report=lambda phase, share: told.append(share))
    assert told == [pytest.approx((number + 1) / 12) for number in range(12)]
