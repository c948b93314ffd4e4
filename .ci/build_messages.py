# SPDX-License-Identifier: Apache-2.0
"""Build message packages that PyPI lacks into this virtual environment, for the tests only.

``vision_msgs``, ``tf2_msgs`` and the few Autoware messages that results use come with ROS
distributions. Here rosidl makes them from their published definitions against the ROS wheels, so
that the tests send them over a real wire and compare their type hashes.

Usage: PYTHON .ci/build_messages.py, with ``requirements/rosidl.lock`` installed for PYTHON.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PREFIX = Path(sys.prefix)
LEFT_BY_THE_WHEELS = ("_ROS_WHEELS_BOOTSTRAP_COMPLETE", "LD_LIBRARY_PATH", "AMENT_PREFIX_PATH")

CMAKE_LISTS = """\
cmake_minimum_required(VERSION 3.10)
project({name} LANGUAGES C CXX)
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
{finds}
rosidl_generate_interfaces(${{PROJECT_NAME}} {files} DEPENDENCIES {needs})
ament_export_dependencies(rosidl_default_runtime)
ament_package()
"""
PACKAGE_XML = """\
<?xml version="1.0"?>
<package format="3">
  <name>{name}</name>
  <version>0.0.0</version>
  <description>Published definitions, built for tests</description>
  <maintainer email="maintainers@panoptic-ros.example">The panoptic_ros authors</maintainer>
  <license>Apache-2.0</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  {depends}
  <exec_depend>rosidl_default_runtime</exec_depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export><build_type>ament_cmake</build_type></export>
</package>
"""


def main() -> int:
    """Build every package; 1 where a tool is missing or a build fails."""
    missing = missing_tools()
    if missing:
        sys.stderr.write(f"cannot build messages: {'; '.join(missing)}\n")
        return 1
    name_local_headers()
    sys.path.insert(0, str(ROOT))
    from panoptic_ros.messages.vision_definitions import VISION_DEFINITIONS
    from test.drawn.autoware_definitions import AUTOWARE_DEFINITIONS
    from test.drawn.tf_definitions import TF_DEFINITIONS

    definitions = {**VISION_DEFINITIONS, **AUTOWARE_DEFINITIONS, **TF_DEFINITIONS}
    packages = dict.fromkeys(name.split("/")[0] for name in definitions)
    for package in packages:
        texts = {
            name.split("/")[-1]: text
            for name, text in definitions.items()
            if name.startswith(f"{package}/")
        }
        if not build(package, texts):
            return 1
        sys.stdout.write(f"built {package} into {PREFIX}: {', '.join(texts)}\n")
    return 0


def missing_tools() -> list[str]:
    """Say what this machine lacks, and how to get it."""
    found = []
    if shutil.which("g++") is None or shutil.which("make") is None:
        found.append("no g++ or make (Debian, Ubuntu: apt install g++ make)")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        found.append("no Python.h (Debian, Ubuntu: apt install python3-dev)")
    if sys.prefix == sys.base_prefix:
        found.append(f"{sys.executable} is no virtual environment, which this would write to")
    if not (PREFIX / "share" / "rosidl_default_generators").is_dir():
        found.append("no rosidl (pip install -r requirements/rosidl.lock)")
    return found


def name_local_headers() -> None:
    """Put this machine's header folders where the wheels name those of their build machine."""
    import numpy

    folders = (
        (r"/opt/python/[^;\")]*/numpy/_?core/include", numpy.get_include()),
        (r"/opt/python/[^;\")]*/include/python3\.\d+", sysconfig.get_path("include")),
    )
    for path in (PREFIX / "share").glob("*/cmake/*Export.cmake"):
        text = changed = path.read_text(encoding="utf-8")
        for pattern, here in folders:
            changed = re.sub(pattern, here, changed)
        if changed != text:
            path.write_text(changed, encoding="utf-8")


def build(package: str, texts: dict[str, str]) -> bool:
    """Generate, compile and install one package.

    Args:
        package: Its name.
        texts: Definitions by message name.
    """
    needs = dict.fromkeys(re.findall(r"^(\w+)/", "\n".join(texts.values()), re.MULTILINE))
    needs.pop(package, None)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        write_package(source, package, texts, list(needs))
        log = source / "build.log"
        cmake = str(PREFIX / "bin" / "cmake")
        configure = [
            cmake,
            "-S",
            folder,
            "-B",
            f"{folder}/build",
            "-DBUILD_TESTING=OFF",
            "-DCMAKE_BUILD_TYPE=MinSizeRel",
            f"-DCMAKE_INSTALL_PREFIX={PREFIX}",
            f"-DPython3_EXECUTABLE={sys.executable}",
        ]
        install = [cmake, "--build", f"{folder}/build", "--target", "install", "-j"]
        with log.open("w", encoding="utf-8") as stream:
            good = all(
                subprocess.run(command, env=environment(), stdout=stream, stderr=stream).returncode
                == 0
                for command in (configure, [*install, str(os.cpu_count() or 1)])
            )
        if not good:
            sys.stderr.write(log.read_text(encoding="utf-8"))
        return good


def write_package(source: Path, package: str, texts: dict[str, str], needs: list[str]) -> None:
    """Write what rosidl needs of a package."""
    (source / "msg").mkdir()
    for name, text in texts.items():
        (source / "msg" / f"{name}.msg").write_text(text, encoding="utf-8")
    lists = CMAKE_LISTS.format(
        name=package,
        finds="\n".join(f"find_package({need} REQUIRED)" for need in needs),
        files=" ".join(f"msg/{name}.msg" for name in texts),
        needs=" ".join(needs),
    )
    (source / "CMakeLists.txt").write_text(lists, encoding="utf-8")
    depends = "\n  ".join(f"<depend>{need}</depend>" for need in needs)
    xml = PACKAGE_XML.format(name=package, depends=depends)
    (source / "package.xml").write_text(xml, encoding="utf-8")


def environment() -> dict[str, str]:
    """This process's environment, with the wheels' prefix and without their start-up hook's."""
    kept = {name: value for name, value in os.environ.items() if name not in LEFT_BY_THE_WHEELS}
    path = f"{PREFIX / 'bin'}{os.pathsep}{kept.get('PATH', '')}"
    prefix = str(PREFIX)
    return {**kept, "PATH": path, "AMENT_PREFIX_PATH": prefix, "CMAKE_PREFIX_PATH": prefix}


if __name__ == "__main__":
    sys.exit(main())
