# SPDX-License-Identifier: Apache-2.0
"""Label Studio: ``tasks.json`` with a brush mask for each object as a prediction.

Source: ``label_studio_converter/brush.py``: four equal bytes a pixel, as runs in a stream of bits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.files.rle import run_starts
from panoptic_ros.data.json_document import MalformedError, read_document
from panoptic_ros.data.tools.objects import ToolImage, ToolObject, ToolWriter, tool_format

NAME = "tasks.json"
FROM, TO = "tag", "image"
"""Names of the control and of the image in the labelling interface."""

_CHANNELS = 4
_SET = 255
_SIZES = (3, 4, 8, 16)
"""Bits of a run's length, of which two bits choose one."""


class LabelStudioWriter(ToolWriter):
    """Writes ``tasks.json``.

    The labelling interface has ``BrushLabels`` named tag over an Image named image.
    """

    file_name = NAME

    def item(self, image: ToolImage, number: int) -> Any:
        """Pack one image as a task with a prediction."""
        results = [_result(one, image.size, order) for order, one in enumerate(image.objects)]
        prediction = {"model_version": "panoptic_ros", "result": results}
        return {"data": {"image": image.name, "frame": number - 1}, "predictions": [prediction]}

    def document(self, items: Sequence[Any]) -> str:
        """Write the tasks."""
        return json.dumps(list(items))


def _result(one: ToolObject, size: tuple[int, int], order: int) -> dict[str, Any]:
    height, width = size
    value = {"format": "rle", "rle": encode_brush(one.draw()), "brushlabels": [one.name]}
    return {
        "id": f"{one.track_id}-{order}",
        "from_name": FROM,
        "to_name": TO,
        "type": "brushlabels",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "score": one.score,
        "meta": {"track_id": one.track_id},
        "value": value,
    }


def encode_brush(mask: NDArray[np.bool_]) -> list[int]:
    """Write a mask as Label Studio's brush keeps it.

    Args:
        mask: (H, W).

    Returns:
        Bytes of a stream of bits: length, size of a word, sizes of lengths, then the runs.
    """
    flat = np.repeat(mask.ravel(), _CHANNELS)
    starts = run_starts(flat)
    lengths = np.diff(np.append(starts, flat.size)).tolist()
    bits = [f"{flat.size:032b}", f"{7:05b}", *(f"{size - 1:04b}" for size in _SIZES)]
    for start, length in zip(starts.tolist(), lengths, strict=True):
        word = f"{_SET if flat[start] else 0:08b}"
        bits += [f"{run}{word}" for run in _runs(length)]
    stream = "".join(bits)
    stream += "0" * (8 - len(stream) % 8)
    return list(int(stream, 2).to_bytes(len(stream) // 8, "big"))


def _runs(length: int) -> Iterator[str]:
    """Write a run as one or more pieces: a mark, which size, and the length less 1."""
    while length:
        part = min(length, 1 << _SIZES[-1])
        which = next(place for place, size in enumerate(_SIZES) if part <= 1 << size)
        yield f"1{which:02b}{part - 1:0{_SIZES[which]}b}"
        length -= part


def decode_brush(data: Sequence[int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Read a mask of Label Studio's brush.

    Args:
        data: Bytes as ``encode_brush`` writes them.
        size: (height, width).

    Raises:
        MalformedError: They are none, or of another size.
    """
    bits = "".join(f"{byte:08b}" for byte in data)
    count, word = int(bits[:32], 2), int(bits[32:37], 2) + 1
    sizes = [int(bits[at : at + 4], 2) + 1 for at in range(37, 53, 4)]
    if count != size[0] * size[1] * _CHANNELS:
        raise MalformedError(f"a brush of {count} values, the image has {size}")
    values, at, filled = np.zeros(count, np.uint8), 53, 0
    while filled < count:
        is_run, which = bits[at : at + 1] == "1", int(bits[at + 1 : at + 3], 2)
        at += 3
        length = int(bits[at : at + sizes[which]], 2) + 1
        at += sizes[which]
        # A series has one word for all of its values, anything else a word for each.
        words = 1 if is_run else length
        found = [int(bits[at + word * n : at + word * (n + 1)], 2) for n in range(words)]
        at += word * words
        values[filled : filled + length] = found * length if is_run else found
        filled += length
    return np.asarray(values.reshape(*size, _CHANNELS)[..., 3] > 0, np.bool_)


def parse(path: Path) -> tuple[list[str], list[ToolImage]]:
    """Read classes and images; what a person annotated counts before predictions.

    Raises:
        DataError: The file cannot be read.
        MalformedError, KeyError, TypeError, ValueError: It is no such file.
    """
    images = []
    for task in read_document(path):
        drawn = task.get("annotations") or task.get("predictions") or [{"result": []}]
        results = [one for one in drawn[0]["result"] if one.get("type") == "brushlabels"]
        if not results:
            continue
        size = (int(results[0]["original_height"]), int(results[0]["original_width"]))
        told = tuple(_parsed(one, size) for one in results)
        images.append(ToolImage(str(task["data"]["image"]), size, told))
    names = sorted({one.name for image in images for one in image.objects})
    return names, images


def _parsed(result: dict[str, Any], size: tuple[int, int]) -> ToolObject:
    track = int((result.get("meta") or {}).get("track_id") or 0)
    value = result["value"]
    draw = partial(decode_brush, value["rle"], size)
    return ToolObject(str(value["brushlabels"][0]), track, None, draw)


FORMAT = tool_format(
    LabelStudioWriter,
    parse,
    f"{NAME} or an export of Label Studio as JSON, or the folder with it",
    f"{NAME} for Label Studio's brush",
)
