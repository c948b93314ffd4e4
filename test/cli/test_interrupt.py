# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and SIGTERM end a verb without a traceback, whatever a library makes of them."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from panoptic_ros.cli import info, record, watch
from panoptic_ros.cli.main import main

FAILURE = "initialization failed"


@pytest.fixture(autouse=True)
def _pythons_own_handlers() -> Iterator[None]:
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    assert {number: signal.getsignal(number) for number in usual} == usual
    for number, handler in before.items():
        signal.signal(number, handler)


def swallow_the_interrupt(args: argparse.Namespace) -> int:
    """What SciPy's extension modules do while they are imported."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
        signal.sigtimedwait([], 1.0)
    except KeyboardInterrupt as interrupt:
        raise ImportError(FAILURE) from interrupt
    return 0


def fail_to_import(args: argparse.Namespace) -> int:
    raise ImportError(FAILURE)


def test_an_import_that_ctrl_c_broke_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(info, "run", swallow_the_interrupt)
    assert main(["info", "street_fast"]) == 130


def test_an_import_that_fails_by_itself_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(info, "run", fail_to_import)
    with pytest.raises(ImportError, match=FAILURE):
        main(["info", "street_fast"])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_verb_that_is_stopped_cleans_up_and_ends_as_shells_expect(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, status: int
) -> None:
    cleaned: list[bool] = []

    def wait(args: argparse.Namespace) -> int:
        try:
            signal.raise_signal(number)
        finally:
            cleaned.append(True)
        return 0

    monkeypatch.setattr(info, "run", wait)
    assert main(["info", "street_fast"]) == status
    assert cleaned == [True]


def test_a_verb_that_answers_the_interrupt_itself_ends_by_the_same_status(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(args: argparse.Namespace) -> int:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            return 130
        return 0

    monkeypatch.setattr(info, "run", answer)
    assert main(["info", "street_fast"]) == 143


@pytest.mark.parametrize(("verb", "words", "status"), [(watch, [], 130), (info, ["drawn"], 0)])
def test_in_the_background_of_a_script_only_what_ends_by_ctrl_c_hears_it(
    monkeypatch: pytest.MonkeyPatch, verb: ModuleType, words: list[str], status: int
) -> None:
    def wait(args: argparse.Namespace) -> int:
        signal.raise_signal(signal.SIGINT)
        return 0

    monkeypatch.setattr(verb, "run", wait)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert main([verb.__name__.rpartition(".")[2], *words]) == status
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_ctrl_c_ends_the_process_while_words_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[object] = []

    def note(word: str) -> str:
        heard.append(signal.getsignal(signal.SIGINT))
        return word

    monkeypatch.setattr(info, "add_arguments", lambda parser: parser.add_argument("w", type=note))
    monkeypatch.setattr(info, "run", lambda args: 0)
    assert main(["info", "street_fast"]) == 0
    assert heard == [signal.SIG_DFL]


@pytest.mark.ros
def test_ctrl_c_while_a_recording_waits_for_its_topics_records_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rclpy")
    monkeypatch.setattr(record, "_is_wanted", lambda *_: signal.raise_signal(signal.SIGINT))
    assert main(["record", "label", "--out", str(tmp_path), "--wait", "5"]) == 130
    assert capsys.readouterr() == ("", "")
    assert not any(tmp_path.iterdir())


FORK = """
import os, signal, sys, time
from panoptic_ros.cli import info
from panoptic_ros.cli.main import main

def fork(args):
    read, write = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.write(write, b"here")
        while True:
            time.sleep(0.01)
    os.read(read, 4)
    os.kill(worker, signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))
    return 0

info.run = fork
sys.exit(main(["info", "street_fast"]))
"""


def test_a_forked_worker_ends_by_sigterm_without_a_word() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60, check=True
    )
    assert (ran.stdout, ran.stderr) == (f"{-signal.SIGTERM}\n", "")
