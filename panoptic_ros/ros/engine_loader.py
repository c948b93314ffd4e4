# SPDX-License-Identifier: Apache-2.0
"""The engine that runs, and the better one that is being built beside it.

Why it is done this way: ``docs/decisions/engine-while-the-node-runs.md``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from panoptic_ros.core.engine_config import EngineConfig, ProgressCallback
from panoptic_ros.core.errors import ModelError, PanopticError
from panoptic_ros.core.model import Engine
from panoptic_ros.ros.protocols import Logger


class OpenEngine(Protocol):
    """``engine.open.open_configured``."""

    def __call__(  # noqa: D102
        self,
        config: EngineConfig,
        say: Callable[[str], object],
        *,
        say_other: Callable[[str], object],
    ) -> Engine: ...


class RunningBuild(Protocol):
    """A plan in work."""

    def wait(self, report: ProgressCallback) -> None: ...  # noqa: D102

    def cancel(self) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class EngineFactory:
    """How engines are come by; ``ros`` may not import ``engine``, so the node hands it in.

    Attributes:
        open: ``engine.open.open_configured``.
        to_build: ``engine.open.plan_to_build``.
        build: ``engine.open.start_build``.
    """

    open: OpenEngine
    to_build: Callable[[EngineConfig], Any]
    build: Callable[[Any], RunningBuild]


@dataclass(frozen=True)
class BuildProgress:
    """How far a build is: TensorRT's name of the phase, and the share that is done, 0 to 1."""

    phase: str = "starting"
    share: float = 0.0


@dataclass(frozen=True)
class _BuildRequest:
    """What shall become of the plan in work: for which parameters, and whether it takes over."""

    config: EngineConfig
    takes_over: bool


