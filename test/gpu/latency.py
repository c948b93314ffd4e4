# SPDX-License-Identifier: Apache-2.0
"""The table of latencies: what a plan takes alone and what a whole frame takes, stage by stage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from panoptic_ros.core.types import Frame
from panoptic_ros.engine.storage.manifest import Manifest
from panoptic_ros.engine.trt import TrtEngine
from panoptic_ros.report.timing import WHOLE, batch_rate, measure


@dataclass(frozen=True)
class Row:
    """One engine's figures.

    Attributes:
        name: Model, precision, batch, and whether a CUDA graph is used.
        stages_ms: Percentiles by stage.
        frames_per_s: Of the network alone and of all stages one by one.
        batch: Figures of whole batches, empty for engines of one image.
        gpu_memory_mib: What the engine takes.
        plan_mb: Size of the plan.
        build_s: How long TensorRT built.
        parity: Agreement with ONNX Runtime when the plan was built.
    """

    name: str
    stages_ms: dict[str, dict[str, float]]
    frames_per_s: dict[str, float]
    batch: dict[str, float]
    gpu_memory_mib: float
    plan_mb: float
    build_s: float
    parity: dict[str, float]


def row(
    engine: TrtEngine, manifest: Manifest, frames: Sequence[Frame], count: int, warmup: int = 50
) -> Row:
    """Measure an engine."""
    (laps,) = measure([engine], frames, count, warmup)
    key = manifest.key
    graph = "graph" if "CUDA graph" in engine.description else "no graph"
    return Row(
        f"{manifest.model} {key.precision}, batch {key.batch}, {graph}",
        laps.percentiles(),
        laps.frames_per_s(),
        batch_rate(engine, count, warmup),
        round(engine.memory_bytes / 2**20, 1),
        round(manifest.plan_bytes / 1e6, 1),
        manifest.build_s,
        dict(manifest.parity),
    )


def write(rows: Sequence[Row], about: str, path: Path) -> str:
    """Write the table as JSON; give it back as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"about": about, "rows": [asdict(each) for each in rows]}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    lines = [about, f"{'engine':<52}{'infer p50':>10}{'p99':>8}{'whole p50':>10}{'frames/s':>10}"]
    for each in rows:
        infer, whole = each.stages_ms["infer"], each.stages_ms[WHOLE]
        rate = each.batch.get("images_per_s", each.frames_per_s["infer"])
        lines.append(
            f"{each.name:<52}{infer['p50']:>10.2f}{infer['p99']:>8.2f}{whole['p50']:>10.2f}"
            f"{rate:>10.1f}"
        )
    return "\n".join(lines)
