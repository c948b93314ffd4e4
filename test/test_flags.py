# SPDX-License-Identifier: Apache-2.0
"""Flags that hardly any behaviour shows: ``frozen`` and ``eq`` of dataclasses, ``strict`` of zip.

Whoever drops one by mistake makes a value that can change, an error where two values with arrays
meet, or two lists of different length that lose their ends. A class that shall be different stands
in one of the lists below.
"""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1] / "panoptic_ros"

STATE = {
    "cli/predict.py _Counts",
    "core/clouds/object_filter.py _Estimate",
    "core/ground/transform_tree.py _Frame",
    "core/timing/stage_clock.py StageClock",
    "core/tracking/association.py Matches",
    "core/tracking/motion_model.py MotionModel",
    "core/tracking/track_record.py TrackRecord",
    "data/crowds/data_set.py Progress",
    "evaluation/bag_predictor.py BagPredictor",
    "evaluation/difference.py Difference",
    "fleet/run.py CallProgress",
    "fleet/summary.py FleetSummary",
    "fleet/workers.py _Worker",
    "messages/clouds/cloud_statistics.py CloudStatistics",
    "messages/context.py FrameContext",
    "messages/context.py GroundContext",
    "messages/video/video_packets.py FrameNumbers",
    "metrics/drivable_quality.py _Counts",
    "metrics/tracking_quality.py _Sequence",
    "recordings/source.py ReadErrors",
    "recordings/storage/mcap_index.py Block",
    "recordings/storage/mcap_index.py McapIndex",
    "recordings/storage/mcap_index.py Summary",
    "recordings/storage/mcap_records.py Channels",
    "recordings/storage/recover_ros1.py _Walk",
    "report/diff_page.py WorstFrames",
    "report/record.py RunRecord",
    "report/samples.py SampledFrames",
    "report/timing.py StageTimes",
    "report/worst_images.py WorstImages",
    "ros/camera/statistics.py CameraStatistics",
    "ros/playback/watcher.py Shown",
}
"""Dataclasses that change after they were made."""

THEMSELVES = {
    "core/clouds/pairing.py Paired",
    "core/result.py Result",
    "core/types.py Heads",
    "data/crowds/data_set.py CrowdImage",
    "data/crowds/data_set.py Progress",
    "data/format.py Format",
    "data/label_files.py LabelFile",
    "data/label_files.py LabelFiles",
    "data/label_files.py Pair",
    "data/tools/objects.py ToolImage",
    "data/tools/objects.py ToolObject",
    "evaluation/bag_predictor.py BagPredictor",
    "evaluation/evaluate.py Comparison",
    "evaluation/predictor.py Predictor",
    "messages/clouds/cloud_stage.py CloudResult",
    "messages/clouds/cloud_stage.py SensorMessage",
    "messages/context.py CloudContext",
    "messages/context.py FrameContext",
    "messages/context.py GroundContext",
    "messages/context.py LabelContext",
    "messages/video/foxglove.py CompressedImage",
    "messages/video/foxglove.py RawImage",
    "metrics/video_quality.py _Comparison",
    "recordings/source.py RecordedFrame",
    "recordings/storage/record.py Record",
    "ros/camera/stream.py CameraStream",
    "ros/camera/stream.py StreamHost",
    "ros/worker.py _Image",
}
"""Dataclasses without an array that equal nothing but themselves: they hold a value with one, a
message or a function, or are a file or a state."""

UNEQUAL = {"recordings/live.py": 1, "ros/diagnostics.py": 1, "cli/demo.py": 1}
"""How often a module walks things of different length together."""


class Record(NamedTuple):
    """One dataclass of the product."""

    place: str
    is_frozen: bool
    compares: bool
    holds_array: bool


@cache
def parsed() -> dict[str, ast.Module]:
    """Modules that hold a dataclass or a zip, by their place in the package."""
    texts = {
        str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8")
        for path in sorted(PACKAGE.rglob("*.py"))
    }
    words = ("@dataclass", "zip(", "= NDArray[")
    return {
        place: ast.parse(text)
        for place, text in texts.items()
        if any(word in text for word in words)
    }


def records() -> list[Record]:
    return [
        _record(place, node, flags)
        for place, tree in parsed().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and (flags := _flags(node)) is not None
    ]


def _flags(node: ast.ClassDef) -> dict[str, object] | None:
    for one in node.decorator_list:
        name = one.func if isinstance(one, ast.Call) else one
        if ast.unparse(name) in ("dataclass", "dataclasses.dataclass"):
            words = one.keywords if isinstance(one, ast.Call) else []
            return {str(word.arg): ast.literal_eval(word.value) for word in words}
    return None


def _record(place: str, node: ast.ClassDef, flags: dict[str, object]) -> Record:
    types = [one.annotation for one in node.body if isinstance(one, ast.AnnAssign)]
    holds = any(_is_array(one, place) for one in types)
    return Record(
        f"{place} {node.name}", bool(flags.get("frozen")), bool(flags.get("eq", True)), holds
    )


def _is_array(annotation: ast.expr, place: str) -> bool:
    """Whether a value of this type is an array, or holds one in a tuple, list or dict."""
    text = ast.unparse(annotation)
    names = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
    is_called = text.startswith(("Callable", "type["))
    return not is_called and ("NDArray" in names or bool(names & _arrays(place)))


@cache
def _arrays(place: str) -> frozenset[str]:
    """Names that a module has for types of arrays, its own and imported ones."""
    found: set[str] = set()
    for node in parsed()[place].body:
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("NDArray["):
            found |= {ast.unparse(target) for target in node.targets}
        elif isinstance(node, ast.ImportFrom):
            other = f"{(node.module or '').partition('.')[2].replace('.', '/')}.py"
            if other in parsed():
                found |= {one.name for one in node.names} & _arrays(other)
    return frozenset(found)


def test_a_dataclass_is_frozen_unless_it_is_state() -> None:
    assert {one.place for one in records() if not one.is_frozen} == STATE


def test_what_holds_an_array_equals_nothing_but_itself() -> None:
    """NumPy compares element by element, which is neither true nor false."""
    assert [one.place for one in records() if one.holds_array and one.compares] == []


def test_other_dataclasses_are_equal_where_their_values_are() -> None:
    alone = {one.place for one in records() if not one.compares and not one.holds_array}
    assert alone == THEMSELVES


def test_what_is_walked_together_is_of_one_length() -> None:
    found = Counter(
        place
        for place, tree in parsed().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "zip"
        if not any(
            word.arg == "strict" and ast.unparse(word.value) == "True" for word in node.keywords
        )
    )
    assert found == UNEQUAL
