# SPDX-License-Identifier: Apache-2.0
"""The same network run plainly: ONNX Runtime or OpenCV's DNN, with a textbook's post-processing.

Run from the root: python -m benchmarks.peers [--engine street_fast] [--frames 100] [--images DIR]

All take the same images of 1280x720 by turns, on one thread, and end with a label image and an
instance image of the camera's size; CPU time, as its share does not depend on what else runs. The
textbook groups with a (centres, pixels) matrix of distances and goes through the objects one by
one with ``np.unique`` (Cheng et al. 2020, section 3.2, as most ports write it). The arg-max over
classes and the maxima of centres lie in the graph of the model for all of them. Ours also tracks,
finds the drivable surface and builds messages, which the others do not.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.allocation import keep_freed_memory
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.config import DecodeConfig
from panoptic_ros.core.decoding.decode import decode
from panoptic_ros.core.errors import DataError
from panoptic_ros.core.geometry import enlarge, shrink
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.synthetic.street import DrawnStreet
from panoptic_ros.core.types import Frame
from panoptic_ros.engine.models import find_model
from panoptic_ros.engine.ort import OrtEngine

SIZE, WARM_UP, STEP_NS = (1280, 720), 5, 40_000_000
NAMES = ("labels", "confidence", "centers", "offsets")
Maps = Mapping[str, NDArray[Any]]
Times = dict[str, float]


def main() -> None:
    """Measure by turns, print one line for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="street_fast")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--images", type=Path, help="default: a drawn street")
    args = parser.parse_args()
    keep_freed_memory()
    cv2.setNumThreads(1)
    images = list(islice(_images(args.images), 50))
    ways = _ways(find_model(args.engine))
    spent: dict[str, list[Times]] = {name: [] for name in ways}
    for number in range(WARM_UP + args.frames):
        for name, way in ways.items():
            spent[name].append(way(images[number % len(images)], number))
    print(f"{'CPU ms, p50':<40}{'network':>10}{'the rest':>10}{'whole':>10}")
    for name, times in spent.items():
        rows = np.array([(one["network"], one["rest"]) for one in times[WARM_UP:]])
        network, rest = np.median(rows, axis=0).tolist()
        whole = float(np.median(rows.sum(axis=1)))
        print(f"{name:<40}{network:10.2f}{rest:10.2f}{whole:10.2f}")


def _images(folder: Path | None) -> Iterator[NDArray[np.uint8]]:
    if folder is None:
        for frame, _ in DrawnStreet(size=SIZE):
            yield np.ascontiguousarray(frame.image)
        return
    for path in sorted(folder.iterdir()):
        bgr = cv2.imread(str(path))
        if bgr is None:
            raise DataError(f"{path}: is no image; name a folder of images")
        yield np.asarray(cv2.cvtColor(cv2.resize(bgr, SIZE), cv2.COLOR_BGR2RGB), np.uint8)


def _ways(path: Path) -> dict[str, Callable[[NDArray[np.uint8], int], Times]]:
    """All that can run the model here."""
    engine = OrtEngine(path, 1)
    labels, size = engine.spec.labels, (engine.spec.width, engine.spec.height)
    ways = {
        "panoptic_ros, tracked, with messages": _ours(engine),
        "panoptic_ros, labels and ids alone": _decoded(OrtEngine(path, 1)),
        "ONNX Runtime, textbook": _textbook(_onnx_runtime(path), labels, size),
    }
    try:
        network = _opencv(path)
        network(np.zeros((*size[::-1], 3), np.uint8))
    except cv2.error as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        print(f"OpenCV {cv2.__version__} DNN cannot run {path.name}: {lines[0]}")
        return ways
    return {**ways, "OpenCV DNN, textbook": _textbook(network, labels, size)}


