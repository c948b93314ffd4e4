# SPDX-License-Identifier: Apache-2.0
"""Real frames come with the package, so that engines are compared on what cameras see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine import camera_frames as module
from panoptic_ros.engine.camera_frames import COUNT, camera_frames
from test.drawn.tiny_model import spec


def test_they_have_the_models_size_and_differ() -> None:
    frames = camera_frames(spec(64, 32))
    assert [frame.shape for frame in frames] == [(32, 64, 3)] * COUNT
    assert all(frame.dtype == np.uint8 and frame.flags.c_contiguous for frame in frames)
    assert len({frame.tobytes() for frame in frames}) == COUNT


def test_a_clear_sky_is_bluer_than_red() -> None:
    sky = camera_frames(spec(64, 32), 3)[2][:6].astype(int)
    assert sky[..., 2].mean() > sky[..., 0].mean() + 20


def test_as_many_are_read_as_are_asked_for() -> None:
    assert len(camera_frames(spec(64, 32), 2)) == 2


@pytest.mark.parametrize("content", [None, b"", b"no image"])
def test_a_missing_or_damaged_frame_is_named(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    if content is not None:
        (tmp_path / "1.jpg").write_bytes(content)
    with pytest.raises(ModelError, match=r"1\.jpg: missing or damaged"):
        camera_frames(spec(64, 32))
