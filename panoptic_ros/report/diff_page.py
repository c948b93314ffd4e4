# SPDX-License-Identifier: Apache-2.0
"""The page about how the results of two models differ, with the worst frames side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.geometry import enlarge
from panoptic_ros.core.types import VOID
from panoptic_ros.evaluation.difference import (
    MEASURES,
    Difference,
    FrameDifference,
    SideFrame,
)
from panoptic_ros.report import charts
from panoptic_ros.report.samples import blended, data_uri, draw_instances, shown_size
from panoptic_ros.report.template import filled, write_html

TEMPLATE = "diff_page.html.j2"
MOST_SHOWN = 6
DIFFERS_COLOR = (255, 40, 40)
APART_NS = 1_000_000_000


@dataclass(frozen=True)
class WorstFrame:
    """A frame in which the two differ much; the images are data URIs."""

    difference: FrameDifference
    a: str
    b: str
    differs: str


@dataclass
class WorstFrames:
    """Keeps the frames with the least panoptic quality of B against A, one per second.

    Args:
        labels: The classes, for their colours.
    """

    labels: LabelSet
    _worst: list[WorstFrame] = field(default_factory=list)

    def offer(self, difference: FrameDifference, a: SideFrame, b: SideFrame) -> None:
        """Keep the frame if it is among the worst so far."""
        near = [one for one in self._worst if self._is_near(one.difference, difference)]
        rivals = near or (self._worst if len(self._worst) == MOST_SHOWN else [])
        if rivals and difference.pq >= max(one.difference.pq for one in rivals):
            return
        kept = [one for one in self._worst if one not in near]
        shown = [*kept, self._shown(difference, a, b)]
        self._worst = sorted(shown, key=lambda one: one.difference.pq)[:MOST_SHOWN]

    def worst(self) -> list[WorstFrame]:
        """The worst first."""
        return list(self._worst)

    @staticmethod
    def _is_near(one: FrameDifference, other: FrameDifference) -> bool:
        return abs(one.stamp_ns - other.stamp_ns) < APART_NS

    def _shown(self, difference: FrameDifference, a: SideFrame, b: SideFrame) -> WorstFrame:
        size = shown_size(*a.labels.shape)
        image = _image(a if a.image is not None else b, size)
        before, after = enlarge(a.labels, size), enlarge(b.labels, size)
        red = np.full_like(image, DIFFERS_COLOR)
        return WorstFrame(
            difference,
            data_uri(self._drawn(image, before, enlarge(a.ids, size))),
            data_uri(self._drawn(image, after, enlarge(b.ids, size))),
            data_uri(blended(image, red, before != after, 0.6)),
        )

    def _drawn(
        self, image: NDArray[np.uint8], labels: NDArray[np.uint8], ids: NDArray[np.uint16]
    ) -> NDArray[np.uint8]:
        colors = self.labels.palette[labels]
        return draw_instances(blended(image, colors, labels != VOID, 0.62), ids)


def write_diff_page(
    path: Path,
    title: str,
    sides: Mapping[str, str],
    difference: Difference,
    worst: Sequence[WorstFrame],
    exceeded: Sequence[str],
) -> None:
    """Write the page.

    Args:
        path: The file.
        title: Its headline.
        sides: What A and B are, in words.
        difference: The two sides, compared.
        worst: The worst frames.
        exceeded: What was over its limit, one sentence each.

    Raises:
        ConfigError: Jinja2 is not installed.
        DataError: The file cannot be written.
    """
    found = difference.document()
    content = {
        "title": title,
        "sides": sides,
        "found": found,
        "measures": [(name, MEASURES[name], value) for name, value in found["measures"].items()],
        "exceeded": exceeded,
        "worst": worst,
        "chart": _chart(difference),
    }
    write_html(path, filled(TEMPLATE, content))


def _chart(difference: Difference) -> str:
    frames = difference.frames
    if not frames:
        return ""
    seconds = [(frame.stamp_ns - frames[0].stamp_ns) / 1e9 for frame in frames]
    series = [
        charts.Series("pixels", [100 * frame.pixels for frame in frames], "var(--accent)"),
        charts.Series("PQ", [100 * (1 - frame.pq) for frame in frames], "var(--warn)"),
    ]
    return charts.line_chart(seconds, series, "s", "percent")


def _image(side: SideFrame, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The image, or a grey one where there is none."""
    if side.image is None:
        return np.full((*size, 3), 128, np.uint8)
    whole = np.ascontiguousarray(side.image)
    return np.asarray(cv2.resize(whole, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def summary(measures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a terminal shows of the measures: their values and what they mean."""
    return [(f"{value:.2f}", f"{name}: {MEASURES[name]}") for name, value in measures.items()]
