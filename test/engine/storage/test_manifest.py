# SPDX-License-Identifier: Apache-2.0
"""A manifest survives its file, and a stale key names the field that differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine.storage.manifest import from_json, manifest_path, sha256_of
from test.drawn.plans import KEY, key, manifest

CHANGES: list[tuple[str, Any, str]] = [
    ("onnx_sha256", "b" * 64, "ONNX check sum is aaaaaaaaaaaa, here it is bbbbbbbbbbbb"),
    ("variant", "tensorrt_rtx", "TensorRT variant is tensorrt, here it is tensorrt_rtx"),
    ("version", "11.4.1", "TensorRT version is 10.3.0, here it is 11.4.1"),
    ("gpu", "Thor", "GPU is Orin, here it is Thor"),
    ("compute_capability", "", "compute capability is 8.7, here it is not known"),
    ("precision", "int8", "precision is fp16, here it is int8"),
    ("shape", "512x1024x3", "input shape is 256x512x3, here it is 512x1024x3"),
    ("batch", 3, "batch is 1, here it is 3"),
    ("dla", "0", "DLA core is none, here it is 0"),
    ("rewriting", 9, "version of what build makes of the graph is 1, here it is 9"),
]


@pytest.mark.parametrize(("name", "value", "words"), CHANGES, ids=[row[0] for row in CHANGES])
def test_a_differing_field_is_named_and_makes_another_digest(
    name: str, value: Any, words: str
) -> None:
    other = key(**{name: value})
    assert KEY.differences(other) == (words,)
    assert KEY.digest != other.digest


def test_every_field_of_a_key_has_a_row_in_the_table() -> None:
    assert {row[0] for row in CHANGES} == set(KEY.__dataclass_fields__)


def test_equal_keys_differ_in_nothing() -> None:
    assert KEY.differences(key()) == ()
    assert KEY.digest == key().digest


def test_a_manifest_survives_its_file() -> None:
    written = manifest(plan_sha256="c" * 64, plan_bytes=7)
    assert from_json(written.to_json(), "x") == written


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 3}', manifest().to_json().replace('"gpu"', '"gnu"')],
    ids=["empty", "list", "no format", "other format", "other field"],
)
def test_a_damaged_manifest_is_refused_by_name(text: str) -> None:
    with pytest.raises(ModelError, match=r"street\.plan\.json: is not a manifest"):
        from_json(text, "street.plan.json")


def test_a_manifest_of_an_earlier_version_is_refused_with_both_formats() -> None:
    text = manifest().to_json().replace('"format": 2', '"format": 1')
    former = text.replace('"variant"', '"flavour"')
    assert former != manifest().to_json()
    with pytest.raises(ModelError, match=r"its format is 1, needs 2\); delete it and build again"):
        from_json(former, "street.plan.json")


def test_the_manifest_lies_beside_its_plan() -> None:
    assert manifest_path(Path("a/street.plan")) == Path("a/street.plan.json")


def test_the_check_sum_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a").startswith("ba7816bf8f01cfea")
    with pytest.raises(ModelError, match="cannot be read"):
        sha256_of(tmp_path / "b")
