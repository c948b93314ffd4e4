# SPDX-License-Identifier: Apache-2.0
"""Parameters know their type, their range and their words."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest

from panoptic_ros.core.config import PipelineConfig
from panoptic_ros.core.engine_config import EngineConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.parameters import check_values, parameters, with_value


def test_every_parameter_accepts_its_own_default() -> None:
    config = PipelineConfig()
    for entry in parameters(config):
        assert with_value(config, entry.name, entry.default) == config


def test_every_parameter_says_what_it_does_in_a_sentence() -> None:
    for entry in parameters(PipelineConfig()):
        assert entry.description.endswith("."), entry.name
        assert len(entry.description) > 15, entry.name


def test_changing_one_leaves_the_others() -> None:
    before = PipelineConfig()
    after = with_value(before, "tracking.lost_after_s", 2)
    assert after.tracking.lost_after_s == 2.0
    assert isinstance(after.tracking.lost_after_s, float)
    assert (after.decode, after.drivable) == (before.decode, before.drivable)
    assert before.tracking.lost_after_s != 2.0


@dataclass(frozen=True)
class Robot:
    engine: EngineConfig = field(default_factory=EngineConfig)


def test_a_public_name_stands_for_group_and_attribute() -> None:
    paths = {entry.name: entry.path for entry in parameters(Robot())}
    assert paths["engine"] == ("engine", "name")
    assert paths["engine_threads"] == ("engine", "threads")
    assert with_value(Robot(), "engine_threads", 3).engine.threads == 3
    with pytest.raises(ConfigError, match=r"no parameter engine\.threads"):
        with_value(Robot(), "engine.threads", 3)


def test_a_config_made_in_code_is_checked_as_a_whole() -> None:
    check_values(EngineConfig())
    with pytest.raises(ConfigError, match="engine_batch is 0, needs at least 1"):
        check_values(EngineConfig(batch=0))
    with pytest.raises(ConfigError, match="engine_fallback is 'cpu', needs one of: onnxruntime"):
        check_values(EngineConfig(fallback="cpu"))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("decode.center_threshold", math.nan, "needs a finite number"),
        ("decode.center_threshold", 1.5, "needs at most 1.0"),
        ("decode.center_threshold", -0.1, "needs at least 0.0"),
        ("decode.center_threshold", "high", "needs a number"),
        ("decode.max_objects", 1.5, "needs an integer"),
        ("decode.max_objects", True, "needs an integer"),
        ("drivable.above_bonnet", "yes", "needs true or false"),
        ("drivable.optional_classes", "terrain=0.7", "needs a list"),
        ("drivable.optional_classes", ("terrain=0.7", 3), "is 3, needs a string"),
        ("decode.max_object", 1, "no parameter decode.max_object; .* 'decode.max_objects'"),
        ("decode", 1, "no parameter decode"),
    ],
    ids=[
        "nan",
        "high",
        "low",
        "word",
        "fraction",
        "truth",
        "no truth",
        "no list",
        "a number in a list",
        "unknown",
        "group",
    ],
)
def test_a_bad_value_is_refused_with_the_reason(name: str, value: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        with_value(PipelineConfig(), name, value)
