# SPDX-License-Identifier: Apache-2.0
"""The JSON schema of parameter files takes and refuses what the reader does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.parameter_file import read_parameters
from panoptic_ros.ros.parameter_schema import to_json_schema

jsonschema = pytest.importorskip("jsonschema", reason="through make test")

CONFIG = Path(__file__).parents[2] / "config"
SCHEMA = json.loads(to_json_schema())


def errors(document: Any) -> list[str]:
    return [
        error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)
    ]


def ours(**values: Any) -> dict[str, Any]:
    return {"panoptic": {"ros__parameters": values}}


def test_the_schema_in_config_is_what_the_declarations_write() -> None:
    written = (CONFIG / "panoptic.schema.json").read_text(encoding="utf-8")
    again = "write it again with panoptic_ros.ros.parameter_schema.to_json_schema()"
    assert written == to_json_schema(), again


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted(CONFIG.glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_parameter_files_fit(path: Path) -> None:
    assert errors(yaml.safe_load(path.read_text(encoding="utf-8"))) == []


FITTING: dict[str, Any] = {
    "one value": ours(engine="mine.onnx"),
    "nested": ours(decode={"center_threshold": 0.2}),
    "dotted": ours(**{"decode.center_threshold": 0.2}),
    "in a namespace": {"front": ours(engine="drawn")},
    "any name": {"/**": {"ros__parameters": {"use_sim_time": True}}},
    "another node": {"panoptic": {"ros__parameters": {}}, "driver": {"ros__parameters": {"a": 1}}},
    "quality of service": ours(**{"qos_overrides./a.publisher.depth": 1}),
}
REFUSED: dict[str, Any] = {
    "a misspelt name": ours(engin="drawn"),
    "a misspelt name in a group": ours(decode={"threshold": 0.2}),
    "a misspelt name in a namespace": {"front": ours(engin="drawn")},
    "a misspelt name for any node": {"/**": {"ros__parameters": {"engin": "drawn"}}},
    "above the range": ours(decode={"center_threshold": 1.5}),
    "below the range": ours(**{"decode.center_threshold": -0.1}),
    "no such choice": ours(stale_action="stop"),
    "a word for a number": ours(engine_threads="two"),
    "a word for a list": ours(cameras="front"),
    "no node": {},
}


def read(document: Any, folder: Path) -> None:
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    read_parameters(path)


@pytest.mark.parametrize("document", FITTING.values(), ids=FITTING.keys())
def test_what_the_node_reads_fits(document: Any, tmp_path: Path) -> None:
    read(document, tmp_path)
    assert errors(document) == []


@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED.keys())
def test_what_the_node_refuses_does_not_fit(document: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        read(document, tmp_path)
    assert errors(document) != []
