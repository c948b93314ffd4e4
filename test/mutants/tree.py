# SPDX-License-Identifier: Apache-2.0
"""A copy of the repository in which mutants are tried, each in a process of its own.

The copy's bytecode stays valid: a changed file has another time than any before, and its original
comes back with its own.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

# What nearly every test imports; a forked process has it already.
PRELOADED = (
    "numpy",
    "cv2",
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.sparse",
    "yaml",
    "hypothesis.strategies",
    "hypothesis.core",
    "pytest",
    "_pytest.pytester_assertions",
    "pytest_timeout",
    "rosidl_generator_py",
)
WALL = 30.0
"""A busy machine is no reason to take a test for one that hangs."""
OPTIONS = (
    *("-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", "-p", "no:randomly"),
    # Plugins that are preloaded are not rewritten; their assertions are not ours.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)


class Tree:
    """A copy of the repository; one process uses it."""

    def __init__(self, root: Path, place: Path) -> None:
        """Copy what git tracks, or would, to ``place``, and import what tests need."""
        self.place = place
        shutil.rmtree(place, ignore_errors=True)
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=root, check=True, capture_output=True).stdout
        for name in filter(None, names.decode().split("\0")):
            if (root / name).is_file():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, place / name)
        for module in PRELOADED:
            with contextlib.suppress(ImportError):
                importlib.import_module(module)

    def passes(self, tests: tuple[str, ...], limit_s: float, log: Path) -> tuple[str, float]:
        """Run tests in a process of their own.

        Args:
            tests: Test files.
            limit_s: CPU time that they may take; ``WALL`` times that on the clock.
            log: Where the output goes.

        Returns:
            ``passed``, ``failed`` or ``too long``, and the CPU time in s.
        """
        began = _children_s()
        child = os.fork()
        if child == 0:
            self._run(tests, limit_s, log)
        status = _waited(child, WALL * limit_s)
        seconds = _children_s() - began
        if status == 0:
            return "passed", seconds
        return ("failed" if status is not None and os.WIFEXITED(status) else "too long"), seconds

    @contextlib.contextmanager
    def changed(self, file: str, source: str) -> Iterator[None]:
        """Let a file read otherwise for a while."""
        path = self.place / file
        original, times = path.read_bytes(), path.stat()
        path.write_text(source, encoding="utf-8")
        # Bytecode is told apart by whole seconds.
        os.utime(path, (times.st_atime, times.st_mtime + 60 + time.monotonic()))
        try:
            yield
        finally:
            path.write_bytes(original)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def _run(self, tests: tuple[str, ...], limit_s: float, log: Path) -> None:
        """Become a test run; never returns."""
        os.setsid()
        os.chdir(self.place)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(out, stream.fileno())
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s) + 1, int(limit_s) + 2))
        for name in [
            name for name in sys.modules if name.split(".")[0] in ("test", "panoptic_ros")
        ]:
            del sys.modules[name]
        sys.path[:] = [str(self.place), *(p for p in sys.path if p not in ("", os.getcwd()))]
        os.environ["PYTHONPATH"] = str(self.place)
        import pytest

        code = 70
        try:
            code = int(pytest.main([*OPTIONS, *tests]))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            sys.stdout.flush()
            os._exit(code)


def _waited(child: int, limit_s: float) -> int | None:
    """Wait for a process; None when it had to be ended, with all that it started."""
    end_s = time.monotonic() + limit_s
    status: int | None = None
    while status is None and time.monotonic() < end_s:
        done, found = os.waitpid(child, os.WNOHANG)
        if done:
            status = found
        else:
            time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if status is None:
        os.waitpid(child, 0)
    return status


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
