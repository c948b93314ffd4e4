# SPDX-License-Identifier: Apache-2.0
"""The table of a demo's figures in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panoptic_ros.report.record import RunRecord


def print_table(record: RunRecord) -> None:
    """Print the run's figures."""
    from rich.console import Console
    from rich.table import Table

    from panoptic_ros.report.record import DROPPED_AT

    stats = record.stats()
    latency, frames = stats["latency_ms"], stats["frames"]
    lost_at = [(f"  {DROPPED_AT[stage]}", count) for stage, count in record.dropped_at.items()]
    table = Table()
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in (
        ("frames in", frames["in"]),
        ("frames processed", frames["processed"]),
        ("frames without a result", frames["dropped"]),
        *lost_at,
        ("frames that could not be used", frames["skipped"]),
        ("frames that came late", frames["late"]),
        ("latency p50", f"{latency['p50']:.1f} ms"),
        ("latency p95", f"{latency['p95']:.1f} ms"),
        ("latency p99", f"{latency['p99']:.1f} ms"),
        ("tracks", stats["tracks"]["count"]),
        ("drivable share", f"{100 * stats['drivable_share']:.1f} %"),
    ):
        table.add_row(name, str(value))
    # Paths may hold brackets, which rich would take for styles.
    console = Console(markup=False)
    console.print(f"{record.source}\n{record.engine}", highlight=False)
    console.print(table)
    for note in (*record.all_warnings(), *record.notes):
        console.print(note, highlight=False)
