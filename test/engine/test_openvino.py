# SPDX-License-Identifier: Apache-2.0
"""OpenVINO behind the seam: the same words as ONNX Runtime's, and errors that name the fix."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads
from panoptic_ros.core.errors import EngineRunError, ModelError
from panoptic_ros.core.model import is_offloaded, runtime_words
from panoptic_ros.engine.building.parity import compare
from panoptic_ros.engine.camera_frames import camera_frames
from panoptic_ros.engine.models import shipped_models
from panoptic_ros.engine.openvino import OpenVinoEngine, half_precision, load_openvino
from panoptic_ros.engine.ort import OrtEngine
from panoptic_ros.engine.storage.cache import default_folder
from panoptic_ros.engine.storage.compiled import read_compiled, write_compiled
from test.drawn.tiny_model import spec, write_tiny_model

installed = pytest.mark.skipif(
    find_spec("openvino") is None, reason="OpenVINO is not installed: pip install openvino"
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "tiny.onnx")


@pytest.fixture
def engine(model: Path) -> Iterator[OpenVinoEngine]:
    with OpenVinoEngine(model, threads=1) as opened:
        assert isinstance(opened, OpenVinoEngine)
        yield opened


@installed
def test_heads_are_what_the_graph_computes(engine: OpenVinoEngine) -> None:
    image = np.arange(4 * 8 * 3, dtype=np.uint8).reshape(4, 8, 3)
    heads = engine.infer(image)
    assert isinstance(heads, CenterOffsetHeads)
    assert (heads.labels == image[..., 0]).all()
    assert (heads.confidence == image[..., 1]).all()
    assert (heads.centers == image[..., 2]).all()
    assert heads.offsets.shape == (2, 4, 8)


@installed
def test_an_image_in_the_engines_buffer_is_not_copied(engine: OpenVinoEngine) -> None:
    engine.input[:] = 7
    assert (engine.infer(engine.input).confidence == 7).all()  # type: ignore[attr-defined]
    engine.input[:] = 9
    assert (engine.infer(engine.input).confidence == 9).all()  # type: ignore[attr-defined]
    other = np.full((4, 8, 3), 3, np.uint8)
    assert (engine.infer(other).confidence == 3).all()  # type: ignore[attr-defined]


@installed
def test_the_engines_buffer_mirrored_is_another_image(engine: OpenVinoEngine) -> None:
    image = np.arange(4 * 8 * 3, dtype=np.uint8).reshape(4, 8, 3)
    engine.input[:] = image
    heads = engine.infer(engine.input[:, ::-1])
    assert isinstance(heads, CenterOffsetHeads)
    assert (heads.labels == image[:, ::-1, 0]).all()


@installed
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core to run on")
def test_its_threads_may_run_on_every_core(model: Path) -> None:
    with OpenVinoEngine(model, threads=2) as engine:
        engine.infer(engine.input)
        # Its threads may be those of an engine before, so all are looked at.
        for task in Path("/proc/self/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                assert os.sched_getaffinity(int(task.name)) == os.sched_getaffinity(0)


@installed
def test_it_says_what_it_is(engine: OpenVinoEngine) -> None:
    assert engine.spec == spec()
    assert engine.description.startswith("tiny 8x4 on OpenVINO 20")
    assert engine.facts["provider"] == "CPU"
    assert engine.facts["precision"] == "f32"
    assert not is_offloaded(engine)
    assert re.fullmatch(r"OpenVINO 20\S+, CPU, f32", runtime_words(engine))


@installed
@pytest.mark.skipif("street_fast" not in shipped_models(), reason="no model is installed")
def test_a_whole_network_says_what_onnx_runtime_says() -> None:
    path = shipped_models()["street_fast"]
    with OrtEngine(path) as reference, OpenVinoEngine(path) as candidate:
        images = camera_frames(reference.spec, 2)
        figures = compare(reference.infer, candidate.infer, reference.spec, images)
    assert figures["label_agreement"] > 0.999
    assert figures["object_agreement"] > 0.99


@installed
def test_what_is_compiled_is_kept_for_one_state_of_the_model(model: Path, tmp_path: Path) -> None:
    OpenVinoEngine(model).close()
    write_tiny_model(model, size=(16, 8))
    OpenVinoEngine(model).close()
    folder = tmp_path / "cache" / "panoptic_ros" / "engines" / "openvino"
    assert len(list(folder.iterdir())) == 2


def compiled(model: Path) -> Path:
    """Open a model once and return what OpenVINO compiled for it."""
    OpenVinoEngine(model, 1).close()
    (place,) = default_folder().glob("openvino/*.compiled")
    return place


def says_red(model: Path) -> bool:
    """Whether the labels are the image's red channel, as the tiny model's are."""
    image = np.random.default_rng(0).integers(0, 256, (4, 8, 3)).astype(np.uint8)
    with OpenVinoEngine(model, 1) as engine:
        heads = engine.infer(image)
    return bool((heads.labels == image[..., 0]).all())  # type: ignore[attr-defined]


def count_compiling(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    import openvino

    done: list[str] = []
    real = openvino.Core.compile_model

    def counted(core: Any, model: Any, device: str, options: Any) -> Any:
        done.append(device)
        return real(core, model, device, options)

    monkeypatch.setattr(openvino.Core, "compile_model", counted)
    return done


@installed
def test_what_was_compiled_is_taken_the_second_time(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(model)
    done = count_compiling(monkeypatch)
    assert says_red(model)
    assert done == []


@installed
@pytest.mark.parametrize("damage", ["cut off", "empty", "one byte", "not what it says"])
def test_a_damaged_cache_is_compiled_anew(
    damage: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = compiled(model)
    content = place.read_bytes()
    if damage == "not what it says":
        write_compiled(place, b"sound, and nothing that OpenVINO has compiled")
    else:
        at = len(content) * 3 // 4
        flipped = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        place.write_bytes({"cut off": content[:at], "empty": b"", "one byte": flipped}[damage])
    done = count_compiling(monkeypatch)
    assert says_red(model)
    assert done == ["CPU"]
    assert read_compiled(place) is not None


@installed
def test_a_cache_of_another_version_is_not_looked_at(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openvino

    compiled(model)
    done = count_compiling(monkeypatch)
    monkeypatch.setattr(openvino, "__version__", "2099.1.0-1-abc")
    assert says_red(model)
    assert done == ["CPU"]


@installed
def test_without_a_place_for_the_cache_the_model_runs(model: Path) -> None:
    place = default_folder()
    place.parent.mkdir(parents=True)
    place.write_text("a file where the folder should be")
    assert says_red(model)


@installed
def test_images_of_another_size_and_a_closed_engine_are_refused(engine: OpenVinoEngine) -> None:
    with pytest.raises(EngineRunError, match=r"image is uint8 \(4, 9, 3\), needs uint8"):
        engine.infer(np.zeros((4, 9, 3), np.uint8))
    engine.close()
    with pytest.raises(EngineRunError, match="the engine is closed"):
        engine.infer(np.zeros((4, 8, 3), np.uint8))


@installed
def test_a_device_that_is_not_there_is_named(model: Path) -> None:
    with pytest.raises(
        ModelError,
        match=r"has no device 'GPU\.7' here; set engine_openvino_device to one of: .*CPU.*AUTO",
    ):
        OpenVinoEngine(model, device="GPU.7")


@installed
def test_files_that_are_not_ours_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.onnx: cannot be read"):
        OpenVinoEngine(tmp_path / "absent.onnx")
    (tmp_path / "x.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match="is damaged or cut off"):
        OpenVinoEngine(tmp_path / "x.onnx")
    model = write_tiny_model(tmp_path / "m.onnx", without="centers")
    with pytest.raises(ModelError, match="the outputs centers are missing"):
        OpenVinoEngine(model)
    with pytest.raises(ModelError, match="its inputs are"):
        OpenVinoEngine(write_tiny_model(model, spec(16, 8).to_metadata()))


@installed
def test_an_operator_that_it_does_not_know_is_one_line(model: Path) -> None:
    changed = onnx.load(str(model))
    changed.graph.node[0].domain = "ai.nobody"
    changed.graph.node[0].op_type = "Guess"
    changed.opset_import.append(helper.make_opsetid("ai.nobody", 1))
    onnx.save(changed, str(model))
    with pytest.raises(ModelError, match=r"tiny\.onnx: OpenVINO cannot run it \(.+") as raised:
        OpenVinoEngine(model)
    assert "\n" not in str(raised.value)


def test_without_openvino_the_message_says_what_to_install(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ModelError, match=r"is not installed .*run: pip install openvino"):
        OpenVinoEngine(model)


def test_an_old_openvino_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    old = SimpleNamespace(__version__="2023.3.0-13775-ceeafaf64f3-releases/2023/3")
    monkeypatch.setitem(sys.modules, "openvino", old)
    with pytest.raises(ModelError, match=r"of version 2023\.3, needs 2024\.0 or newer"):
        load_openvino()


@pytest.mark.parametrize("version", ["unknown", "", "custom_build"])
def test_an_openvino_that_does_not_say_its_version_is_refused(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", SimpleNamespace(__version__=version))
    with pytest.raises(ModelError, match=r"needs 2024\.0 or newer; run: pip install --upgrade"):
        load_openvino()


@pytest.mark.parametrize(
    ("able", "half"),
    [
        (["FP32", "INT8", "BF16", "FP16"], "bf16"),
        (["FP32", "FP16"], "f16"),
        (["FP32", "INT8", "BIN"], ""),
    ],
)
def test_half_precision_is_what_the_device_has(able: list[str], half: str) -> None:
    core = SimpleNamespace(get_property=lambda device, name: able)
    assert half_precision(core, "CPU") == half


CLOSED_ELSEWHERE = """
import gc, os, signal, sys, threading
from pathlib import Path
from panoptic_ros.engine.openvino import OpenVinoEngine

engines = [OpenVinoEngine(Path(sys.argv[1]))]


def close():
    engines.pop().close()
    gc.collect()


closing = threading.Thread(target=close)
closing.start()
closing.join()
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_signal_ends_no_process_whose_engine_was_closed_by_another_thread(model: Path) -> None:
    command = [sys.executable, "-c", CLOSED_ELSEWHERE, str(model)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
