# SPDX-License-Identifier: Apache-2.0
"""What a network and its tracker say about the images of a data set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.categories import Category
from panoptic_ros.core.classes.label_table import NameRules
from panoptic_ros.core.config import PipelineConfig
from panoptic_ros.core.errors import DataError, FrameError, counted, listed
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.model import Engine
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import Drivable, Frame
from panoptic_ros.data.annotation import MapAnnotation
from panoptic_ros.data.class_map import LabelMapTable
from panoptic_ros.data.exif import UPRIGHT
from panoptic_ros.data.images import exif_orientation, read_image
from panoptic_ros.data.label_files import Pair
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.evaluation.in_order import in_order
from panoptic_ros.evaluation.prediction import EvalTask, Prediction

_FIRST_STAMP_NS = 1_000_000_000


class EnginePredictor:
    """Runs the pipeline of the node over images; used by one thread, does not own the engine.

    Args:
        engine: The network.
        categories: The classes of the truth, matched with the network's by name.
        rules: Where names differ.
        config: Thresholds.
        fps: Frames per second of sequences; None for single images, which are not tracked.

    Attributes:
        remarks: What was found on the way, filled by ``tasks``.

    Raises:
        DataError: The two share no class name.
    """

    def __init__(
        self,
        engine: Engine,
        categories: Sequence[Category],
        rules: NameRules | None = None,
        config: PipelineConfig | None = None,
        fps: float | None = None,
    ) -> None:
        names = [entry.name for entry in engine.spec.labels.labels]
        self._recode = LabelMapTable(names, categories, rules)
        self._categories = categories
        self._pipeline = Pipeline(engine, config)
        self._state = self._pipeline.new_state()
        self._fps = fps
        self._count = 0
        self._sequence: str | None = None
        self.remarks: list[str] = []

    def tasks(self, pairs: Iterable[Pair]) -> Iterator[EvalTask]:
        """Answer images in order; images are read ahead.

        Raises:
            DataError: An image is missing or cannot be used.
            EngineRunError: The engine failed.
        """
        turned: list[Path] = []
        with ThreadPoolExecutor(1) as pool:
            for pair, path, image in in_order(pool, _load, pairs, 2):
                if exif_orientation(path) != UPRIGHT:
                    turned.append(path)
                yield pair, partial(_known, self._answer(pair, image))
        if turned:
            self.remarks.append(
                f"{counted(len(turned), 'image')} with an EXIF orientation, which is not applied: "
                f"labels belong on the pixels as they are stored; the first is {turned[0]}."
            )
        self._say_what_is_lacking()

    def _say_what_is_lacking(self) -> None:
        if lacking := self._recode.lacking:
            self.remarks.append(
                f"The model lacks {counted(len(lacking), 'class', 'classes')} of the data set, "
                f"which count as missed: {listed(lacking)}; where only names differ, use --map."
            )

    def _answer(self, pair: Pair, image: NDArray[np.uint8]) -> Prediction:
        if self._fps is None or pair.sequence != self._sequence:
            # Not a reset, after which ids go on: a sequence's answers hang on itself alone.
            self._state = self._pipeline.new_state()
            self._sequence, self._count = pair.sequence, 0
        stamp_ns = _FIRST_STAMP_NS + round(self._count * 1e9 / (self._fps or 1.0))
        self._count += 1
        try:
            result = self._pipeline.step(Frame(image, stamp_ns, "camera"), self._state)
        except FrameError as error:
            raise DataError(f"{pair.truth.image}: {error}") from error
        return self._at_camera_size(result, str(pair.truth.image))

    def _at_camera_size(self, result: Result, name: str) -> Prediction:
        size = result.camera_size
        if self._fps is None:
            labels, ids = result.panoptic.labels, result.panoptic.ids
        else:
            labels, ids = result.track_labels(), result.track_ids()
        label_map = self._recode.apply(LabelMap(enlarge(labels, size), enlarge(ids, size)))
        surface = result.drivable
        drivable = Drivable(
            enlarge(surface.mask.view(np.uint8), size).view(np.bool_),
            enlarge(surface.confidence, size),
            surface.boundary,
        )
        return Prediction(
            MapAnnotation(label_map, self._categories, is_truth=False),
            enlarge(result.panoptic.confidence, size),
            drivable,
            name,
        )


def _known(prediction: Prediction) -> Prediction:
    return prediction


def _load(pair: Pair) -> tuple[Pair, Path, NDArray[np.uint8]]:
    path = pair.truth.image
    if path is None:
        raise DataError(
            f"{pair.truth.path}: cannot find the image for this label; pass --images DIR"
        )
    return pair, path, read_image(path)
