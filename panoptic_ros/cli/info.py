# SPDX-License-Identifier: Apache-2.0
"""``panoptic info``: what a model file says about itself, and which runtimes here can run it."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panoptic_ros.cli.printing.outputs import byte_words
from panoptic_ros.core.classes.labels import Label
from panoptic_ros.core.errors import DataError, ModelError, counted

if TYPE_CHECKING:
    from panoptic_ros.core.model import ModelSpec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", help="a shipped model's name, an .onnx or a .plan file")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(args: argparse.Namespace) -> int:
    """Describe the model, or what a plan was built from and how it was checked."""
    from panoptic_ros.engine.models import find_engine

    path = find_engine(args.model)
    if path.suffix == ".plan":
        _show_plan(path, args.json)
        return 0
    facts = _model_facts(path)
    if args.json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        _show(facts)
    return 0


def _show_plan(path: Path, is_json: bool) -> None:
    from panoptic_ros.cli.models.build_words import show_plan
    from panoptic_ros.core.model import read_metadata
    from panoptic_ros.engine.storage.cache import read_plan

    _, manifest = read_plan(path)
    spec = read_metadata(manifest.metadata, path.name)
    facts = _facts(path, manifest.plan_sha256, spec, _runtime_of(manifest.key.variant))
    if is_json:
        print(json.dumps({**facts, **asdict(manifest)}, indent=2, ensure_ascii=False))
    else:
        show_plan(path, manifest, f"{manifest.key.variant} {manifest.key.version}")
        _show(facts)


def _model_facts(path: Path) -> dict[str, Any]:
    from panoptic_ros.engine.ort import OrtEngine
    from panoptic_ros.engine.storage.manifest import sha256_of

    with closing(OrtEngine(path)) as engine:
        spec = engine.spec
    return _facts(path, sha256_of(path), spec, _runtimes())


def _facts(
    path: Path, check_sum: str, spec: ModelSpec, runtimes: dict[str, str]
) -> dict[str, Any]:
    return {
        "file": str(path),
        "bytes": _size(path),
        "sha256": check_sum,
        "name": spec.name,
        "kind": spec.decoder,
        "input": {"width": spec.width, "height": spec.height, "pixels": "RGB uint8"},
        "licence": spec.license,
        "provenance": spec.provenance,
        "label_set": spec.labels.name,
        "classes": [_class(label) for label in spec.labels.labels],
        "runtimes": runtimes,
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _class(label: Label) -> dict[str, Any]:
    return {
        "index": label.index,
        "name": label.name,
        "is_thing": label.is_thing,
        "is_drivable": label.is_drivable,
        "color": "#{:02x}{:02x}{:02x}".format(*label.color),
    }


def _runtimes() -> dict[str, str]:
    """What is installed here that can run a model, each with its version or providers."""
    import onnxruntime

    from panoptic_ros.engine.variant import installed_variants

    providers = ", ".join(onnxruntime.get_available_providers())
    found = {"ONNX Runtime": f"{onnxruntime.__version__} ({providers})", **_openvino()}
    for variant in installed_variants():
        found[variant] = "installed; builds a plan first, see panoptic build"
    return found


def _runtime_of(variant: str) -> dict[str, str]:
    """The one library that can run a plan, and whether it is here."""
    from panoptic_ros.engine.storage.manifest import OPENVINO
    from panoptic_ros.engine.variant import installed_variants

    if variant == OPENVINO:
        return _openvino() or {"OpenVINO": "not installed"}
    return {variant: "installed" if variant in installed_variants() else "not installed"}


def _openvino() -> dict[str, str]:
    """Version and devices of OpenVINO, or why it cannot be loaded; empty where it is missing."""
    from panoptic_ros.engine.openvino import open_core, openvino_version

    if find_spec("openvino") is None:
        return {}
    try:
        devices = ", ".join(open_core().available_devices)
        return {"OpenVINO": f"{openvino_version()} ({devices})"}
    except ModelError as error:
        return {"OpenVINO": str(error)}


def _show(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    # Names and licences may hold brackets, which rich would take for styles.
    console = Console(markup=False, highlight=False)
    given = facts["input"]
    for title, value in (
        ("model", f"{facts['name']}, kind {facts['kind']}"),
        ("input", f"{given['width']}x{given['height']} {given['pixels']}"),
        ("file", f"{facts['file']} ({byte_words(facts['bytes'])})"),
        ("sha256", facts["sha256"]),
        ("licence", facts["licence"] or "not stated"),
        ("provenance", facts["provenance"] or "not stated"),
        *((name, value) for name, value in facts["runtimes"].items()),
    ):
        console.print(f"{title}: {value}", soft_wrap=True)
    classes = counted(len(facts["classes"]), "class", "classes")
    table = Table(title=f"{classes} of label set {facts['label_set']}")
    for head in ("index", "class", "thing or stuff", "drivable", "colour"):
        table.add_column(head)
    for entry in facts["classes"]:
        table.add_row(
            str(entry["index"]),
            entry["name"],
            "thing" if entry["is_thing"] else "stuff",
            "yes" if entry["is_drivable"] else "",
            entry["color"],
        )
    console.print(table)
