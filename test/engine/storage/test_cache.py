# SPDX-License-Identifier: Apache-2.0
"""Plans on disk: stale, cut off, damaged, built by two at once, on full and read-only disks."""

from __future__ import annotations

import errno
import multiprocessing
import os
import re
import threading
import time
from pathlib import Path

import pytest

from panoptic_ros.core.errors import ModelError, StaleEngineError
from panoptic_ros.engine.storage import cache
from panoptic_ros.engine.storage.manifest import Manifest, manifest_path
from test.drawn.plans import KEY, key, manifest

PLAN = b"a plan" * 100


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = cache.plan_path(tmp_path, "street", KEY)
    cache.write_plan(path, PLAN, manifest())
    return path


def test_a_plan_comes_back_as_it_was_written(plan: Path) -> None:
    content, read = cache.read_plan(plan)
    assert content == PLAN
    assert (read.plan_bytes, read.key) == (len(PLAN), KEY)
    assert sorted(path.name for path in plan.parent.iterdir()) == [plan.name, plan.name + ".json"]


def test_a_plan_cut_off_is_refused(plan: Path) -> None:
    plan.write_bytes(PLAN[:10])
    with pytest.raises(ModelError, match=r"cut off.*10 of 600 bytes.*panoptic build street.onnx"):
        cache.read_plan(plan)


def test_a_damaged_plan_is_answered_with_what_makes_it_again(tmp_path: Path) -> None:
    plan = tmp_path / "robot.plan"
    made = manifest(key=key(variant="openvino", precision="int8"), options={"device": "GPU"})
    cache.write_plan(plan, b"x" * 9, made)
    plan.write_bytes(b"x" * 8)
    command = "panoptic build street.onnx --runtime openvino --openvino-device GPU"
    with pytest.raises(ModelError) as told:
        cache.read_plan(plan)
    assert str(told.value).endswith(f"{command} --precision int8 --images DIR --out {plan}")


def test_a_plan_with_one_changed_byte_is_refused(plan: Path) -> None:
    plan.write_bytes(b"A" + PLAN[1:])
    with pytest.raises(ModelError, match="is damaged"):
        cache.read_plan(plan)


def test_a_plan_without_manifest_is_refused(plan: Path) -> None:
    manifest_path(plan).unlink()
    with pytest.raises(ModelError, match="nobody knows what the plan was built for"):
        cache.read_plan(plan)


def test_a_stale_plan_names_the_field_and_the_command() -> None:
    words = r"street.plan: TensorRT version is 10.3.0, here it is 11.4.1; .*--precision fp16"
    with pytest.raises(StaleEngineError, match=words):
        cache.check_fresh(Path("street.plan"), KEY, key(version="11.4.1"))


def test_a_stale_plan_names_the_callers_command_where_there_is_one() -> None:
    with pytest.raises(StaleEngineError, match=r"; run: panoptic build --batch 4$"):
        cache.check_fresh(Path("a.plan"), KEY, key(gpu="Thor"), "panoptic build --batch 4")


def test_the_cache_finds_the_plan_of_a_key(plan: Path) -> None:
    assert cache.find_plan(plan.parent, "street", KEY) == (plan, "")


def test_the_cache_says_how_the_nearest_plan_differs(plan: Path) -> None:
    cache.write_plan(
        cache.plan_path(plan.parent, "street", key(gpu="Thor", precision="int8")),
        PLAN,
        manifest(key=key(gpu="Thor", precision="int8")),
    )
    found, why = cache.find_plan(plan.parent, "street", key(precision="fp32"))
    assert found is None
    assert why == f"{plan.name}: precision is fp16, here it is fp32"


def test_an_empty_cache_says_so(tmp_path: Path) -> None:
    found, why = cache.find_plan(tmp_path / "none", "street", KEY)
    assert found is None
    assert why.startswith("there is no plan of street in ")


def test_a_damaged_plan_is_not_found_but_explained(plan: Path) -> None:
    plan.write_bytes(b"")
    found, why = cache.find_plan(plan.parent, "street", KEY)
    assert found is None
    assert "cut off" in why


def test_a_usable_plan_is_not_built_again(plan: Path) -> None:
    def never() -> tuple[bytes, Manifest]:
        raise AssertionError("built although there is one")

    assert cache.build_once(plan, KEY, never).key == KEY


@pytest.mark.parametrize("rebuild", [False, True], ids=["damaged", "asked for"])
def test_a_plan_is_built_again_where_needed(plan: Path, rebuild: bool) -> None:
    if not rebuild:
        plan.write_bytes(b"")
    cache.build_once(plan, KEY, lambda: (b"fresh", manifest()), rebuild)
    assert cache.read_plan(plan)[0] == b"fresh"


def _build_until_another_waits(path: Path, log: Path) -> None:
    def say(line: str) -> None:
        with log.open("a") as file:
            file.write(f"{line}\n")

    def build() -> tuple[bytes, Manifest]:
        say("builds")
        while "waits" not in log.read_text():
            time.sleep(0.01)
        return PLAN, manifest()

    cache.build_once(path, KEY, build, waits=lambda: say("waits"))


def test_of_two_processes_one_builds_and_both_have_the_plan(tmp_path: Path) -> None:
    path, log = tmp_path / "street.plan", tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    both = [
        context.Process(target=_build_until_another_waits, args=(path, log), daemon=True)
        for _ in range(2)
    ]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert sorted(log.read_text().split()) == ["builds", "waits"]
    assert cache.read_plan(path)[0] == PLAN


def test_who_waits_for_another_builder_is_told_so(plan: Path) -> None:
    told: list[str] = []
    held = threading.Event()

    def hold() -> None:
        with cache.locked(plan):
            held.set()
            while not told:
                time.sleep(0.01)

    other = threading.Thread(target=hold, daemon=True)
    other.start()
    assert held.wait(60)
    with cache.locked(plan, lambda: told.append("waits")):
        other.join(60)
    with cache.locked(plan, lambda: told.append("again")):
        assert told == ["waits"]


def test_nothing_but_the_plan_is_left_where_many_build_at_once(tmp_path: Path) -> None:
    path, at_work, most = tmp_path / "robot.plan", [0], [0]

    def hold() -> None:
        for _ in range(50):
            with cache.locked(path):
                at_work[0] += 1
                most[0] = max(most[0], at_work[0])
                time.sleep(0)
                at_work[0] -= 1

    threads = [threading.Thread(target=hold, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == [1]
    cache.build_once(path, KEY, lambda: (PLAN, manifest()))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["robot.plan", "robot.plan.json"]


def test_a_full_disk_leaves_the_older_plan_intact(
    plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache.os, "fsync", full)
    with pytest.raises(ModelError, match=r"No space left on device.*free space"):
        cache.write_plan(plan, b"other", manifest())
    assert cache.read_plan(plan)[0] == PLAN
    assert not list(plan.parent.glob("*.part"))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    # A file in the way stops root as well, which a mode of 0o500 does not.
    (tmp_path / "taken").touch()
    folder = tmp_path / "taken" / "engines"
    words = re.escape(str(folder)) + r": plans cannot be written there \(.*XDG_CACHE_HOME"
    with pytest.raises(ModelError, match=words):
        cache.build_once(folder / "x.plan", KEY, lambda: (PLAN, manifest()))


def test_the_default_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.default_folder() == tmp_path / "panoptic_ros" / "engines"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache.default_folder() == Path("/home/somebody/.cache/panoptic_ros/engines")
