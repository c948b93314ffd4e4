# SPDX-License-Identifier: Apache-2.0
"""A JSON schema of parameter files, so that editors complete and check them.

Source: JSON Schema, draft 2020-12; the form of the file is ``rcl_yaml_param_parser``'s.
"""

from __future__ import annotations

import json
from typing import Any

from panoptic_ros.core.node_config import DECLARED
from panoptic_ros.core.parameters import Parameter
from panoptic_ros.ros.parameters import UNCONFIGURED_ONLY, ros_value

_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_OUR_NODE = r"(^|/)(panoptic|\*|\*\*)$"
_NAMESPACE = r"^(?!ros__parameters$)(?!(.*/)?(panoptic|\*|\*\*)$)"


def to_json_schema() -> str:
    """Write the schema of ``config/*.yaml`` as JSON.

    Blocks of nodes that are not called ``panoptic`` and have no wildcard are not looked at.
    """
    names = {_OUR_NODE: {"$ref": "#/$defs/node"}, _NAMESPACE: {"$ref": "#/$defs/names"}}
    schema = {
        "$schema": _DIALECT,
        "title": "Parameters of panoptic_node",
        "$ref": "#/$defs/names",
        "minProperties": 1,
        "$defs": {
            "names": {"type": "object", "patternProperties": names},
            "node": {
                "type": "object",
                "properties": {"ros__parameters": {"$ref": "#/$defs/parameters"}},
            },
            "parameters": _group(""),
        },
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _group(prefix: str) -> dict[str, Any]:
    """Describe the parameters below a prefix; dotted names are taken as nested ones are."""
    properties: dict[str, Any] = {}
    for name, entry in DECLARED.items():
        if not name.startswith(prefix):
            continue
        head, dot, _ = name.removeprefix(prefix).partition(".")
        properties[name.removeprefix(prefix)] = _value(entry)
        if dot and head not in properties:
            properties[head] = _group(f"{prefix}{head}.")
    found: dict[str, Any] = {"type": "object", "properties": properties}
    if not prefix:
        properties["use_sim_time"] = {"type": "boolean"}
        properties["start_type_description_service"] = {"type": "boolean"}
        properties["qos_overrides"] = {"type": "object"}
        found["patternProperties"] = {r"^qos_overrides\.": {}}
    return found | {"additionalProperties": False}


def _value(entry: Parameter) -> dict[str, Any]:
    """Describe one parameter."""
    about: dict[str, Any] = {"description": _words(entry), "default": ros_value(entry)}
    if isinstance(entry.default, tuple):
        return about | {"type": "array", "items": {"type": _TYPES[type(entry.default[0])]}}
    about["type"] = _TYPES[type(entry.default)]
    if entry.choices:
        about["enum"] = list(entry.choices)
    if entry.low is not None:
        about["minimum"] = entry.low
    if entry.high is not None:
        about["maximum"] = entry.high
    return about


def _words(entry: Parameter) -> str:
    return entry.description if entry.live else f"{entry.description} {UNCONFIGURED_ONLY}"
