# SPDX-License-Identifier: Apache-2.0
"""``panoptic ego-mask``: a mask that the parameter takes, or one line that says why not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from panoptic_ros.cli.main import main
from panoptic_ros.core.camera.ego_mask import EgoMask

HEIGHT, WIDTH = 90, 160


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    folder = tmp_path / "drive"
    folder.mkdir()
    draw = np.random.default_rng(0)
    for number in range(24):
        image = draw.integers(0, 256, (HEIGHT // 6, WIDTH // 8, 3), dtype=np.uint8)
        image = image.repeat(6, axis=0).repeat(8, axis=1)
        image[-12:] = (40, 30, 20 + number)
        cv2.imwrite(str(folder / f"{number:02d}.png"), image)
    return folder


def test_the_mask_is_one_for_the_parameter(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mask.png"
    assert main(["ego-mask", str(drive), "--out", str(out)]) == 0
    mask = EgoMask(str(out)).at((HEIGHT, WIDTH)) > 0
    assert mask[-10:].all()
    assert not mask[:-14].any()
    assert cv2.imread(str(tmp_path / "mask-shown.jpg")).shape == (HEIGHT, WIDTH, 3)
    assert f"ego_mask: [{str(out)!r}]" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["mask.jpg", "no/such/folder/mask.png"])
def test_a_file_that_cannot_be_written_is_one_line(
    drive: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ego-mask", str(drive), "--out", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err.count("panoptic ego-mask: ") == 1
