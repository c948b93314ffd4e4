# SPDX-License-Identifier: Apache-2.0
"""Real plans through the verb and the cache: found again, stale, cut, raced for, on full disks."""

from __future__ import annotations

import multiprocessing
import os
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import onnx
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.core.errors import ModelError, StaleEngineError
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.engine.building.compile import build_environment, key_and_place, make_plan
from panoptic_ros.engine.building.parity import LEAST
from panoptic_ros.engine.building.recipe import Recipe
from panoptic_ros.engine.models import shipped_models
from panoptic_ros.engine.open import open_engine
from panoptic_ros.engine.storage.cache import check_fresh, find_plan, read_plan
from panoptic_ros.engine.storage.manifest import Manifest

pytestmark = [
    pytest.mark.rtx,
    pytest.mark.skipif("street_fast" not in shipped_models(), reason="no model is installed"),
]
RTX = "tensorrt_rtx"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "panoptic_ros" / "engines"


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(shipped_models()["street_fast"], variant=RTX)


def make(recipe: Recipe, out: Path | None = None) -> Path:
    here = build_environment(recipe)
    _, path = key_and_place(recipe, here, out)
    make_plan(recipe, path, here)
    return path


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_two_images_at_once_in_half(name: str, tmp_path: Path) -> None:
    path = make(Recipe(shipped_models()[name], batch=2, variant=RTX))
    _, manifest = read_plan(path)
    assert {tensor.shape[0] for tensor in manifest.tensors} == {2}
    assert manifest.key.batch == 2


def test_a_plan_is_found_again_and_says_in_what_it_differs(recipe: Recipe) -> None:
    path, here = make(recipe), build_environment(recipe)
    key, _ = key_and_place(recipe, here)
    assert find_plan(path.parent, "street_fast", key) == (path, "")
    for other, words in (
        (replace(recipe, precision="fp32"), "precision is fp16, here it is fp32"),
        (replace(recipe, batch=2), "batch is 1, here it is 2"),
        (replace(recipe, targets=("8.6",)), "GPU is portable, here it is portable to 8.6"),
    ):
        found, why = find_plan(path.parent, "street_fast", key_and_place(other, here)[0])
        assert found is None
        assert why == f"{path.name}: {words}"


def test_a_plan_of_a_changed_model_is_stale(recipe: Recipe, tmp_path: Path) -> None:
    path = make(recipe)
    model = onnx.load(str(recipe.model))
    model.doc_string = "trained a little longer"
    changed = tmp_path / "street_fast.onnx"
    onnx.save(model, str(changed))
    key, _ = key_and_place(replace(recipe, model=changed), build_environment(recipe))
    with pytest.raises(StaleEngineError, match=r"ONNX check sum is \w{12}, here it is \w{12};"):
        check_fresh(path, read_plan(path)[1].key, key)


