# SPDX-License-Identifier: Apache-2.0
"""Small inline SVG charts: no script, no outside file, colours from the page's style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, HEIGHT = 560, 210
TIMELINE_WIDTH = 1120
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 12, 30
MOST_POINTS = 600
"""Longer series are thinned, keeping the largest value of each step."""


@dataclass(frozen=True)
class Series:
    """One line or layer: y values over the chart's x values; ``color`` is any CSS colour."""

    name: str
    values: Sequence[float]
    color: str


def line_chart(x: Sequence[float], series: Sequence[Series], x_title: str, y_title: str) -> str:
    """Draw lines over a common x axis; empty text where there is nothing to draw."""
    if len(x) < 2 or not series:
        return ""
    top = _round_up(max(max(entry.values) for entry in series))
    area = _Area(x[0], x[-1], 0.0, top)
    lines = [
        f'<polyline fill="none" stroke="{entry.color}" stroke-width="1.6" '
        f'points="{area.points(*_thinned(x, entry.values))}"><title>{escape(entry.name)}</title>'
        "</polyline>"
        for entry in series
    ]
    return _svg(area.axes(x_title, y_title) + "".join(lines))


def stacked_chart(x: Sequence[float], series: Sequence[Series], x_title: str) -> str:
    """Draw shares (0..1) on top of each other; the first series lies at the bottom."""
    if len(x) < 2 or not series:
        return ""
    area = _Area(x[0], x[-1], 0.0, 1.0)
    step = max(1, len(x) // MOST_POINTS)
    xs = list(x[::step])
    below = np.zeros(len(xs))
    layers = []
    for entry in series:
        above = below + np.asarray(entry.values[::step])
        outline = area.points(xs + xs[::-1], [*above, *below[::-1]])
        layers.append(
            f'<polygon fill="{entry.color}" points="{outline}">'
            f"<title>{escape(entry.name)}</title></polygon>"
        )
        below = above
    return _svg(area.axes(x_title, "share of the image") + "".join(layers))


def histogram(
    values: Sequence[float],
    x_title: str,
    marks: Sequence[tuple[str, float]],
    y_title: str = "frames",
) -> str:
    """Draw how often values occur, with named marks on the x axis."""
    if len(values) < 2:
        return ""
    # One slow frame must not press all others into one bar; the last bar takes the rest.
    end = _round_up(float(np.percentile(values, 99.5)) * 1.05)
    counts, edges = np.histogram(np.clip(values, 0, end), bins=40, range=(0.0, end))
    area = _Area(0.0, end, 0.0, _round_up(float(counts.max())))
    bars = []
    for count, start, stop in zip(counts.tolist(), edges[:-1], edges[1:], strict=True):
        x0, x1, y = area.x(start), area.x(stop), area.y(count)
        bars.append(
            f'<rect class="bar" x="{x0 + 0.5:.1f}" y="{y:.1f}" width="{x1 - x0 - 1:.1f}" '
            f'height="{HEIGHT - BOTTOM - y:.1f}"><title>{start:.1f} to {stop:.1f}: '
            f"{count}</title></rect>"
        )
    lines = [_mark(area, name, value, row) for row, (name, value) in enumerate(marks)]
    return _svg(area.axes(x_title, y_title) + "".join(bars) + "".join(lines))


@dataclass(frozen=True)
class Row:
    """One row of a timeline: a name, a colour and (start, end) spans in seconds."""

    name: str
    color: str
    spans_s: Sequence[tuple[float, float]]


def timeline(rows: Sequence[Row], end_s: float, x_title: str) -> str:
    """Draw the spans of every row over time; empty text where there is nothing to draw."""
    if not rows or end_s <= 0:
        return ""
    step, left = 15, 120
    height = TOP + step * len(rows) + BOTTOM
    area = _Area(0.0, end_s, 0.0, 1.0, left, height, TIMELINE_WIDTH)
    parts = [area.axes(x_title, "", y_ticks=False)]
    for index, row in enumerate(rows):
        y = TOP + index * step
        parts.append(
            f'<text class="name" x="{left - 8}" y="{y + 11}" text-anchor="end">'
            f"{escape(row.name)}</text>"
        )
        for start, stop in row.spans_s:
            x0 = area.x(start)
            width = max(2.0, area.x(stop) - x0)
            parts.append(
                f'<rect x="{x0:.1f}" y="{y + 2}" width="{width:.1f}" height="{step - 4}" rx="3" '
                f'fill="{row.color}"><title>{escape(row.name)}: {start:.2f} s to {stop:.2f} s'
                "</title></rect>"
            )
    return _svg("".join(parts), height, TIMELINE_WIDTH)


@dataclass(frozen=True)
class Ribbon:
    """One row of ``ribbons``: pieces (start, end, colour, what it is) and marks (where, what)."""

    name: str
    pieces: Sequence[tuple[float, float, str, str]]
    marks: Sequence[tuple[float, str]]


def ribbons(rows: Sequence[Ribbon], end: float, x_title: str) -> str:
    """Draw rows whose colour changes along x; empty text where there is nothing to draw."""
    if not rows or end <= 0:
        return ""
    step, left = 16, 120
    height = TOP + step * len(rows) + BOTTOM
    area = _Area(0.0, end, 0.0, 1.0, left, height, TIMELINE_WIDTH)
    parts = [area.axes(x_title, "", y_ticks=False)]
    for index, row in enumerate(rows):
        parts.append(_ribbon(area, row, TOP + index * step, step))
    return _svg("".join(parts), height, TIMELINE_WIDTH)


def _ribbon(area: _Area, row: Ribbon, y: int, step: int) -> str:
    parts = [
        f'<text class="name" x="{area.left - 8}" y="{y + 12}" text-anchor="end">'
        f"{escape(row.name)}</text>"
    ]
    for start, stop, color, what in row.pieces:
        x0 = area.x(start)
        width = max(1.0, area.x(stop) - x0)
        parts.append(
            f'<rect x="{x0:.1f}" y="{y + 3}" width="{width:.1f}" height="{step - 6}" '
            f'fill="{color}"><title>{escape(f"{row.name}: {what}")}</title></rect>'
        )
    for where, what in row.marks:
        x = area.x(where)
        parts.append(
            f'<path class="switch" d="M{x:.1f} {y + step - 1} l-4 -{step - 3} l8 0 z">'
            f"<title>{escape(f'{row.name}: {what}')}</title></path>"
        )
    return "".join(parts)


@dataclass(frozen=True)
class _Area:
    """From values to pixels of the drawing."""

    x_first: float
    x_last: float
    y_first: float
    y_last: float
    left: int = LEFT
    height: int = HEIGHT
    width: int = WIDTH

    def x(self, value: float) -> float:
        span = (self.x_last - self.x_first) or 1.0
        return self.left + (value - self.x_first) / span * (self.width - self.left - RIGHT)

    def y(self, value: float) -> float:
        span = (self.y_last - self.y_first) or 1.0
        inner = self.height - TOP - BOTTOM
        return self.height - BOTTOM - (value - self.y_first) / span * inner

    def points(self, x: Sequence[float], y: Sequence[float]) -> str:
        return " ".join(f"{self.x(a):.1f},{self.y(b):.1f}" for a, b in zip(x, y, strict=True))

    def axes(self, x_title: str, y_title: str, y_ticks: bool = True) -> str:
        floor = self.height - BOTTOM
        parts = []
        for value in _ticks(self.y_first, self.y_last) if y_ticks else ():
            y = self.y(value)
            parts.append(
                f'<line class="grid" x1="{self.left}" x2="{self.width - RIGHT}" y1="{y:.1f}" '
                f'y2="{y:.1f}"/><text x="{self.left - 6}" y="{y + 4:.1f}" text-anchor="end">'
                f"{value:g}</text>"
            )
        for value in _ticks(self.x_first, self.x_last):
            x = self.x(value)
            parts.append(
                f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{floor}"/>'
                f'<text x="{x:.1f}" y="{floor + 14}" text-anchor="middle">{value:g}</text>'
            )
        middle = (TOP + floor) / 2
        parts.append(
            f'<text x="{self.width - RIGHT}" y="{self.height - 3}" text-anchor="end">'
            f"{escape(x_title)}</text>"
            f'<text transform="translate(11 {middle:.0f}) rotate(-90)" text-anchor="middle">'
            f"{escape(y_title)}</text>"
        )
        return "".join(parts)


def _mark(area: _Area, name: str, value: float, row: int) -> str:
    x = min(area.x(value), WIDTH - RIGHT)
    # Marks may lie close together: each writes one line lower than the one before.
    y = TOP + 10 + 14 * row
    return (
        f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        f'<text class="name" x="{min(x + 4, WIDTH - 80):.1f}" y="{y}">'
        f"{escape(name)} {value:.1f}</text>"
    )


def _svg(inside: str, height: int = HEIGHT, width: int = WIDTH) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img">{inside}</svg>'


def _thinned(x: Sequence[float], y: Sequence[float]) -> tuple[list[float], list[float]]:
    step = max(1, -(-len(x) // MOST_POINTS))
    starts = range(0, len(x), step)
    return [x[start] for start in starts], [max(y[start : start + step]) for start in starts]


def _ticks(first: float, last: float) -> list[float]:
    """About five round numbers in the range."""
    span = last - first
    if span <= 0:
        return [first]
    raw = span / 5
    size = 10.0 ** np.floor(np.log10(raw))
    step = float(next(size * part for part in (1, 2, 5, 10) if size * part >= raw))
    start = np.ceil(first / step)
    count = int(np.floor(last / step + 1e-9) - start) + 1
    return [round(float((start + index) * step), 10) for index in range(count)]


def _round_up(value: float) -> float:
    """Next round number above a value, at least 1e-6.

    >>> _round_up(33.0), _round_up(101.0)
    (40.0, 120.0)
    """
    value = max(value, 1e-6)
    size = 10.0 ** np.floor(np.log10(value))
    parts = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    return float(round(next(size * part for part in parts if size * part >= value * 0.9999), 9))
