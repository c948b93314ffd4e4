# SPDX-License-Identifier: Apache-2.0
"""Plans on disk: written whole or not at all, checked before TensorRT sees them, built once."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shlex
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from glob import escape
from pathlib import Path

from panoptic_ros.core.errors import ModelError, StaleEngineError
from panoptic_ros.engine.storage.manifest import (
    OPENVINO,
    Manifest,
    PlanKey,
    from_json,
    manifest_path,
)

PLAN = ".plan"
_PART = ".part"

WAITING = "waiting for another process that builds this plan"
"""What a builder reports while that is so."""

PlanMaker = Callable[[], tuple[bytes, Manifest]]
"""Makes a plan; the check sum and the size in its manifest are filled in by ``write_plan``."""


def default_folder() -> Path:
    """Where plans go that nobody gave a place: ``$XDG_CACHE_HOME/panoptic_ros/engines``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if base else Path.home() / ".cache"
    return root / "panoptic_ros" / "engines"


def plan_path(folder: Path, model: str, key: PlanKey) -> Path:
    """Where the plan of a key lies in a cache.

    Args:
        folder: The cache.
        model: Stem of the ONNX file's name, so that people can find their plans.
        key: What the plan is for.
    """
    return folder / f"{model}.{key.digest}{PLAN}"


def read_manifest(plan: Path) -> Manifest:
    """Read the manifest beside a plan.

    Raises:
        ModelError: It is missing or damaged.
    """
    path = manifest_path(plan)
    try:
        return from_json(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{plan}: its manifest {path.name} cannot be read ({_reason(error)}), so nobody knows "
            "what the plan was built for; make both with: panoptic build MODEL.onnx"
        ) from error


def read_plan(plan: Path) -> tuple[bytes, Manifest]:
    """Read a plan and compare it with its manifest.

    Raises:
        ModelError: A file is missing, or the plan is truncated or damaged.
    """
    manifest = read_manifest(plan)
    try:
        content = plan.read_bytes()
    except OSError as error:
        raise ModelError(f"{plan}: cannot be read ({_reason(error)})") from error
    place = "" if plan.parent == default_folder() else f" --out {shlex.quote(str(plan))}"
    remedy = f"build it again: {manifest.command}{place}"
    if len(content) != manifest.plan_bytes:
        raise ModelError(
            f"{plan}: is cut off or not the plan of its manifest ({len(content)} of "
            f"{manifest.plan_bytes} bytes); {remedy}"
        )
    if hashlib.sha256(content).hexdigest() != manifest.plan_sha256:
        raise ModelError(f"{plan}: is damaged (its check sum is not its manifest's); {remedy}")
    return content, manifest


def check_fresh(plan: Path, built: PlanKey, wanted: PlanKey, command: str = "") -> None:
    """Refuse a plan that was built for something else.

    Args:
        plan: The ``.plan`` file.
        built: What it was built for.
        wanted: What it must be for.
        command: What builds it anew, empty for the usual one.

    Raises:
        StaleEngineError: Some field differs; the message names each, and the command to run.
    """
    reasons = built.differences(wanted)
    if reasons:
        why = f"{plan.name}: {'; '.join(reasons)}"
        if command:
            raise StaleEngineError(f"{why}; run: {command}")
        raise StaleEngineError(
            f"{why}; run: panoptic build MODEL.onnx --precision {wanted.precision}"
        )


def find_plan(folder: Path, model: str, key: PlanKey) -> tuple[Path | None, str]:
    """Look for a plan.

    Returns:
        Its path, None where there is none that can be used, and in that case why.
    """
    path = plan_path(folder, model, key)
    if path.exists():
        return find_plan_at(path, key)
    return None, _nearest(folder, model, key)


def find_plan_at(path: Path, key: PlanKey) -> tuple[Path | None, str]:
    """Look for a plan at a place of the user's choice, as ``find_plan`` does in a cache."""
    if not path.exists():
        return None, f"there is no {path}"
    try:
        check_fresh(path, read_plan(path)[1].key, key)
    except ModelError as error:
        return None, str(error)
    return path, ""


