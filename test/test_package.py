# SPDX-License-Identifier: Apache-2.0
"""The package as a whole: it costs nothing to import, fits Python 3.10, and brings its files."""

from __future__ import annotations

import argparse
import ast
import configparser
import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import panoptic_ros
from panoptic_ros.cli.main import VERBS, main, module_name
from panoptic_ros.core.errors import ConfigError, PanopticError
from panoptic_ros.core.files.resources import resource

ROOT = Path(__file__).parents[1]
FOLDERS = ("panoptic_ros", "launch", "test", "benchmarks")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
HEAVY = (
    "numpy",
    "scipy",
    "cv2",
    "yaml",
    "rclpy",
    "onnxruntime",
    "onnx",
    "torch",
    "tensorrt",
    "rosbags",
    "av",
    "rich",
    "jinja2",
    "matplotlib",
)


def imported_by(code: str) -> set[str]:
    """Run code in a fresh interpreter and name the heavy modules that it imported."""
    code += f"\nimport json, sys; print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def imports_of(tree: ast.AST) -> set[str]:
    """Top-level modules that the tree names in an import statement at its first level."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize(
    "module",
    ["panoptic_ros", "panoptic_ros.ros", "panoptic_ros.cli.main", "panoptic_ros.cli.doctor"],
)
def test_importing_costs_nothing(module: str) -> None:
    assert imported_by(f"import {module}") == set()


def test_help_imports_nothing_heavy() -> None:
    code = "from panoptic_ros.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert imported_by(code) == set()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_answers_help_and_can_run(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    module = importlib.import_module(f"panoptic_ros.cli.{module_name(verb)}")
    assert callable(module.run)
    module.add_arguments(argparse.ArgumentParser())
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    assert VERBS[verb].split(",")[0][:40] in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_imports_a_heavy_library_before_it_runs(verb: str) -> None:
    tree = ast.parse(
        (ROOT / f"panoptic_ros/cli/{module_name(verb)}.py").read_text(encoding="utf-8")
    )
    assert imports_of(tree) & set(HEAVY) <= {"numpy"}


def test_a_users_mistake_is_one_line_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from panoptic_ros.cli import doctor

    def fail(_: argparse.Namespace) -> int:
        raise ConfigError("rate is -1, needs a number above 0")

    monkeypatch.setattr(doctor, "run", fail)
    assert main(["doctor"]) == 2
    assert capsys.readouterr().err == "panoptic doctor: rate is -1, needs a number above 0\n"


@pytest.mark.parametrize(
    "path", [*SOURCES, ROOT / "setup.py"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_file_is_python_3_10_and_says_its_licence(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 10))
    assert not text or text.startswith("# SPDX-License-Identifier: Apache-2.0\n")


def test_every_package_has_an_init_file() -> None:
    folders = {path.parent for path in (ROOT / "panoptic_ros").rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_entry_points_name_what_exists() -> None:
    scripts = entry_points()
    assert set(scripts) == {"panoptic", "panoptic_node"}
    for target in scripts.values():
        module, function = target.split(":")
        tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert function in names


def entry_points() -> dict[str, str]:
    listed = run_setup("import json; print(json.dumps(made.entry_points['console_scripts']))")
    return dict(entry.replace(" ", "").split("=") for entry in json.loads(listed))


def run_setup(code: str) -> str:
    """Read setup.py without installing and run code on the distribution ``made``."""
    program = "import setuptools\nfrom distutils.core import run_setup\n"
    program += f"made = run_setup('setup.py', stop_after='init')\n{code}"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    return done.stdout.splitlines()[-1]


def test_the_version_is_the_same_everywhere() -> None:
    manifest = ElementTree.parse(ROOT / "package.xml").getroot()
    version = manifest.findtext("version")
    assert run_setup("print(made.metadata.version)") == version
    assert panoptic_ros.__version__ == version
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert manifest.findtext("license") == "Apache-2.0"
    assert manifest.findtext("name") == run_setup("print(made.metadata.name)")


def test_the_release_tool_finds_the_version_that_it_raises() -> None:
    # catkin_prepare_release takes exactly one literal of this form, and no expression.
    text = (ROOT / "setup.py").read_text(encoding="utf-8")
    assert len(re.findall(r"""version=(['"])\d+\.\d+\.\d+(['"]),""", text)) == 1


