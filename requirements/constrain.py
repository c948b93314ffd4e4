# SPDX-License-Identifier: Apache-2.0
"""Print pip constraints for a machine with a sourced ROS 2: its NumPy, and pins that allow it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

FOLLOWERS = {
    "numpy",
    "scipy",
    "opencv-python-headless",
    "onnxruntime",
    "onnx",
    "ml-dtypes",
    "av",
    "contourpy",
    "matplotlib",
    "hotcoco",
}
"""Packages whose newest versions need a newer NumPy than distributions have."""

OURS = {"gpu", "rtx", "run", "test", "torch"}


def constraints(locks: list[Path], numpy_version: str | None) -> list[str]:
    """List constraints.

    Args:
        locks: Lock files; those of other names than ``OURS`` are passed over.
        numpy_version: The distribution's, None where it has none.
    """
    kept = [f"numpy=={numpy_version}"] if numpy_version else []
    for lock in locks:
        if lock.stem in OURS:
            lines = lock.read_text(encoding="utf-8").splitlines()
            kept += [line for line in lines if re.split("[=;]", line)[0].strip() not in FOLLOWERS]
    return sorted(set(kept))


def installed_numpy() -> str | None:
    """Version of the NumPy that this interpreter sees."""
    try:
        import numpy
    except ImportError:
        return None
    return numpy.__version__


if __name__ == "__main__":
    found = constraints([Path(name) for name in sys.argv[1:]], installed_numpy())
    sys.stdout.write("\n".join(found) + "\n")