def _nearest(folder: Path, model: str, key: PlanKey) -> str:
    """Say how the most similar plan of the same model differs."""
    reasons = []
    for other in sorted(folder.glob(f"{escape(model)}.*{PLAN}")):
        with contextlib.suppress(ModelError):
            built = read_manifest(other).key
            # A plan of the other library is not a nearly right one.
            if (built.variant == OPENVINO) is (key.variant == OPENVINO):
                differences = built.differences(key)
                reasons.append((len(differences), f"{other.name}: {'; '.join(differences)}"))
    return min(reasons)[1] if reasons else f"there is no plan of {model} in {folder}"


def write_plan(path: Path, content: bytes, manifest: Manifest) -> Manifest:
    """Write a plan and its manifest, each at once when it is whole.

    Args:
        path: The ``.plan`` file.
        content: The plan.
        manifest: What is known of it; size and check sum are filled in here.

    Returns:
        The manifest as written.

    Raises:
        ModelError: The folder cannot be written or the disk is full; the older plan is intact.
    """
    whole = replace(
        manifest, plan_sha256=hashlib.sha256(content).hexdigest(), plan_bytes=len(content)
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
        write_atomically(manifest_path(path), whole.to_json().encode())
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be written ({_reason(error)}); free space, or choose a folder with "
            "--out or XDG_CACHE_HOME"
        ) from error
    return whole


def build_once(
    path: Path,
    key: PlanKey,
    build: PlanMaker,
    rebuild: bool = False,
    waits: Callable[[], object] = lambda: None,
) -> Manifest:
    """Build a plan unless a usable one is there; other processes wait instead of building too.

    Args:
        path: The ``.plan`` file.
        key: What it must be for.
        build: Makes the plan.
        rebuild: Build even where there is one.
        waits: Told once where another process builds the same plan.

    Returns:
        Its manifest.

    Raises:
        ModelError: It cannot be built or written.
    """
    # Asked before the lock as well: a plan in a folder that only others may write to is good.
    there = None if rebuild else _usable(path, key)
    if there is not None:
        return there
    with locked(path, waits):
        there = None if rebuild else _usable(path, key)
        if there is not None:
            return there
        _remove_parts(path)
        content, manifest = build()
        return write_plan(path, content, manifest)


def _usable(path: Path, key: PlanKey) -> Manifest | None:
    """Manifest of the plan that is there, None where it is of no use."""
    with contextlib.suppress(ModelError):
        _, manifest = read_plan(path)
        check_fresh(path, manifest.key, key)
        return manifest
    return None


def _remove_parts(path: Path) -> None:
    """Remove what a builder left that was killed while it wrote; call it with the lock held."""
    for left in path.parent.glob(f"{escape(path.name)}*{_PART}"):
        with contextlib.suppress(OSError):
            left.unlink()


@contextlib.contextmanager
def locked(path: Path, waits: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Hold the lock of a plan, and take its file away; the kernel frees it when the process dies.

    Args:
        path: The ``.plan`` file.
        waits: Told once where another holds it.

    Raises:
        ModelError: The folder cannot be written, or its file system has no locks.
    """
    lock = path.with_name(path.name + ".lock")
    with contextlib.ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _take(lock, stack, waits)
        except OSError as error:
            raise ModelError(
                f"{path.parent}: plans cannot be written there ({_reason(error)}); choose a "
                "folder with --out or XDG_CACHE_HOME"
            ) from error
        try:
            yield
        finally:
            # With the lock held: whoever waits for it sees that the file is gone, and starts over.
            with contextlib.suppress(OSError):
                lock.unlink()


def _take(lock: Path, stack: contextlib.ExitStack, waits: Callable[[], object]) -> None:
    """Lock a file, which the stack closes; it is the one that still lies there."""
    tell = iter((waits,))
    while True:
        file = stack.enter_context(lock.open("a", encoding="utf-8"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            next(tell, lambda: None)()
            fcntl.flock(file, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                return
        file.close()


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file by whole new content, or leave it as it is.

    Raises:
        OSError: It cannot be written.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}{_PART}")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
