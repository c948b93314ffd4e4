# SPDX-License-Identifier: Apache-2.0
"""Layouts for Foxglove and RViz: whole in themselves, and about topics that there are."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.resources import resource
from panoptic_ros.messages.topic import CloudTopic, GroundTopic
from panoptic_ros.messages.topics import TOPICS, rows_of
from panoptic_ros.ros.views import view_of

DISPLAYS = {
    "OccupancyGrid": "Map",
    "PolygonStamped": "Polygon",
    "LaserScan": "LaserScan",
    "PointCloud2": "PointCloud2",
}
"""RViz's display of a message type."""

BOXES = "vision_msgs_rviz_plugins/Detection3DArray"

POINTS = {
    "Alpha",
    "Autocompute Intensity Bounds",
    "Channel Name",
    "Color Transformer",
    "Decay Time",
    "Invert Rainbow",
    "Max Color",
    "Max Intensity",
    "Min Color",
    "Min Intensity",
    "Position Transformer",
    "Selectable",
    "Size (Pixels)",
    "Size (m)",
    "Style",
    "Use rainbow",
}
"""``point_cloud_common.cpp`` and ``intensity_pc_transformer.cpp``."""

KEYS = {
    "rviz_default_plugins/Image": {"Max Value", "Median window", "Min Value", "Normalize Range"},
    "rviz_default_plugins/Map": {"Alpha", "Color Scheme", "Draw Behind", "Use Timestamp"},
    "rviz_default_plugins/Polygon": {"Alpha", "Color"},
    "rviz_default_plugins/LaserScan": POINTS,
    "rviz_default_plugins/PointCloud2": POINTS,
    BOXES: {"Alpha", "ConfigPath", "Line Width", "Only Edge", "Show Score"},
}
"""Properties that the displays declare in github.com/ros2/rviz at f7112b1 and, for boxes, in
github.com/ros-perception/vision_msgs at e77fa2d."""

CHOICES = {
    "Color Scheme": {"map", "costmap", "raw"},
    "Color Transformer": {"Intensity", "AxisColor", "FlatColor", "RGB8", "RGBF32"},
    "Position Transformer": {"XYZ"},
    "Style": {"Points", "Squares", "Flat Squares", "Spheres", "Boxes", "Tiles"},
}

NOT_IN_FOXGLOVE = {"panoptic", "autoware_mask"}
"""An image of two 16-bit channels and one that is none, neither of which Foxglove draws."""

POINT_SETTINGS = {
    "visible",
    "frameLocked",
    "pointSize",
    "pointShape",
    "decayTime",
    "colorMode",
    "flatColor",
    "colorField",
    "gradient",
    "colorMap",
    "explicitAlpha",
    "minValue",
    "maxValue",
}
"""``LayerSettingsPointExtension`` and ``ColorModeSettings`` in packages/suite-base/src/panels/
ThreeDeeRender/renderables of github.com/lichtblick-suite/lichtblick at 66adecb."""


