# SPDX-License-Identifier: Apache-2.0
"""What the user may write for bags, and which bags that stands for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.fleet.addresses import bag_id, bags_of
from panoptic_ros.fleet.remote import fetch


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.mcap", "b.bag", "below/c.db3.zstd", "split/metadata.yaml", "split/x_0.mcap"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "d.mcap").touch()
    return tmp_path


def names(found: list[str], folder: Path) -> list[str]:
    return [Path(uri).relative_to(folder).as_posix() for uri in found]


def test_a_folder_stands_for_all_bags_below_it(tree: Path) -> None:
    found = names(bags_of([str(tree)]), tree)
    assert found == ["a.mcap", "b.bag", "below/c.db3.zstd", "split"]


def test_a_pattern_stands_for_what_fits(tree: Path) -> None:
    assert names(bags_of([f"{tree}/*.mcap", f"{tree}/s*"]), tree) == ["a.mcap", "split"]


@pytest.mark.parametrize("name", ["drive [2].mcap", "what?.mcap", "a*.mcap"])
def test_a_name_with_the_letters_of_a_pattern_is_a_name_where_it_is_there(
    tree: Path, name: str
) -> None:
    (tree / name).touch()
    assert names(bags_of([f"{tree}/{name}"]), tree) == [name]


RESULT = "labels/a-0123456789/a.labels.mcap"


def test_results_among_the_bags_are_no_bags_but_by_name(tree: Path) -> None:
    for name in (RESULT, "labels/drive.labels.mcap", "b-0123456789/b.mcap"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).touch()
    wanted = ["a.mcap", "b-0123456789/b.mcap", "b.bag", "below/c.db3.zstd"]
    wanted += ["labels/drive.labels.mcap", "split"]
    assert sorted(names(bags_of([str(tree)]), tree)) == wanted
    pattern = names(bags_of([f"{tree}/**/*.labels.mcap"]), tree)
    assert pattern == ["labels/drive.labels.mcap"]
    assert names(bags_of([f"{tree}/{RESULT}"]), tree) == [RESULT]
    with pytest.raises(ConfigError, match="results of panoptic label count only by their own"):
        bags_of([f"{tree}/labels/a-0123456789"])


def test_results_among_the_bags_of_a_store_are_no_bags_but_by_name() -> None:
    files = pytest.importorskip("fsspec").filesystem("memory")
    for name in ("a.mcap", RESULT):
        files.pipe_file(f"/mixed/{name}", b"")
    assert bags_of(["memory://mixed"]) == ["memory:///mixed/a.mcap"]
    assert bags_of(["memory://mixed/**/*.mcap"]) == ["memory:///mixed/a.mcap"]
    assert bags_of([f"memory://mixed/{RESULT}"]) == [f"memory:///mixed/{RESULT}"]


def test_a_linked_folder_is_searched_too(
    tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    links = tmp_path_factory.mktemp("links")
    (links / "night").symlink_to(tree / "split")
    (links / "days").symlink_to(tree / "below")
    assert names(bags_of([str(links)]), links) == ["days/c.db3.zstd", "night"]


def test_a_link_to_a_folder_above_is_no_endless_search(tree: Path) -> None:
    (tree / "below" / "up").symlink_to(tree)
    found = names(bags_of([str(tree)]), tree)
    assert found == ["a.mcap", "b.bag", "below/c.db3.zstd", "split"]


def test_a_name_that_is_no_utf_8_has_a_folder_of_its_own() -> None:
    name = os.fsdecode(b"/data/caf\xe9.mcap")
    assert bag_id(name) == bag_id(name) != bag_id("/data/caf.mcap")
    assert bag_id(name).startswith("caf-")


def test_a_list_names_one_address_in_a_line(tree: Path) -> None:
    (tree / "bags.txt").write_text(f"# nights\n{tree}/b.bag\n\nfile://{tree}/a.mcap\n")
    for word in (f"{tree}/bags.txt", f"@{tree}/bags.txt"):
        assert names(bags_of([word]), tree) == ["b.bag", "a.mcap"]


def test_a_bag_that_is_named_twice_is_one(tree: Path) -> None:
    repeated: list[str] = []
    words = [f"{tree}/a.mcap", f"{tree}/*.mcap", f"file://{tree}/a.mcap"]
    assert bags_of(words, repeated.append) == [f"{tree}/a.mcap"]
    assert repeated == [f"{tree}/a.mcap"] * 2


def test_a_link_to_a_bag_that_is_named_too_is_that_bag(tree: Path) -> None:
    (tree / "link.mcap").symlink_to("a.mcap")
    words = [f"{tree}/link.mcap", f"{tree}/a.mcap"]
    assert bags_of(words) == words[:1]


@pytest.mark.parametrize("order", [1, -1])
def test_a_file_of_a_bag_that_is_named_too_is_part_of_it(tree: Path, order: int) -> None:
    files = sorted(str(path) for path in (tree / "split").iterdir())
    assert files
    assert bags_of([f"{tree}/split", *files][::order]) == [f"{tree}/split"]


def test_a_store_is_searched_like_a_folder() -> None:
    files = pytest.importorskip("fsspec").filesystem("memory")
    for name in ("one.mcap", "text.md", "night/metadata.yaml", "night/night_0.mcap"):
        files.pipe_file(f"/fleet/{name}", b"")
    assert bags_of(["memory://fleet"]) == ["memory:///fleet/night", "memory:///fleet/one.mcap"]
    assert bags_of(["memory://fleet/*.mcap"]) == ["memory:///fleet/one.mcap"]


def test_a_name_in_a_store_with_the_letters_of_a_pattern_is_found_and_copied(
    tmp_path: Path,
) -> None:
    files = pytest.importorskip("fsspec").filesystem("memory")
    for name in ("odd/drive [2].db3", "odd/night [1]/n_0.db3", "odd/night [1]/metadata.yaml"):
        files.pipe_file(f"/{name}", name.encode())
    one, folder = "memory:///odd/drive [2].db3", "memory:///odd/night [1]"
    assert bags_of(["memory://odd"]) == [one, folder]
    assert bags_of(["memory://odd/drive [2].db3"]) == [one]
    assert bags_of(["memory://odd/night [1]"]) == [folder]
    assert fetch(one, tmp_path, 1000).read_text() == "odd/drive [2].db3"
    copied = fetch(folder, tmp_path, 1000)
    assert sorted(path.name for path in copied.iterdir()) == ["metadata.yaml", "n_0.db3"]


def test_nothing_at_all_is_a_mistake(tree: Path) -> None:
    with pytest.raises(ConfigError, match="no bag is there"):
        bags_of([f"{tree}/*.nothing"])


def test_a_list_that_is_not_there_is_said(tree: Path) -> None:
    with pytest.raises(DataError, match="list of bags"):
        bags_of([f"@{tree}/nowhere.txt"])


def test_a_store_of_an_unknown_kind_is_said() -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(ConfigError, match=r"nowhere.*s3:// needs: pip install s3fs"):
        bags_of(["nowhere://bucket/a.mcap"])


def test_bags_of_one_name_in_two_folders_have_folders_of_their_own() -> None:
    assert bag_id("/a/drive.mcap") != bag_id("/b/drive.mcap")
    assert bag_id("/a/drive.mcap").startswith("drive-")
