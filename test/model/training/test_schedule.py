# SPDX-License-Identifier: Apache-2.0
"""Phases of a training: what learns when, on crops of which size."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make train-env")

from panoptic_ros.model.network import PanopticNetwork  # noqa: E402
from panoptic_ros.model.training.schedule import (  # noqa: E402
    PHASES,
    Phase,
    crop_of,
    phase_at,
    set_trainable,
    warm_up,
)

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("done", "phase"), [(0.0, 0), (0.33, 0), (1 / 3, 1), (0.66, 1), (2 / 3, 2), (1.0, 2)]
)
def test_a_phase_ends_where_it_says(done: float, phase: int) -> None:
    assert phase_at(PHASES, done) == phase


def test_crops_are_multiples_of_what_the_network_needs() -> None:
    assert crop_of(Phase(1.0, 0.75, 1, True), (512, 256)) == (384, 192)
    assert crop_of(Phase(1.0, 0.1, 1, True), (64, 32)) == (32, 32)


def learns(network: PanopticNetwork, prefix: str) -> set[bool]:
    return {
        parameter.requires_grad
        for name, parameter in network.named_parameters()
        if name.startswith(prefix)
    }


def test_early_blocks_and_depthwise_weights_wait_and_heads_never_do() -> None:
    network = PanopticNetwork(3)
    set_trainable(network, Phase(1.0, 1.0, frozen_blocks=5, trains_depthwise=False))
    assert learns(network, "backbone.stem") == {False}
    assert learns(network, "backbone.blocks.4") == {False}
    assert learns(network, "backbone.blocks.5.project") == {True}
    assert learns(network, "backbone.blocks.5.depthwise.0.weight") == {False}
    assert learns(network, "semantic") == {True}


def test_the_last_phase_opens_what_the_first_froze() -> None:
    network = PanopticNetwork(3)
    for phase in PHASES:
        set_trainable(network, phase)
    assert learns(network, "backbone.stem") == {False}
    assert learns(network, "backbone.blocks.0.") == {False}
    assert learns(network, "backbone.blocks.1.") == {True}
    assert learns(network, "backbone.blocks.15.depthwise") == {True}


@pytest.mark.parametrize(
    ("step", "done", "factor"),
    [(0, 0.0, 0.01), (49, 0.001, 0.5), (99, 0.01, 1.0), (5, 0.025, 0.5), (5, 0.05, 1.0)],
    ids=["first", "half way", "warm", "short budget", "short budget, warm"],
)
def test_warming_up_takes_a_hundred_steps_or_a_twentieth(
    step: int, done: float, factor: float
) -> None:
    assert warm_up(step, done) == pytest.approx(factor)
