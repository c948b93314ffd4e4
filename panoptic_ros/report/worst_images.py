# SPDX-License-Identifier: Apache-2.0
"""The worst images of an evaluation: image, truth and prediction side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.types import NO_ID, VOID
from panoptic_ros.data.images import read_image
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.evaluation.evaluate import Comparison
from panoptic_ros.report.samples import blended, data_uri, draw_instances, shown_size

MOST_SHOWN = 6
WRONG_COLOR = (255, 40, 40)


@dataclass(frozen=True)
class WorstImage:
    """One image; ``pq`` is that of this image alone, the images are image data URIs."""

    name: str
    pq: float
    remark: str
    image: str
    truth: str
    predicted: str
    wrong: str


@dataclass
class WorstImages:
    """Keeps the images with the least panoptic quality, and the quality of all.

    Args:
        labels: The classes, for their colours.
    """

    labels: LabelSet
    qualities: list[float] = field(default_factory=list)
    _worst: list[WorstImage] = field(default_factory=list)

    def offer(self, comparison: Comparison) -> None:
        """Keep the image if it is among the worst so far."""
        pq = comparison.score.result().panoptic.all.pq
        if math.isnan(pq):
            return
        self.qualities.append(pq)
        if len(self._worst) == MOST_SHOWN and pq >= self._worst[-1].pq:
            return
        self._worst = sorted([*self._worst, self._shown(comparison, pq)], key=lambda one: one.pq)
        del self._worst[MOST_SHOWN:]

    def worst(self) -> list[WorstImage]:
        """The worst first."""
        return list(self._worst)

    def _shown(self, comparison: Comparison, pq: float) -> WorstImage:
        size = shown_size(*comparison.truth.shape)
        image = _image(comparison, size)
        truth, found = (
            _shrunk(label_map, size)
            for label_map in (comparison.truth.map, comparison.prediction.annotation.map)
        )
        place = f"{comparison.pair.sequence}/" if comparison.pair.sequence else ""
        differs = (truth.labels != VOID) & (truth.labels != found.labels)
        red = np.full_like(image, WRONG_COLOR)
        return WorstImage(
            f"{place}{comparison.pair.truth.name}",
            pq,
            _remark(comparison),
            data_uri(image),
            data_uri(self._drawn(image, truth)),
            data_uri(self._drawn(image, found)),
            data_uri(blended(image, red, differs, 0.6)),
        )

    def _drawn(self, image: NDArray[np.uint8], label_map: LabelMap) -> NDArray[np.uint8]:
        """Colour the classes and outline the objects."""
        colors = self.labels.palette[label_map.labels]
        classes = blended(image, colors, label_map.labels != VOID, 0.62)
        objects = np.where(self.labels.things[label_map.labels], label_map.ids, NO_ID)
        return draw_instances(classes, _numbered(label_map.labels, objects))


def _numbered(labels: NDArray[np.uint8], objects: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Number the objects of an image from 1 where two classes use the same numbers."""
    keys = (labels.astype(np.uint32) << 16) | objects
    keys[objects == NO_ID] = 0
    there, which = np.unique(keys, return_inverse=True)
    if np.unique(there & 0xFFFF).size == there.size:
        return objects
    first = 0 if there[0] == 0 else 1
    return np.asarray(which.reshape(keys.shape) + first, np.uint16)


def _remark(comparison: Comparison) -> str:
    """Which classes went wrong, most mistakes first."""
    report = comparison.score.result()
    wrong = [
        (quality.fn + quality.fp, category.name, quality)
        for category, quality in zip(
            report.categories, report.panoptic.classes.values(), strict=True
        )
    ]
    told = [
        f"{name}: {quality.fn} FN, {quality.fp} FP"
        for count, name, quality in sorted(wrong, key=lambda entry: -entry[0])[:3]
        if count
    ]
    return "; ".join(told)


def _image(comparison: Comparison, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The image, or a grey one where there is none to read."""
    path = comparison.pair.truth.image
    if path is None or not path.is_file():
        return np.full((*size, 3), 128, np.uint8)
    image = read_image(path)
    return np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def _shrunk(label_map: LabelMap, size: tuple[int, int]) -> LabelMap:
    return LabelMap(enlarge(label_map.labels, size), enlarge(label_map.ids, size))