def test_the_node_needs_what_distributions_have() -> None:
    manifest = ElementTree.parse(ROOT / "package.xml").getroot()
    named = {entry.text for entry in manifest.findall("exec_depend")}
    needed = run_setup("import json; print(json.dumps(made.install_requires))")
    keys = {"numpy": "python3-numpy", "scipy": "python3-scipy", "PyYAML": "python3-yaml"}
    names = {re.split("[<>=]", entry)[0] for entry in json.loads(needed)} - {"setuptools"}
    assert {keys[name] for name in names} <= named
    # Keys of pip packages would keep the package out of the build farm.
    assert not [name for name in named if name and name.endswith("-pip")]


def test_the_extra_for_a_plain_machine_holds_all_that_its_verbs_need() -> None:
    extras = json.loads(run_setup("import json; print(json.dumps(made.extras_require))"))
    parts = {*extras["cv2"], *extras["bags"], *extras["eval"], "onnxruntime"}
    assert set(extras["cpu"]) == parts


def test_scripts_go_where_ros2_run_looks_for_them() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    assert settings["develop"]["script_dir"] == "$base/lib/panoptic_ros"
    assert settings["install"]["install_scripts"] == "$base/lib/panoptic_ros"


def test_every_file_the_node_reads_is_installed() -> None:
    pairs = json.loads(run_setup("import json; print(json.dumps(made.data_files))"))
    installed = {f"{target}/{Path(name).name}" for target, names in pairs for name in names}
    share = "share/panoptic_ros"
    wanted = {
        f"{share}/{path.relative_to(ROOT)}"
        for pattern in ("config/**/*.*", "launch/*.launch.py", "engines/*.onnx", "engines/*.md")
        for path in ROOT.glob(pattern)
        if path.is_file()
    }
    wanted |= {f"{share}/package.xml", "share/ament_index/resource_index/packages/panoptic_ros"}
    assert f"{share}/config/labels/cityscapes.yaml" in wanted
    assert wanted - installed == set()


def test_templates_are_package_data() -> None:
    packages = json.loads(run_setup("import json; print(json.dumps(made.package_data))"))
    package = ROOT / "panoptic_ros"
    patterns = [(name, pattern) for name, found in packages.items() for pattern in found]
    # Setuptools before 62.3, which Ubuntu 22.04 has, does not take ** as any depth.
    assert not [pattern for _, pattern in patterns if "**" in pattern]
    shipped = {
        path
        for name, pattern in patterns
        for path in ROOT.joinpath(*name.split(".")).glob(pattern)
    }
    others = {
        path
        for path in package.rglob("*.*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert others - shipped == set()


@pytest.mark.parametrize(
    ("parts", "is_there"),
    [(("config", "panoptic.yaml"), True), (("config", "nowhere.yaml"), False)],
)
def test_files_of_the_package_are_found_or_the_places_listed(
    parts: tuple[str, ...], is_there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMENT_PREFIX_PATH", "/opt/ros/drawn")
    if is_there:
        assert resource(*parts).is_file()
        return
    with pytest.raises(ConfigError, match=r"not installed; looked in: .*/opt/ros/drawn/share"):
        resource(*parts)


def test_every_error_has_its_entry_in_the_docs() -> None:
    text = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    kinds = [PanopticError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    ours = [kind.__name__ for kind in kinds[1:] if kind.__module__.startswith("panoptic_ros.")]
    assert [name for name in ours if f"## {name}" not in text] == []


OUTPUTS = (".mcap", ".part", ".plan", ".pt", ".db3", ".mp4", ".log")
"""What runs write; what a test needs of these it makes."""


def test_nothing_that_a_run_wrote_is_part_of_the_source() -> None:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git clone")
    words = [git, "-C", str(ROOT), "ls-files", "-z"]
    tracked = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    if tracked.returncode:
        pytest.skip(f"git refuses: {tracked.stderr.strip()}")
    files = [Path(name) for name in tracked.stdout.split("\0") if name]
    assert len(files) > 100
    assert [str(one) for one in files if any(part.endswith(OUTPUTS) for part in one.parts)] == []