@pytest.mark.parametrize("damage", ["cut", "changed", "no manifest"])
def test_a_damaged_plan_is_explained_and_built_again(
    damage: str, recipe: Recipe, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(recipe)
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "changed":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        Path(f"{path}.json").unlink()
    assert main(["build", "street_fast", "--variant", RTX]) == 0
    words = {"cut": "is cut off", "changed": "is damaged", "no manifest": "nobody knows"}
    assert words[damage] in capsys.readouterr().err
    assert len(read_plan(path)[0]) > 1_000_000


def _build_and_note(recipe: Recipe, path: Path, log: Path) -> None:
    def note(graph: bytes, plan: bytes, about: Manifest) -> dict[str, float]:
        with log.open("a") as file:
            file.write("built\n")
        return {}

    make_plan(recipe, path, build_environment(recipe), compare=note)


def test_of_two_builders_one_builds_and_the_other_takes_its_plan(
    recipe: Recipe, tmp_path: Path
) -> None:
    path, log = tmp_path / "street.plan", tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    arguments = (recipe, path, log)
    both = [context.Process(target=_build_and_note, args=arguments) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(120)
    assert [process.exitcode for process in both] == [0, 0]
    assert log.read_text() == "built\n"
    assert read_plan(path)[1].key.variant == RTX


def test_a_full_disk_ends_the_build_and_leaves_the_older_plan(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(recipe, tmp_path / "street.plan")
    before = path.read_bytes()
    # Where the builder is going to write lies the device that is always full.
    part = f"{path.name}.{os.getpid()}.{threading.get_ident()}.part"
    monkeypatch.setattr("panoptic_ros.engine.storage.cache._remove_parts", lambda path: None)
    (tmp_path / part).symlink_to("/dev/full")
    with pytest.raises(ModelError, match=r"No space left on device.*free space"):
        make(replace(recipe, precision="fp32"), path)
    assert path.read_bytes() == before
    assert read_plan(path)[1].key.precision == "fp16"


def test_a_plan_in_a_folder_that_cannot_be_written_is_used(
    recipe: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(recipe, tmp_path / "street.plan")
    # A folder in the way of the lock stops root as well, which a mode does not.
    (tmp_path / "street.plan.lock").mkdir()
    words = ["build", "street_fast", "--variant", RTX, "--out", str(path)]
    assert main(words) == 0
    assert "in fp16" in capsys.readouterr().out
    assert main([*words, "--precision", "fp32"]) == 2
    assert "plans cannot be written there" in capsys.readouterr().err


def test_int8_below_the_limits_of_the_gate_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # How near a plan comes hangs on the weights: the limit is set where none comes.
    monkeypatch.setitem(LEAST["int8"], "label_agreement", 0.9999)
    images = tmp_path / "images"
    images.mkdir()
    for number, (frame, _) in zip(
        range(6), DrawnStreet(size=(512, 256), fps=1.0, seconds=6.0), strict=True
    ):
        cv2.imwrite(str(images / f"{number}.png"), frame.image[..., ::-1])
    words = ["build", "street_fast", "--variant", RTX, "--precision", "int8"]
    assert main([*words, "--pictures", str(images)]) == 2
    assert "differs from ONNX Runtime: label_agreement is" in capsys.readouterr().err
    assert main(words) == 2
    assert "int8 takes its ranges from at least 4 images, found 0" in capsys.readouterr().err
    for number in (0, 1):
        (images / f"{number}.png").unlink()
    assert main([*words, "--pictures", str(images)]) == 2
    error = capsys.readouterr().err
    assert f"one of 5 is kept for the comparison, so 5 are needed; {images} has 4" in error


@pytest.mark.street
def test_int8_with_ranges_of_real_images_is_kept(
    street: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "images"
    images.mkdir()
    files = sorted((street / "images").rglob("*.jpg"))
    for file in files[:: max(1, len(files) // 12)]:
        (images / f"{file.parent.name}-{file.name}").symlink_to(file)
    words = ["build", "street_fast", "--variant", RTX, "--precision", "int8"]
    assert main([*words, "--pictures", str(images)]) == 0
    assert "street_fast.onnx in int8, batch 1" in capsys.readouterr().out
    (plan,) = cache.glob("*.plan")
    parity = read_plan(plan)[1].parity
    assert parity["label_agreement"] > 0.95


def test_without_a_driver_a_plan_gives_way_to_its_model(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panoptic_ros.engine.device.LIBRARY", "libnowhere.so.1")
    # Where it has, OpenVINO may run the model.
    monkeypatch.setattr("panoptic_ros.engine.cpu_runtime.has_bfloat16", lambda: False)
    path, lines = make(recipe, tmp_path / "street.plan"), []
    engine = open_engine(str(path), 1, say=lines.append)
    engine.close()
    assert lines[0].startswith("street_fast 512x256 on ONNX Runtime ")
    assert "not TensorRT: there is no NVIDIA driver here" in lines[0]
    with pytest.raises(ModelError, match="no NVIDIA driver here"):
        open_engine(str(path), fallback="none")
