# SPDX-License-Identifier: Apache-2.0
"""Every parameter of a file has an effect in a verb, or a line says that it has none."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

import pytest

from panoptic_ros.cli.main import VERBS, main, module_name
from panoptic_ros.cli.options.taken_parameters import (
    ALWAYS,
    RUNNING,
    TAKEN,
    is_of,
    taken_parameters,
)
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.node_config import DECLARED, NodeConfig
from test.drawn.drawn_fleet import street, write_drive

pytest.importorskip("rosbags")


def written(folder: Path, text: str) -> Path:
    path = folder / "robot.yaml"
    path.write_text(f"panoptic:\n  ros__parameters:\n    {text}\n")
    return path


def options(verb: str) -> set[str]:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"panoptic_ros.cli.{module_name(verb)}").add_arguments(parser)
    return {word for action in parser._actions for word in action.option_strings}


def test_every_verb_with_a_parameter_file_says_what_it_takes() -> None:
    with_files = {verb for verb in VERBS if "--params" in options(verb)}
    # diff takes such a file as one of its two sides.
    assert with_files | {"diff"} == set(TAKEN)


def test_every_parameter_is_of_use_to_a_verb_or_is_about_a_running_node() -> None:
    of_use = {name for groups in TAKEN.values() for name in DECLARED if is_of(name, groups)}
    assert of_use | {*RUNNING, *ALWAYS} == set(DECLARED)


@pytest.mark.parametrize("verb", TAKEN)
def test_every_group_that_a_verb_takes_exists(verb: str) -> None:
    assert all(any(is_of(name, (group,)) for name in DECLARED) for group in TAKEN[verb])


@pytest.mark.parametrize("verb", TAKEN)
def test_a_file_of_defaults_is_taken_without_a_word(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert taken_parameters(resource("config", "panoptic.yaml"), verb) == NodeConfig()
    assert capsys.readouterr().err == ""


def test_one_line_names_what_has_no_effect_and_it_has_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(
        tmp_path,
        "{decode: {max_objects: 9}, ground: {width_m: 9.0}, points: {depth_step: 2}, "
        "remap: {label: autoware}, trace: t.json}",
    )
    config = taken_parameters(path, "label")
    assert (config.decode.max_objects, config.remap.label) == (9, "autoware")
    assert (config.ground, config.trace) == (NodeConfig().ground, "")
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"panoptic label: {path}: without effect here: ground.width_m, points.depth_step"
    )


def test_the_demo_says_that_it_records_no_consumers_topics(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(
        tmp_path, "{remap: {label: autoware}, jpeg_quality: 9, panoptic_encoding: 32SC1}"
    )
    assert taken_parameters(path, "demo") == NodeConfig()
    assert capsys.readouterr().err == (
        f"panoptic demo: {path}: without effect here: panoptic_encoding, jpeg_quality, "
        "remap.label\n"
    )


def test_parameters_without_a_model_to_run_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["eval", "--format", "coco", "--gt", "a.json", "--pred", "b.json"]
    assert main([*words, "--params", str(written(tmp_path, "{jpeg_quality: 9}"))]) == 2
    assert "--params: only with --engine" in capsys.readouterr().err


def label(tmp_path: Path, text: str, *words: str) -> int:
    drive = write_drive(tmp_path / "drive.mcap", street(2))
    parameters = written(tmp_path, text)
    ends = ("--engine", "drawn", "--params", str(parameters), *words)
    return main(["label", str(drive), "--out", str(tmp_path / "out"), *ends])


def first_of(tmp_path: Path, topic: str) -> Any:
    """The first message of a topic of the bag of labels."""
    from rosbags.highlevel import AnyReader

    with AnyReader([next((tmp_path / "out").glob("*/*.labels.mcap"))]) as reader:
        wanted = [entry for entry in reader.connections if entry.topic == f"/panoptic/{topic}"]
        entry, _, data = next(reader.messages(wanted))
        return reader.deserialize(data, entry.msgtype)


def test_labelling_takes_the_camera_and_the_messages_as_the_node_does(tmp_path: Path) -> None:
    text = (
        "{output: {size: [96x48]}, region: ['0,0,192,90'], panoptic_encoding: 32SC1, "
        "remap: {label: autoware}}"
    )
    assert label(tmp_path, text, "--outputs", "panoptic,remapped/label") == 0
    found = first_of(tmp_path, "panoptic")
    assert (found.width, found.height, found.encoding) == (96, 48, "32SC1")
    names = {entry.class_name for entry in first_of(tmp_path, "remapped/label_info").class_map}
    assert "CURBSTONE" in names


def test_an_outline_of_many_corners_is_no_file(tmp_path: Path) -> None:
    outline = " ".join(f"{100 + 4 * corner},{700 + corner % 2}" for corner in range(40))
    assert len(outline) > 255
    assert label(tmp_path, f"{{ego_mask: ['{outline} 400,719 100,719']}}") == 0


def test_topics_in_metres_are_refused_before_any_bag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert label(tmp_path, "{ground: {camera_height_m: 1.5}}", "--outputs", "drivable_grid") == 2
    assert "panoptic replay writes them, with --params and --topics" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{rotation: [45]}", "rotation has 45"),
        ("{region: ['1,2']}", "region has '1,2'"),
        ("{cameras: [a, b], rotation: [0, 45]}", "rotation has 45"),
        ("{cameras: [a, b, c], rotation: [0, 90]}", "rotation has 2 entries for 3 cameras"),
        ("{cameras: [a, b], image_topics: [/a]}", "image_topics has 1 entries for 2 cameras"),
        ("{cameras: []}", "cameras is empty"),
    ],
)
def test_a_bad_entry_of_a_camera_is_refused_before_any_bag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    assert label(tmp_path, text) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert not (tmp_path / "out").exists()


def test_a_remap_file_that_is_missing_is_named_before_any_bag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert label(tmp_path, "{remap: {label: mine.yaml}}") == 2
    assert "remap mine.yaml" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
