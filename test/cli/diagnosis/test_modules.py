# SPDX-License-Identifier: Apache-2.0
"""Modules are looked at as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoptic_ros.cli.diagnosis.modules import Module, look_at


def test_modules_are_looked_at_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drawn_module.py").write_text("__version__ = '7.8'")
    (tmp_path / "broken_module.py").write_text("raise OSError('libx.so.1 is missing')")
    (tmp_path / "only_a_folder").mkdir()
    # As tensorrt-stubs leaves one.
    (tmp_path / "only_a_folder" / "__init__.pyi").touch()
    (tmp_path / "folder_with_code").mkdir()
    about = tmp_path / "folder_with_code-3.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: folder_with_code\nVersion: 3.2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert look_at("drawn_module") == Module("7.8")
    assert look_at("broken_module") == Module("?", "OSError: libx.so.1 is missing")
    assert look_at("folder_with_code") == Module("3.2")
    assert look_at("only_a_folder") == look_at("no_such_module") == Module()
