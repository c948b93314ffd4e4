# SPDX-License-Identifier: Apache-2.0
"""What a node published, matched with truth by stamp."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.label_documents import find_label_set
from panoptic_ros.core.classes.label_table import NameRules
from panoptic_ros.core.errors import ConfigError, DataError, counted
from panoptic_ros.core.types import NO_ID, VOID, Drivable
from panoptic_ros.data.annotation import MapAnnotation
from panoptic_ros.data.class_map import LabelMapTable
from panoptic_ros.data.label_files import LabelFiles, Pair
from panoptic_ros.data.label_map import LabelMap
from panoptic_ros.evaluation.prediction import EvalTask, Prediction
from panoptic_ros.recordings.published import Published, PublishedResults


def class_names(results: PublishedResults, labels: str | None) -> list[str]:
    """Names of the classes in a bag, by index.

    Args:
        results: The bag.
        labels: Name of a shipped label set, or a file; None for what the bag says.

    Raises:
        ConfigError: There is no such label set.
        DataError: The bag does not say it.
    """
    if labels is not None:
        return [label.name for label in find_label_set(labels).labels]
    if not results.names:
        raise DataError(
            f"{results.node}/label_info is not in the bag, so its classes are not known; name "
            "their label set with --labels, e.g. --labels cityscapes"
        )
    return [results.names.get(index, "") for index in range(max(results.names) + 1)]


@dataclass(eq=False)
class BagPredictor:
    """Fetches what was published for every labelled image.

    Attributes:
        results: The bag.
        truth: The data set.
        recode: From the bag's classes to those of the truth.
        stamped: The labelled images by rising stamp.
        tolerance_ns: How far stamps may be apart.
        counts_missing: Whether an image without a result counts as one of which nothing was
            said; otherwise it is left out.
        remarks: What was found on the way, filled by ``tasks``.
    """

    results: PublishedResults
    truth: LabelFiles
    recode: LabelMapTable
    stamped: list[tuple[int, Pair]]
    tolerance_ns: int
    counts_missing: bool
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stamps = [stamp for stamp, _ in self.stamped]

    def tasks(self) -> Iterator[EvalTask]:
        """Yield the images in the order of their stamps.

        Raises:
            DataError: An image of the bag is not what it should be, or no stamp fits.
        """
        done, answered, strangers = 0, 0, 0
        seen: list[int] = []
        for frame in self.results.frames():
            seen.append(frame.stamp_ns)
            place = self._place(frame.stamp_ns)
            if place is None or place < done:
                strangers += 1
                continue
            yield from self._unanswered(done, place)
            pair = self.stamped[place][1]
            yield pair, partial(self._answer, frame)
            done, answered = place + 1, answered + 1
        if not answered:
            raise DataError(self._nothing_fits(seen))
        yield from self._unanswered(done, len(self.stamped))
        self._remark(answered, strangers)

    def _place(self, stamp_ns: int) -> int | None:
        """Number of the labelled image of a stamp."""
        stamps = self._stamps
        after = bisect_left(stamps, stamp_ns)
        near = [place for place in (after - 1, after) if 0 <= place < len(stamps)]
        best = min(near, key=lambda place: abs(stamps[place] - stamp_ns))
        return best if abs(stamps[best] - stamp_ns) <= self.tolerance_ns else None

    def _unanswered(self, first: int, end: int) -> Iterator[EvalTask]:
        if self.counts_missing:
            for _, pair in self.stamped[first:end]:
                yield pair, partial(self._silence, pair)

    def _silence(self, pair: Pair) -> Prediction:
        shape = pair.truth.read().shape
        return self._annotated(
            np.full(shape, VOID, np.uint8),
            np.full(shape, NO_ID, np.uint16),
            np.zeros(shape, np.uint8),
            np.zeros(shape, np.uint8),
            f"{pair.truth.name}, not published",
        )

    def _answer(self, frame: Published) -> Prediction:
        image = self.recode.apply(LabelMap(frame.labels, frame.ids))
        return self._annotated(
            image.labels,
            image.ids,
            frame.confidence,
            frame.drivable,
            f"{self.results.node} at {frame.stamp_ns / 1e9:.9f} s",
        )

    def _annotated(
        self,
        labels: NDArray[np.uint8],
        ids: NDArray[np.uint16],
        confidence: NDArray[np.uint8] | None,
        drivable: NDArray[np.uint8] | None,
        name: str,
    ) -> Prediction:
        surface = None
        if drivable is not None:
            mask = drivable > 0
            sure = drivable if confidence is None else confidence
            nothing = np.zeros(mask.shape[1], np.int32)
            surface = Drivable(mask, np.where(mask, sure, 0).astype(np.uint8), nothing)
        annotation = MapAnnotation(LabelMap(labels, ids), self.truth.categories, is_truth=False)
        return Prediction(annotation, confidence, surface, name)

    def _nothing_fits(self, seen: list[int]) -> str:
        ours = self._stamps
        if not seen:
            return f"{self.results.node}: the bag holds no complete frame"
        return (
            f"no labelled image has a stamp of the bag: it has {counted(len(seen), 'frame')} from "
            f"{min(seen) / 1e9:.3f} to {max(seen) / 1e9:.3f} s, the truth from "
            f"{ours[0] / 1e9:.3f} to {ours[-1] / 1e9:.3f} s; see --stamps"
        )

    def _remark(self, answered: int, strangers: int) -> None:
        total = len(self.stamped)
        if answered < total:
            what = "counts as nothing predicted" if self.counts_missing else "is left out"
            self.remarks.append(
                f"{answered} of {total} labelled images were published; the rest {what}."
            )
        if strangers:
            hint = "; are the stamps right (--fps, --stamps)?" if strangers > answered else "."
            self.remarks.append(f"{strangers} published frames have no truth of their own{hint}")
        self.remarks.extend(self.results.read_errors.notes)


@dataclass(frozen=True)
class BagOptions:
    """How a bag is matched with truth.

    Attributes:
        labels: Name of a shipped label set, or a file; None for what the bag says.
        tolerance_ms: How far stamps may be apart.
        counts_missing: Whether an image without a result counts as one of which nothing was said.
    """

    labels: str | None = None
    tolerance_ms: float = 1.0
    counts_missing: bool = False


def open_bag_predictor(
    results: PublishedResults,
    truth: LabelFiles,
    stamped: list[tuple[int, Pair]],
    rules: NameRules,
    options: BagOptions,
) -> BagPredictor:
    """Prepare to score a bag.

    Args:
        results: The bag.
        truth: The data set, in the classes in which it is scored.
        stamped: The labelled images by rising stamp.
        rules: Where the class names differ.
        options: How they are matched.

    Raises:
        ConfigError: A value makes no sense.
        DataError: The classes of the bag are not known, or none is the truth's.
    """
    if not 0 <= options.tolerance_ms < math.inf:
        raise ConfigError(f"--tolerance-ms is {options.tolerance_ms}, needs 0 or more ms")
    recode = LabelMapTable(class_names(results, options.labels), truth.categories, rules)
    tolerance_ns = round(options.tolerance_ms * 1e6)
    return BagPredictor(results, truth, recode, stamped, tolerance_ns, options.counts_missing)
