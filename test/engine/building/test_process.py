# SPDX-License-Identifier: Apache-2.0
"""The builder beside the node: what it says, how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine import device
from panoptic_ros.engine.building.plans import PlanRequest
from panoptic_ros.engine.building.process import BuildProcess
from test.drawn.tiny_model import write_tiny_model

ORDER = PlanRequest(Path("street.onnx"))
IMPORT = "import json, os, signal, sys, time; say = lambda **n: print(json.dumps(n), flush=True)\n"


def process(code: str) -> BuildProcess:
    return BuildProcess(ORDER, [sys.executable, "-c", IMPORT + code])


def test_progress_is_told_and_other_lines_are_not() -> None:
    code = (
        "say(phase='parse', share=0.1); print('WARNING: [1]'); print('3')\n"
        "say(phase='tactics', share=0.9)"
    )
    told: list[tuple[str, float]] = []
    process(code).wait(lambda phase, share: told.append((phase, share)))
    assert told == [("parse", 0.1), ("tactics", 0.9)]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("say(error='it differs'); sys.exit(1)", "^it differs$"),
        ("sys.exit(3)", r"ended with status 3; see why: panoptic build street\.onnx --pre"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "ended with signal 9"),
    ],
    ids=["refused", "status", "killed"],
)
def test_a_build_without_a_plan_says_why(code: str, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        process(code).wait()


@pytest.mark.parametrize("code", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"])
def test_a_build_can_be_called_off(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panoptic_ros.engine.building.process._PATIENCE_S", 0.5)
    build = process(code + "say(phase='tactics', share=0.5); time.sleep(600)")
    begun = threading.Event()
    ended: list[str] = []

    def wait() -> None:
        try:
            build.wait(lambda phase, share: begun.set())
        except ModelError as error:
            ended.append(str(error))

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert begun.wait(60)
    build.cancel()
    waiting.join(60)
    assert ended == ["building a plan of street.onnx was cancelled"]


@pytest.mark.skipif(device.find_gpu() is not None, reason="there is a GPU, so it would build")
def test_the_real_builder_says_that_there_is_no_driver(tmp_path: Path) -> None:
    build = BuildProcess(PlanRequest(write_tiny_model(tmp_path / "tiny.onnx")))
    with pytest.raises(ModelError, match="there is no NVIDIA driver here"):
        build.wait()


SLEEPING = (
    "import sys, time\n"
    "from panoptic_ros.engine.building import process as b\n"
    "b.find_or_build = lambda *a, **k: time.sleep(600)\n"
    "sys.exit(b.main(['street.onnx', 'fp16', '1', '0']))\n"
)


def test_the_real_builder_ends_with_its_parent_and_not_with_ctrl_c() -> None:
    builder = subprocess.Popen(
        [sys.executable, "-c", SLEEPING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert builder.stdout is not None
    assert "reading the model" in builder.stdout.readline()
    builder.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert builder.poll() is None
    builder.communicate(timeout=60)
    assert builder.returncode == 1


def test_ctrl_c_reaches_no_builder_that_is_still_importing() -> None:
    code = "import json, os; print(json.dumps({'error': f'group {os.getpgid(0)}'}))"
    build = BuildProcess(PlanRequest(Path("street.onnx")), [sys.executable, "-c", code])
    with pytest.raises(ModelError, match="group") as answer:
        build.wait()
    assert str(answer.value) != f"group {os.getpgid(0)}"


def test_a_killed_node_leaves_no_builder_behind() -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from panoptic_ros.engine.building.process import BuildProcess\n"
        "from panoptic_ros.engine.building.plans import PlanRequest\n"
        f"command = [sys.executable, '-c', {SLEEPING!r}]\n"
        "build = BuildProcess(PlanRequest(Path('s.onnx')), command)\n"
        "build.wait(lambda *_: print(build._process.pid, flush=True))\n"
    )
    node = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert node.stdout is not None
    builder = Path("/proc") / node.stdout.readline().strip()
    assert b"engine.building" in (builder / "cmdline").read_bytes()
    node.kill()
    node.communicate()
    end = time.monotonic() + 60
    while is_running(builder):
        assert time.monotonic() < end
        time.sleep(0.05)


def is_running(process: Path) -> bool:
    """Whether a process works; an orphan that nobody buries is a zombie."""
    try:
        return "\nState:\tZ" not in (process / "status").read_text()
    except OSError:
        return False
