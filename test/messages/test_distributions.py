# SPDX-License-Identifier: Apache-2.0
"""Every message that the package sends or reads has the same fields in each distribution."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

typesys = pytest.importorskip("rosbags.typesys", reason="the definitions come with rosbags")

PACKAGE = Path(__file__).parents[2] / "panoptic_ros"
NAMED = re.compile(r"\b([a-z0-9_]+(?:_msgs|_interfaces))(?:/msg/|\.msg import )([A-Z]\w+)")
DISTRIBUTIONS = ("JAZZY", "KILTED", "LYRICAL")


@lru_cache
def definitions(distribution: str) -> dict[str, Any]:
    """Fields by type; constants, which nobody sends, are left out."""
    store = typesys.get_typestore(typesys.Stores[f"ROS2_{distribution}"])
    return {name: fields for name, (_, fields) in store.fielddefs.items()}


def named_in(text: str) -> set[str]:
    return {f"{package}/msg/{name}" for package, name in NAMED.findall(text)}


def used() -> list[str]:
    """Types that the sources name and that come with every ROS 2."""
    texts = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    return sorted(named_in("\n".join(texts)) & set(definitions("HUMBLE")))


def test_the_sources_name_the_messages() -> None:
    assert {"sensor_msgs/msg/Image", "diagnostic_msgs/msg/DiagnosticStatus"} <= set(used())


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("name", used())
def test_fields_are_those_of_humble(name: str, distribution: str) -> None:
    assert definitions(distribution)[name] == definitions("HUMBLE")[name]


def test_a_message_that_differs_would_be_found() -> None:
    name = "sensor_msgs/msg/Range"
    assert named_in(f"find('{name}')") == {name}
    assert definitions("KILTED")[name] != definitions("HUMBLE")[name]