def foxglove() -> dict[str, Any]:
    text = resource("config", "panoptic.foxglove.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def rviz() -> dict[str, Any]:
    text = resource("config", "panoptic.rviz").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def placed(layout: Any, panels: dict[str, Any]) -> Iterator[str]:
    """Every panel that a layout shows, through splits and tabs."""
    if isinstance(layout, str):
        yield layout
        for tab in panels[layout].get("tabs", []):
            yield from placed(tab["layout"], panels)
        return
    assert layout["direction"] in ("row", "column")
    assert 0 < layout["splitPercentage"] < 100
    for side in ("first", "second"):
        yield from placed(layout[side], panels)


def topics(panel: dict[str, Any]) -> set[str]:
    mode = panel.get("imageMode", {})
    single = mode.get("imageTopic") or panel.get("topicPath") or panel.get("topicToRender")
    shown = {name for name, settings in panel.get("topics", {}).items() if settings["visible"]}
    return shown | ({single} if single else set())


def test_foxglove_places_each_panel_once() -> None:
    panels = foxglove()["configById"]
    found = list(placed(foxglove()["layout"], panels))
    assert sorted(found) == sorted(panels)
    assert {name.split("!")[0] for name in found} == {
        "3D",
        "Image",
        "DiagnosticSummary",
        "RawMessages",
        "Tab",
    }


def test_foxglove_shows_every_topic_that_it_can() -> None:
    shown = set().union(*map(topics, foxglove()["configById"].values()))
    ours = {f"/panoptic/{name}" for name in set(TOPICS) - NOT_IN_FOXGLOVE}
    assert shown == {*ours, "/diagnostics"}


def test_the_ground_is_seen_from_its_frame_and_colours_are_ones_that_there_are() -> None:
    # RendererConfig and the settings of the layers in packages/suite-base/src/panels/
    # ThreeDeeRender of Lichtblick, which began as Foxglove's own source.
    panel = foxglove()["configById"]["3D!ground"]
    assert panel["followTf"] == GroundConfig().base_frame
    assert panel["topics"]["/panoptic/drivable_grid"]["colorMode"] in ("custom", "costmap", "map")
    scan = panel["topics"]["/panoptic/free_space/scan"]
    assert scan["colorField"] in ("range", "intensity")


def test_foxglove_colours_points_by_fields_that_they_have() -> None:
    layers = foxglove()["configById"]["3D!ground"]["topics"]
    fields = {"free_space/points": "label", "points": "label", "objects/motion": "instance"}
    for name, field in fields.items():
        layer = layers[f"/panoptic/{name}"]
        assert set(layer) <= POINT_SETTINGS
        assert (layer["colorField"], layer["colorMode"]) == (field, "colormap")
        assert layer["colorMap"] in ("turbo", "rainbow")


def test_panels_have_their_title_in_both_programs() -> None:
    for panel in foxglove()["configById"].values():
        assert panel.get("foxglovePanelTitle") == panel.get("lichtblickPanelTitle")


@pytest.mark.parametrize("layout", ["panoptic.rviz", "panoptic.foxglove.json"])
def test_a_node_in_a_namespace_gets_a_view_of_its_own(layout: str) -> None:
    usual, made = view_of(layout, "panoptic"), view_of(layout, "/robot1/eyes/front")
    assert usual == resource("config", layout)
    names = [
        re.findall(r'[ "](/[\w/]+)', path.read_text(encoding="utf-8")) for path in (usual, made)
    ]
    assert any(name.startswith("/panoptic/") for name in names[0])
    expected = [re.sub("^/panoptic/", "/robot1/eyes/front/", name) for name in names[0]]
    assert names[1] == expected


def test_rviz_shows_images_that_it_can_draw() -> None:
    document = rviz()
    displays = document["Visualization Manager"]["Displays"]
    images = [entry for entry in displays if entry["Class"] == "rviz_default_plugins/Image"]
    shown = {entry["Topic"]["Value"].removeprefix("/panoptic/") for entry in images}
    eight_bit = {"drivable", "label", "confidence", "remapped/label", "dynamic_mask"}
    assert shown == {"overlay", "label/colored", *eight_bit}
    assert shown <= set(TOPICS)
    assert {entry["Name"] for entry in images} <= set(document["Window Geometry"])


def test_rviz_shows_every_topic_in_metres_by_the_display_of_its_type() -> None:
    displays = rviz()["Visualization Manager"]["Displays"]
    shown = {
        entry["Topic"]["Value"].removeprefix("/panoptic/"): entry["Class"]
        for entry in displays
        if entry["Class"] != "rviz_default_plugins/Image"
    }
    rows = {**rows_of(GroundTopic), **rows_of(CloudTopic)}
    kinds = {name: row.type.rpartition("/")[2] for name, row in rows.items()}
    assert shown.pop("objects") == BOXES
    assert kinds.pop("objects") == "Detection3DArray"
    assert shown == {
        name: f"rviz_default_plugins/{DISPLAYS[kind]}" for name, kind in kinds.items()
    }


def test_displays_have_the_keys_and_words_that_rviz_knows() -> None:
    for entry in rviz()["Visualization Manager"]["Displays"]:
        own = set(entry) - {"Class", "Enabled", "Name", "Topic", "Value"}
        assert own <= KEYS[entry["Class"]], entry["Name"]
        assert entry["Enabled"] == entry["Value"]
        assert set(entry["Topic"]) == {
            "Depth",
            "Durability Policy",
            "History Policy",
            "Reliability Policy",
            "Value",
        }
        for key, words in CHOICES.items():
            assert entry.get(key) in {None, *words}


def test_rviz_colours_points_by_fields_that_they_have() -> None:
    displays = rviz()["Visualization Manager"]["Displays"]
    channels = {
        entry["Topic"]["Value"].removeprefix("/panoptic/"): entry["Channel Name"]
        for entry in displays
        if "Channel Name" in entry
    }
    assert channels == {"points": "label", "objects/motion": "instance"}


def test_rviz_looks_from_the_frame_of_the_ground() -> None:
    options = rviz()["Visualization Manager"]["Global Options"]
    assert options["Fixed Frame"] == GroundConfig().base_frame


def test_a_copy_that_cannot_be_written_is_refused_with_the_cure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc")
    with pytest.raises(
        ConfigError, match=r"for /robot1/eyes cannot be written .*; set TMPDIR to a"
    ):
        view_of("panoptic.foxglove.json", "/robot1/eyes")
