# SPDX-License-Identifier: Apache-2.0
"""Bags in an S3 server on this machine, over real HTTP, and results back into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from panoptic_ros.fleet.addresses import bags_of
from panoptic_ros.fleet.job import Job
from panoptic_ros.fleet.label_bag import label_bag
from test.drawn.drawn_fleet import street, write_drive
from test.drawn.drawn_inputs import write_bag1
from test.drawn.object_store import object_store

pytest.importorskip("moto")
pytest.importorskip("s3fs")
pytest.importorskip("rosbags")
pytestmark = pytest.mark.filterwarnings("ignore")

JOB = Job("drawn")


@pytest.fixture(scope="module")
def store() -> Iterator[Any]:
    with object_store() as files:
        yield files


def test_bags_of_a_store_give_what_files_give(store: Any, tmp_path: Path) -> None:
    drive = write_drive(tmp_path / "drive.mcap", street(4))
    old = write_bag1(tmp_path / "old.bag")
    store.put_file(str(drive), "drives/night/drive.mcap")
    store.put_file(str(old), "drives/night/old.bag")
    uris = bags_of(["s3://drives/night/"])
    assert [uri.rpartition("/")[2] for uri in uris] == ["drive.mcap", "old.bag"]
    for uri, path in zip(uris, (drive, old), strict=True):
        there = label_bag(uri, str(tmp_path / "there"), JOB)
        here = label_bag(str(path), str(tmp_path / "here"), JOB)
        assert there.error == ""
        assert [one.sha256 for one in there.outputs] == [one.sha256 for one in here.outputs]


def test_results_go_into_a_store_and_are_found_there(store: Any, tmp_path: Path) -> None:
    drive = write_drive(tmp_path / "drive.mcap", street(3))
    first = label_bag(str(drive), "s3://drives/labels", JOB)
    assert first.status == "ok"
    names = {path.rpartition("/")[2] for path in store.find("drives/labels")}
    assert names == {"drive.labels.mcap", "manifest.json"}
    assert label_bag(str(drive), "s3://drives/labels", JOB).status == "skipped"


def test_a_bag_that_is_overwritten_is_labelled_again(store: Any, tmp_path: Path) -> None:
    uri, out = "s3://drives/changing.mcap", str(tmp_path / "out")
    store.put_file(str(write_drive(tmp_path / "a.mcap", street(2))), "drives/changing.mcap")
    assert label_bag(uri, out, JOB).frames == 2
    store.put_file(str(write_drive(tmp_path / "b.mcap", street(3))), "drives/changing.mcap")
    assert (label_bag(uri, out, JOB).status, label_bag(uri, out, JOB).status) == ("ok", "skipped")


def test_a_server_that_goes_away_fails_the_bag_and_is_no_end_of_the_file(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from panoptic_ros.fleet import remote

    drive = write_drive(tmp_path / "gone.mcap", street(3))
    store.put_file(str(drive), "drives/gone.mcap")
    real, calls = remote.RemoteStream.read, []

    def flaky(stream: remote.RemoteStream, size: int = -1) -> bytes:
        calls.append(size)
        if len(calls) > 6:
            stream.failure = "s3://drives/gone.mcap: a request failed (reset)"
            raise OSError(stream.failure)
        return real(stream, size)

    monkeypatch.setattr(remote.RemoteStream, "read", flaky)
    report = label_bag("s3://drives/gone.mcap", str(tmp_path / "out"), JOB)
    assert report.status == "failed"
    assert "a request failed" in report.error
