# SPDX-License-Identifier: Apache-2.0
"""The Python API: every name is there, and every line of its page runs."""

from __future__ import annotations

import doctest
import shutil
from pathlib import Path

import pytest

import panoptic_ros

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", panoptic_ros.__all__)
def test_every_name_is_loaded_when_it_is_used(name: str) -> None:
    assert getattr(panoptic_ros, name).__name__ == name
    assert name in dir(panoptic_ros)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'pipelines'"):
        panoptic_ros.pipelines  # noqa: B018


def test_every_line_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime", reason="the page opens a model; pip install onnxruntime")
    shutil.copy(ROOT / "docs/images/demo.jpg", tmp_path / "street.jpg")
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs/python-api.md"
    failed, tried = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert failed == 0
    assert tried > 20
