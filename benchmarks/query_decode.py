# SPDX-License-Identifier: Apache-2.0
"""From a network's logits to a panoptic map: ours beside transformers', same inputs, by turns.

Ours is what an exported model does after its network, as an ONNX graph of its own in ONNX Runtime,
and the decoder; theirs is ``post_process_panoptic_segmentation``. Both use all cores.

Run: python benchmarks/query_decode.py [--rounds 8] [--kept 20] [--queries 50] [--size 2048x1024]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import torch
from transformers.models.eomt.image_processing_pil_eomt import EomtImageProcessorPil
from transformers.models.mask2former.image_processing_pil_mask2former import (
    Mask2FormerImageProcessorPil,
)

from panoptic_ros.core.classes.label_documents import read_label_set
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.decode import decode
from panoptic_ros.core.decoding.query import QueryHeads
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.types import Panoptic
from panoptic_ros.model.hub import FAMILIES
from panoptic_ros.model.query_graph import ArgMaxRule, QueryMaps, query_maps

CASES = {
    "640x640": ("eomt", 200, "coco"),
    "2048x1024": ("mask2former", 100, "cityscapes"),
}
Logits = tuple[torch.Tensor, torch.Tensor]


def main() -> None:
    """Measure both and print milliseconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--kept", type=int, default=20, help="queries above the threshold")
    parser.add_argument("--queries", type=int, default=50, help="as of panoptic export")
    parser.add_argument("--size", choices=CASES, help="one case only")
    args = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    print(f"{args.kept} queries kept, --queries {args.queries}, {cores} cores, medians in ms")
    columns = "".join(f"{name:>9}" for name in ("theirs", "ours", "graph", "decode", "ratio"))
    print(f"{'network':12}{'map':12}{columns}")
    for size in [args.size] if args.size else CASES:
        for scale in (4, 2):
            measure(size, scale, args)


def measure(size: str, scale: int, args: argparse.Namespace) -> None:
    """Time one size of network at one scale of map; theirs gives a map of the same size."""
    family, queries, label_set = CASES[size]
    labels = read_label_set(resource("config", "labels", f"{label_set}.yaml"))
    width, height = (int(side) for side in size.split("x"))
    map_size = (height * scale // 4, width * scale // 4)
    logits = draw(queries, args.kept, len(labels), (height // 4, width // 4))
    rule = replace(FAMILIES[family].rule, most=args.queries)
    session = graph(logits, rule, map_size)
    theirs, graphs, decodes = [], [], []
    for _ in range(args.rounds + 1):
        seconds, reference = timed(lambda: post_process(family, logits, map_size, labels))
        theirs.append(seconds)
        feeds = {"classes": logits[0].numpy(), "masks": logits[1].numpy()}
        seconds, maps = timed(lambda: session.run(list(QueryMaps._fields), feeds))  # noqa: B023
        graphs.append(seconds)
        heads = QueryHeads(*(values[0] for values in maps))
        config = DecodeConfig(min_thing_area=0.0, min_stuff_area=0.0)
        seconds, ours = timed(lambda: decode(heads, labels, config))  # noqa: B023
        decodes.append(seconds)
    check(ours, reference, labels)
    their, mine, left = (1e3 * statistics.median(times[1:]) for times in (theirs, graphs, decodes))
    shown = f"{map_size[1]}x{map_size[0]}"
    print(
        f"{size:12}{shown:12}{their:9.1f}{mine + left:9.1f}{mine:9.1f}{left:9.2f}"
        f"{their / (mine + left):9.2f}",
        flush=True,
    )


def draw(queries: int, kept: int, classes: int, size: tuple[int, int]) -> Logits:
    """Draw masks that tile the image, with soft edges; the first ``kept`` queries are sure."""
    rng = np.random.default_rng(0)
    height, width = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    centers = rng.random((queries, 2)) * (height, width)
    distance = np.stack([np.hypot(y - cy, x - cx) for cy, cx in centers])
    nearest = np.sort(distance[:kept], axis=0)[:2]
    masks = np.clip(nearest.sum(0) / 2 - distance, -12.0, 12.0).astype(np.float32)
    says = rng.normal(0.0, 0.5, (queries, classes + 1)).astype(np.float32)
    says[np.arange(kept), rng.integers(0, classes, kept)] = 12.0
    says[kept:, -1] = 12.0
    order = rng.permutation(queries)
    return torch.from_numpy(says[order])[None], torch.from_numpy(masks[order])[None]


class _Maps(torch.nn.Module):
    def __init__(self, rule: ArgMaxRule, map_size: tuple[int, int]) -> None:
        super().__init__()
        self.rule, self.map_size = rule, map_size

    def forward(self, classes: torch.Tensor, masks: torch.Tensor) -> Any:
        return query_maps(classes, masks, self.rule, self.map_size)


def graph(logits: Logits, rule: ArgMaxRule, map_size: tuple[int, int]) -> Any:
    """Make a session of the part of an exported graph that follows the network."""
    content = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Maps(rule, map_size),
            logits,
            content,
            input_names=["classes", "masks"],
            output_names=list(QueryMaps._fields),
            opset_version=17,
            dynamo=False,
        )
    return onnxruntime.InferenceSession(content.getvalue(), providers=["CPUExecutionProvider"])


def post_process(family: str, logits: Logits, map_size: tuple[int, int], labels: LabelSet) -> Any:
    """Do what a user of transformers does."""
    said = SimpleNamespace(class_queries_logits=logits[0], masks_queries_logits=logits[1])
    stuff = np.flatnonzero(~labels.things[: len(labels)]).tolist()
    if family == "eomt":
        side = 4 * logits[1].shape[-1]
        size = {"shortest_edge": side, "longest_edge": side}
        return EomtImageProcessorPil(size=size).post_process_panoptic_segmentation(
            said, target_sizes=[map_size], stuff_classes=stuff, size=size
        )[0]
    return Mask2FormerImageProcessorPil().post_process_panoptic_segmentation(
        said, target_sizes=[map_size], label_ids_to_fuse=set(stuff)
    )[0]


def check(ours: Panoptic, theirs: Any, labels: LabelSet) -> None:
    """Make sure that both found the same objects."""
    things = [entry for entry in theirs["segments_info"] if labels.things[entry["label_id"]]]
    found, expected = len(ours.segments), len(things)
    assert found == expected, f"we find {found} objects, transformers {expected}"


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result."""
    start = time.perf_counter()
    with torch.no_grad():
        result = run()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
