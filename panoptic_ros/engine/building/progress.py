# SPDX-License-Identifier: Apache-2.0
"""How far a build is, from the nested phases that TensorRT's progress monitor (10+) tells."""

from __future__ import annotations

from typing import Any

from panoptic_ros.core.engine_config import ProgressCallback


class Phases:
    """Adds nested phases up to one share; TensorRT may call it from several threads in turn.

    Args:
        report: Told after every step.
    """

    def __init__(self, report: ProgressCallback) -> None:
        self.report = report
        self.cancelled = False
        self._phases: dict[str, tuple[str | None, int, int]] = {}
        self._most = 0.0

    def start(self, name: str, parent: str | None, steps: int) -> None:
        """Begin a phase of so many steps inside another."""
        self._phases[name] = (parent, steps, 0)
        self._tell(name)

    def step(self, name: str, step: int) -> bool:
        """Note that a step is done.

        Args:
            name: The phase.
            step: Number of the step, from 0.

        Returns:
            Whether the build shall go on.
        """
        if name in self._phases:
            parent, steps, _ = self._phases[name]
            self._phases[name] = (parent, steps, step + 1)
        try:
            self._tell(name)
        except KeyboardInterrupt:
            # Raised through TensorRT it would end the process.
            self.cancelled = True
        return not self.cancelled

    def finish(self, name: str) -> None:
        """End a phase."""
        parent, _, _ = self._phases.pop(name, (None, 0, 0))
        if parent is None:
            self._most = 1.0
        self._tell(name)

    @property
    def share(self) -> float:
        """What is done of the whole, 0 to 1."""
        roots = [name for name, (parent, _, _) in self._phases.items() if parent is None]
        if roots:
            self._most = max(self._most, self._share(roots[0], 0))
        return self._most

    def _share(self, name: str, depth: int) -> float:
        _, steps, done = self._phases[name]
        inside = [child for child, (parent, _, _) in self._phases.items() if parent == name]
        part = self._share(inside[0], depth + 1) if inside and depth < 8 else 0.0
        return min(1.0, (done + part) / max(steps, 1))

    def _tell(self, name: str) -> None:
        self.report(name, self.share)


def monitor(module: Any, phases: Phases) -> Any:
    """Make the object that TensorRT calls; None where its version has no progress monitor."""
    if not hasattr(module, "IProgressMonitor"):
        return None

    class Monitor(module.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            # The bindings want their own constructor called by name.
            module.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            phases.start(phase_name, parent_phase, num_steps)

        def phase_finish(self, phase_name: str) -> None:
            phases.finish(phase_name)

        def step_complete(self, phase_name: str, step: int) -> bool:
            return phases.step(phase_name, step)

    return Monitor()