def _ours(engine: OrtEngine) -> Callable[[NDArray[np.uint8], int], Times]:
    from panoptic_ros.messages.context import FrameContext
    from panoptic_ros.messages.message_types import rclpy_types
    from panoptic_ros.messages.topics import build_messages
    from panoptic_ros.report.timing import TOPICS

    types, pipeline = rclpy_types(), Pipeline(engine)
    state, header = pipeline.new_state(), types.make("std_msgs/msg/Header")
    network_ms: list[float] = []
    infer = engine.infer

    def timed(image: NDArray[np.uint8]) -> Any:
        start = time.process_time()
        heads = infer(image)
        network_ms.append((time.process_time() - start) * 1e3)
        return heads

    engine.infer = timed  # type: ignore[method-assign]

    def run(image: NDArray[np.uint8], number: int) -> Times:
        start = time.process_time()
        result = pipeline.step(Frame(image, number * STEP_NS), state)
        build_messages(TOPICS, FrameContext(result, types, header))
        whole_ms = (time.process_time() - start) * 1e3
        return {"network": network_ms[-1], "rest": whole_ms - network_ms[-1]}

    return run


def _decoded(engine: OrtEngine) -> Callable[[NDArray[np.uint8], int], Times]:
    """Only what the textbook gives: nothing is tracked, ids are those of the frame."""
    labels, config = engine.spec.labels, DecodeConfig()

    def run(image: NDArray[np.uint8], number: int) -> Times:
        start = time.process_time()
        shrink(image, engine.input)
        before = time.process_time()
        heads = engine.infer(engine.input)
        after = time.process_time()
        panoptic = decode(heads, labels, config)
        enlarge(panoptic.labels, SIZE[::-1])
        enlarge(panoptic.ids, SIZE[::-1])
        rest = before - start + time.process_time() - after
        return {"network": (after - before) * 1e3, "rest": rest * 1e3}

    return run


def _onnx_runtime(path: Path) -> Callable[[NDArray[np.uint8]], Maps]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda image: dict(
        zip(NAMES, session.run(list(NAMES), {"image": image[None]}), strict=True)
    )


def _opencv(path: Path) -> Callable[[NDArray[np.uint8]], Maps]:
    network = cv2.dnn.readNetFromONNX(str(path))

    def run(image: NDArray[np.uint8]) -> Maps:
        network.setInput(image[None])
        return dict(zip(NAMES, network.forward(list(NAMES)), strict=True))

    return run


def _textbook(
    network: Callable[[NDArray[np.uint8]], Maps], labels: LabelSet, size: tuple[int, int]
) -> Callable[[NDArray[np.uint8], int], Times]:
    things = np.flatnonzero(labels.things)

    def run(image: NDArray[np.uint8], number: int) -> Times:
        start = time.process_time()
        small = cv2.resize(image, size)
        before = time.process_time()
        maps = network(np.asarray(small, np.uint8))
        after = time.process_time()
        classes, ids = _grouped(maps, things)
        cv2.resize(classes, SIZE, interpolation=cv2.INTER_NEAREST)
        cv2.resize(ids, SIZE, interpolation=cv2.INTER_NEAREST)
        rest = before - start + time.process_time() - after
        return {"network": (after - before) * 1e3, "rest": rest * 1e3}

    return run


def _grouped(maps: Maps, things: NDArray[np.intp]) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Classes and ids, pixel by pixel against every centre, object by object."""
    classes = np.array(maps["labels"][0])
    centers, offsets = maps["centers"][0], maps["offsets"][0].astype(np.float32)
    found = np.argwhere(centers > DecodeConfig().center_threshold * 255).astype(np.float32)
    ids = np.zeros(classes.shape, np.uint16)
    if len(found) == 0:
        return classes, ids
    step = classes.shape[0] // centers.shape[0]
    y, x = np.mgrid[: centers.shape[0], : centers.shape[1]]
    targets = np.stack((y + offsets[0], x + offsets[1]), axis=-1).reshape(1, -1, 2)
    distance = np.linalg.norm(found[:, None] - targets, axis=2)
    nearest = distance.argmin(axis=0).reshape(centers.shape) + 1
    is_thing = np.isin(classes, things)
    ids[:] = np.kron(nearest, np.ones((step, step), np.uint16)) * is_thing
    for number in np.unique(ids)[1:]:
        mask = ids == number
        values, counts = np.unique(classes[mask], return_counts=True)
        classes[mask] = values[counts.argmax()]
    return classes, ids


if __name__ == "__main__":
    main()
