# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C ends a verb without a traceback, whatever the library makes of it that it hits."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Iterator

import pytest

from panoptic_ros.cli import info
from panoptic_ros.cli.main import main

FAILURE = "initialization failed"


@pytest.fixture(autouse=True)
def _pythons_own_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


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