class EngineLoader:
    """Opens the engine, and has its plan built where there is none and that is allowed.

    All calls come from the executor's thread, except ``swap``, which comes from whoever runs
    the engine. A thread of its own waits for the builder and opens the plan; no call waits for
    that thread but ``wait``. What it brings after it was called off it closes itself.

    Args:
        factory: How engines are come by.
        log: Takes what was chosen and why, as a warning where a plan or a runtime is named and
            another runs.
    """

    def __init__(self, factory: EngineFactory, log: Logger) -> None:
        self._factory = factory
        self._log = log
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._better: Engine | None = None
        self._build: RunningBuild | None = None
        self._building: Any = None
        self._request = _BuildRequest(EngineConfig(), False)
        self._threads: list[threading.Thread] = []
        self._progress: BuildProgress | None = None
        self._finished = False
        self.problem = ""
        self.failure: Exception | None = None

    @property
    def engine(self) -> Engine | None:
        """The engine in use."""
        return self._engine

    @property
    def progress(self) -> BuildProgress | None:
        """How far the build is, None while nothing is built."""
        return self._progress

    def open(self, config: EngineConfig) -> Engine:
        """Open the engine that a config asks for.

        With ``engine_fallback`` ``onnxruntime`` there is one at once, and a better one later.

        Raises:
            ModelError: There is none. A plan may be in work then; ``take_finished`` tells when it
                is there.
        """
        request = self._missing(config)
        if request is None or request != self._building:
            # A plan of what was asked for before must not take over from this engine.
            self._cancel()
        try:
            engine = self._opened(config)
        except ModelError as error:
            if request is None:
                raise
            self._start(request, config, takes_over=False)
            raise ModelError(self._advice_to_wait(error)) from error
        self._engine = engine
        if request is not None:
            self._log.info(f"a plan of {request.model.name} is built beside it")
            self._start(request, config, takes_over=True)
        return engine

    def swap(self) -> Engine | None:
        """Take over the better engine, if one has come, and close the one before.

        Returns:
            The better one; the caller must not use the one before any more.
        """
        with self._lock:
            better, self._better = self._better, None
            if better is None:
                return None
            worse, self._engine = self._engine, better
        if worse is not None:
            worse.close()
        self._log.info(f"engine swapped: {better.description}")
        return better

    def take_finished(self) -> bool:
        """Say, once, that the plan which ``open`` missed is there."""
        finished, self._finished = self._finished, False
        return finished

    def close_engine(self) -> None:
        """Free the engine; a build goes on, for the next ``open``."""
        with self._lock:
            engines = self._engine, self._better
            self._engine = self._better = None
        for engine in engines:
            if engine is not None:
                engine.close()

    def abandon_engine(self) -> None:
        """Forget an engine that never comes back; freeing it under its thread would crash."""
        with self._lock:
            self._engine = None

    def wait(self, patience_s: float) -> None:
        """Wait, before the process ends, for a thread that is still opening a plan."""
        for thread in self._threads:
            thread.join(patience_s)

    def close(self) -> None:
        """End the build and free everything; safe to call twice."""
        self._cancel()
        self.close_engine()
        self._finished, self.problem = False, ""

    def _missing(self, config: EngineConfig) -> Any:
        return self._factory.to_build(config) if config.rebuild else None

    def _opened(self, config: EngineConfig) -> Engine:
        # A missing plan is built beside the node, never by the thread that opens the engine.
        chosen: list[str] = []
        others: list[str] = []
        engine = self._factory.open(
            replace(config, rebuild=False), chosen.append, say_other=others.append
        )
        for line in chosen:
            log = self._log.warning if line in others else self._log.info
            log(line)
        return engine

    def _advice_to_wait(self, error: ModelError) -> str:
        progress = self._progress or BuildProgress()
        return (
            f"{error}. That plan is being built ({progress.share:.0%}, /diagnostics tells how far "
            "it is): configure again when it is done, or set engine_fallback to onnxruntime to "
            "work meanwhile"
        )

    def _start(self, request: Any, config: EngineConfig, takes_over: bool) -> None:
        """Have a plan built, unless it is in work; then only what becomes of it changes."""
        with self._lock:
            self._request = _BuildRequest(config, takes_over)
            if self._building is not None and request == self._building:
                return
        self._cancel()
        self._building, self._progress, self.problem = request, BuildProgress(), ""
        self._finished = False
        self._build = self._factory.build(request)
        thread = threading.Thread(
            target=self._wait,
            args=(self._build, request),
            name="panoptic_build",
            daemon=True,
        )
        self._threads = [entry for entry in self._threads if entry.is_alive()] + [thread]
        thread.start()

    def _wait(self, build: RunningBuild, request: Any) -> None:
        """Wait for a plan, and open it where it shall take over."""
        try:
            build.wait(partial(self._note, build))
            last = self._last_request(build)
            if last is None:
                return
            if last.takes_over:
                self._offer(build, self._opened(replace(last.config, fallback="none")))
            else:
                self._log.info(f"the plan of {request.model.name} is built")
                self._finished = True
        except PanopticError as error:
            self._fail(build, str(error))
        except Exception as error:  # a bug: the main thread ends the process with a traceback
            self.failure = error
        finally:
            self._end(build)

    def _last_request(self, build: RunningBuild) -> _BuildRequest | None:
        """What shall become of the plan; whoever asks for it from here on has it built again.

        None where the build was called off.
        """
        with self._lock:
            if self._build is not build:
                return None
            self._building = None
            return self._request

    def _end(self, build: RunningBuild) -> None:
        with self._lock:
            if self._build is build:
                self._build = self._building = self._progress = None

    def _note(self, build: RunningBuild, phase: str, share: float) -> None:
        if self._build is build:
            self._progress = BuildProgress(phase, share)

    def _offer(self, build: RunningBuild, engine: Engine) -> None:
        """Keep a better engine, unless nobody wants it any more."""
        with self._lock:
            unused: Engine | None = engine
            if self._engine is not None and self._build is build:
                self._better, unused = engine, self._better
        if unused is not None:
            unused.close()

    def _fail(self, build: RunningBuild, words: str) -> None:
        # A build that was called off is no news.
        if self._build is build:
            self.problem = words
            self._log.warning(f"there will be no plan: {' '.join(words.split())}")

    def _cancel(self) -> None:
        """Call a build off; its thread ends by itself."""
        with self._lock:
            build, self._build = self._build, None
            self._building = self._progress = None
        if build is not None:
            build.cancel()
