# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic info`` says about a model."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: run through make test")

from panoptic_ros import __version__
from panoptic_ros.cli.main import main
from panoptic_ros.engine.models import shipped_models
from panoptic_ros.engine.onnx_file import file_metadata
from panoptic_ros.engine.storage.cache import write_plan
from test.drawn.plans import manifest


def test_a_shipped_model_tells_size_classes_licence_and_check_sum(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["info", "street_fast", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    content = shipped_models()["street_fast"].read_bytes()
    assert (facts["input"]["width"], facts["input"]["height"]) == (512, 256)
    assert facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert facts["bytes"] == len(content)
    assert "research" in facts["licence"]
    road, car = facts["classes"][0], facts["classes"][13]
    assert (road["name"], road["is_drivable"], road["is_thing"]) == ("road", True, False)
    assert (car["name"], car["is_drivable"], car["is_thing"]) == ("car", False, True)
    installed = find_spec("openvino") is not None
    assert set(facts["runtimes"]) >= {"ONNX Runtime", *(["OpenVINO"] if installed else [])}
    assert not installed or re.fullmatch(r"20\d\d\.\S+ \(.*CPU.*\)", facts["runtimes"]["OpenVINO"])


def test_an_openvino_that_is_too_old_is_no_runtime(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed: run through make test")
    monkeypatch.setattr("openvino.__version__", "2022.1")
    assert main(["info", "street_fast", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["runtimes"]["OpenVINO"]
    assert told.startswith("OpenVINO is of version 2022.1, needs ")


def test_people_get_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "street_sharp"]) == 0
    text = capsys.readouterr().out
    assert "1024x512" in text
    assert "19 classes of label set cityscapes" in text


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        pytest.param("m.onnx", None, "no model", id="absent"),
        pytest.param("m.onnx", b"no onnx", "damaged or cut off; copy it here again", id="damaged"),
        pytest.param("m.onnx", b"", "damaged or cut off; copy it here again", id="empty"),
        pytest.param("m.txt", b"hello", "are .onnx and .plan files; found .txt", id="text"),
    ],
)
def test_what_is_no_model_is_one_line(
    name: str,
    content: bytes | None,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert main(["info", str(path)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_plan_tells_what_it_was_built_from_and_how_it_was_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "lab.plan"
    metadata = file_metadata(shipped_models()["street_fast"])
    write_plan(plan, b"plan", manifest(metadata=metadata))
    assert main(["info", str(plan)]) == 0
    said = capsys.readouterr().out
    assert "input: 512x256 RGB uint8" in said
    assert f"sha256: {hashlib.sha256(b'plan').hexdigest()}" in said
    assert re.search(r"licence: .*research", said)
    assert re.search(r"^tensorrt: (not )?installed$", said, re.MULTILINE)
    assert "19 classes of label set cityscapes" in said
    assert "street.onnx in fp16, batch 1, for Orin (8.7) with tensorrt 10.3.0" in said
    assert "same class: 99.90 %, limit 98 %, passed" in said
    assert main(["info", str(plan), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["file"], facts["key"]["gpu"]) == (str(plan), "Orin")
    assert (len(facts["classes"]), facts["bytes"]) == (19, 4)
    plan.write_bytes(b"pla")
    assert main(["info", str(plan)]) == 2
    assert "is cut off" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["best.pt", "model.onnx"], ids=["name", "content"])
@pytest.mark.parametrize(
    "words",
    [
        ["info", "MODEL"],
        ["build", "MODEL", "--check"],
        ["bench", "--engine", "MODEL"],
        ["adopt", "MODEL", "--labels", "cityscapes", "--out", "OUT"],
    ],
    ids=lambda words: words[0],
)
def test_a_checkpoint_is_called_so_with_what_makes_a_model_of_it(
    words: list[str], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    given = {"MODEL": str(path), "OUT": str(tmp_path / "out")}
    assert main([given.get(word, word) for word in words]) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert f"{path}: is a checkpoint of PyTorch, not a model" in error
    assert error.endswith(f"panoptic export {path} MODEL.onnx")


def test_what_is_no_model_says_nothing_of_the_nodes_parameters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["info", "nope"]) == 2
    assert "street_sharp); needs one of them, or the path of" in capsys.readouterr().err


def test_a_plan_without_a_manifest_is_refused_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.plan").write_bytes(b"")
    assert main(["info", str(tmp_path / "a.plan")]) == 2
    assert "make both with: panoptic build MODEL.onnx" in capsys.readouterr().err


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == f"panoptic_ros {__version__}"
