# SPDX-License-Identifier: Apache-2.0
"""What the user may write for bags, and which bags that stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from panoptic_ros.core.errors import ConfigError, DataError
from panoptic_ros.fleet.addresses import bag_id, bags_of


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


def test_a_list_names_one_address_in_a_line(tree: Path) -> None:
    (tree / "bags.txt").write_text(f"# nights\n{tree}/b.bag\n\nfile://{tree}/a.mcap\n")
    for word in (f"{tree}/bags.txt", f"@{tree}/bags.txt"):
        assert names(bags_of([word]), tree) == ["b.bag", "a.mcap"]


def test_a_bag_that_is_named_twice_is_one(tree: Path) -> None:
    assert len(bags_of([f"{tree}/a.mcap", f"{tree}/*.mcap", f"file://{tree}/a.mcap"])) == 1


def test_a_store_is_searched_like_a_folder() -> None:
    files = pytest.importorskip("fsspec").filesystem("memory")
    for name in ("one.mcap", "text.md", "night/metadata.yaml", "night/night_0.mcap"):
        files.pipe_file(f"/fleet/{name}", b"")
    assert bags_of(["memory://fleet"]) == ["memory:///fleet/night", "memory:///fleet/one.mcap"]
    assert bags_of(["memory://fleet/*.mcap"]) == ["memory:///fleet/one.mcap"]


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
