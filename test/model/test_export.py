# SPDX-License-Identifier: Apache-2.0
"""What the exported graph makes of the heads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make train-env")

from panoptic_ros.core.config import DecodeConfig  # noqa: E402
from panoptic_ros.core.decoding.center_offset import CenterOffsetHeads  # noqa: E402
from panoptic_ros.core.decoding.decode import decode  # noqa: E402
from panoptic_ros.core.decoding.peaks import PLATEAU_REACH_PX  # noqa: E402
from panoptic_ros.core.errors import DataError  # noqa: E402
from panoptic_ros.model.checkpoint import spec_of  # noqa: E402
from panoptic_ros.model.export import ExportedNetwork, Maps, write_model  # noqa: E402
from panoptic_ros.model.network import HeadOutputs  # noqa: E402
from test.drawn.small_disk import files_up_to  # noqa: E402

pytestmark = pytest.mark.torch

SIZE = 12


class SaidHeads(torch.nn.Module):
    """A network that says the same of every image."""

    def __init__(self, share: float, peaks: dict[tuple[int, int], float]) -> None:
        super().__init__()
        scores = torch.log(torch.tensor([share, 1.0 - share]))
        self._semantic = scores.view(1, 2, 1, 1).expand(1, 2, SIZE, SIZE)
        self._center = torch.zeros(1, 1, SIZE, SIZE)
        for (row, column), height in peaks.items():
            self._center[0, 0, row, column] = height

    def forward(self, image: Any) -> HeadOutputs:
        return HeadOutputs(self._semantic, self._center, torch.zeros(1, 2, SIZE, SIZE))


def maps(share: float = 0.9, peaks: dict[tuple[int, int], float] | None = None) -> Maps:
    return exported(SaidHeads(share, peaks or {}))


def exported(network: Any) -> Maps:
    image = torch.zeros((1, SIZE, SIZE, 3), dtype=torch.uint8)
    return ExportedNetwork(network, label_scale=1)(image)


@pytest.mark.parametrize("level", [178.75, 179.25])
def test_the_confidence_is_rounded(level: float) -> None:
    assert np.unique(maps(level / 255.0).confidence.numpy()).tolist() == [179]


def test_two_peaks_in_one_window_become_one() -> None:
    centers = maps(peaks={(5, 5): 0.9, (5, 7): 0.8, (9, 5): 0.7}).centers[0].numpy()
    assert [tuple(place) for place in np.argwhere(centers).tolist()] == [(5, 5), (9, 5)]


def test_the_window_of_maxima_is_the_one_in_which_the_decoder_takes_equals_for_one() -> None:
    for apart in range(1, 5):
        said = maps(peaks={(5, 3): 0.9, (5, 3 + apart): 0.8}).centers
        assert np.count_nonzero(said) == (1 if apart <= PLATEAU_REACH_PX else 2)


@given(row=st.floats(3.0, 8.0), column=st.floats(3.0, 8.0), height=st.floats(0.5, 1.0))
def test_a_heat_map_in_bf16_has_one_object_wherever_its_top_lies(
    row: float, column: float, height: float
) -> None:
    grid = np.stack(np.mgrid[0:SIZE, 0:SIZE]).astype(np.float32)
    away = ((grid - np.array([row, column])[:, None, None]) ** 2).sum(0)
    # As wide as training draws it.
    heat = torch.from_numpy(height * np.exp(-away / (2.0 * 2.0**2)))
    network = SaidHeads(0.9, {})
    network._center = heat.to(torch.bfloat16).float()[None, None]
    # Real offsets miss by some pixels, so several centres would share the object among them.
    missed = np.random.default_rng(0).normal(0.0, 2.0, grid.shape)
    offsets = np.array([row, column])[:, None, None] - grid + missed
    heads = CenterOffsetHeads(
        np.zeros((SIZE, SIZE), np.uint8),
        np.full((SIZE, SIZE), 255, np.uint8),
        exported(network).centers[0].numpy(),
        offsets.astype(np.float16),
    )
    labels = spec_of((("car", True), ("road", False)), (SIZE, SIZE)).labels
    (segment,) = decode(heads, labels, DecodeConfig(center_reach=1.0)).segments
    assert segment.area == SIZE * SIZE


@pytest.mark.parametrize("from_hub", [False, True])
def test_a_full_disk_is_an_error_that_names_the_file_and_keeps_the_older_one(
    from_hub: bool, tmp_path: Path
) -> None:
    network: Any = SaidHeads(0.9, {})
    spec = spec_of([("road", False), ("car", True)], (SIZE, SIZE))
    path = tmp_path / "mine.onnx"
    path.write_text("older")
    with files_up_to(100), pytest.raises(DataError, match=r"mine\.onnx: cannot be written \("):
        write_model(ExportedNetwork(network, label_scale=1), spec, path, from_hub)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["older"]
