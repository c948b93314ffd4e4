# SPDX-License-Identifier: Apache-2.0
"""Lists of the parameters of cameras: one entry for all, or one per camera."""

from __future__ import annotations

from dataclasses import replace

import pytest

from panoptic_ros.core.camera.camera_config import CameraConfig, CameraLists
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.node_config import NodeConfig
from panoptic_ros.core.parameters import with_value


def test_nothing_said_changes_nothing() -> None:
    assert CameraLists().of(1, 3) == CameraConfig()


def test_one_entry_is_for_all_and_several_are_in_the_cameras_order() -> None:
    lists = CameraLists(rotation=(180,), max_rate_hz=(5.0, 0.0), output_size=("64x32", "network"))
    first, second = lists.of(0, 2), lists.of(1, 2)
    assert (first.rotation, second.rotation) == (180, 180)
    assert (first.max_rate_hz, second.max_rate_hz) == (5.0, 0.0)
    assert (first.output_size, first.is_network_size) == ((64, 32), False)
    assert (second.output_size, second.is_network_size) == (None, True)


def test_parameters_have_plain_names() -> None:
    config = with_value(NodeConfig(cameras=("a", "b")), "rotation", (0, 90))
    config = with_value(config, "region", ("1, 2, 30, 40", ""))
    assert config.camera("b") == CameraConfig(rotation=90)
    assert config.camera("a").region == (1, 2, 30, 40)


BAD = {
    "a turn by 45": ({"rotation": (45,)}, "rotation has 45, needs one of: 0, 90, 180, 270"),
    "two for three": ({"rotation": (0, 90)}, "rotation has 2 entries for 3 cameras"),
    "none": ({"ego_mask": ()}, "ego_mask has 0 entries for 3 cameras"),
    "a rate below 0": ({"max_rate_hz": (-1.0,)}, "max_rate_hz has -1.0, needs 0 to 1000"),
    "no rate": ({"max_rate_hz": (float("nan"),)}, "max_rate_hz has nan"),
    "a size in words": ({"output_size": ("big",)}, "output.size has 'big', needs camera, network"),
    "a size of nothing": ({"output_size": ("0x5",)}, "output.size has '0x5'"),
    "a size of far too much": (
        {"output_size": ("16384x16384",)},
        "a side, at most 67108864 pixels in all",
    ),
    "an empty region": (
        {"region": ("0,0,0,5",)},
        "region has '0,0,0,5', needs 'x,y,width,height'",
    ),
    "half a region": ({"region": ("0,0",)}, "region has '0,0'"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_refused_with_the_reason(case: str) -> None:
    values, words = BAD[case]
    with pytest.raises(ConfigError) as caught:
        replace(CameraLists(), **values).of(0, 3)
    assert words in str(caught.value)


@pytest.mark.parametrize(("name", "value"), [("rotation", (0.5,)), ("ego_mask", (3,))])
def test_entries_have_the_parameters_type(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match="needs a"):
        with_value(NodeConfig(), name, value)
