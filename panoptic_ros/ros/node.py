# SPDX-License-Identifier: Apache-2.0
"""``panoptic_node``: images of one or several cameras in, tracked panoptic topics out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn

from panoptic_ros.core.allocation import keep_freed_memory
from panoptic_ros.core.drivable.empty import no_class_warning
from panoptic_ros.core.errors import EngineRunError, PanopticError
from panoptic_ros.core.mailbox import Mailbox
from panoptic_ros.core.model import Engine, is_offloaded
from panoptic_ros.core.node_config import NODE_NAME, NodeConfig
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.engine.open import gpu_slot, open_configured, plan_to_build, start_build
from panoptic_ros.messages.message_types import rclpy_types
from panoptic_ros.ros.active_timer import ActiveTimer
from panoptic_ros.ros.camera.camera_input import image_topics
from panoptic_ros.ros.camera.cameras import Cameras
from panoptic_ros.ros.camera.watchdog import PERIOD_S
from panoptic_ros.ros.diagnostics import (
    engine_status,
    machine_status,
    name_statuses,
    stream_statuses,
)
from panoptic_ros.ros.engine_loader import EngineFactory, EngineLoader
from panoptic_ros.ros.health import Health
from panoptic_ros.ros.missing import say_what_is_missing
from panoptic_ros.ros.node_parameters import NodeParameters, refuse_unknown, say_what_is_unknown
from panoptic_ros.ros.process import run
from panoptic_ros.ros.remapping import LabelTables
from panoptic_ros.ros.sender import Sender
from panoptic_ros.ros.telemetry import Machine
from panoptic_ros.ros.trace_file import TraceFile
from panoptic_ros.ros.transforms import Transforms
from panoptic_ros.ros.watches.clock_watch import ClockWatch, on_jump_back
from panoptic_ros.ros.watches.name_watch import NameWatch
from panoptic_ros.ros.worker import Worker

_LOOK_PERIOD_S = 0.5
_PATIENCE_S = 10.0
_LITTLE_S = 1.0
_LAST_WORDS_S = 1.0
_ENGINES = EngineFactory(open_configured, plan_to_build, start_build)


class PanopticNode(LifecycleNode):  # type: ignore[misc]
    """The lifecycle node; all callbacks run in the executor's one thread.

    *configure* opens the engine and offers the topics, *activate* subscribes and starts the
    worker; *deactivate* and *cleanup* take it back.

    Attributes:
        failure: What ends the process: an engine that failed while it ran, or a bug.
        has_lost_engine: Whether the engine never came back, so that only a hard end is left.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(NODE_NAME, **options)
        self.failure: BaseException | None = None
        self.has_lost_engine = False
        self._types = rclpy_types()
        self._loader = EngineLoader(_ENGINES, self.get_logger())
        self._wants_start = False
        self._refusal = ""
        self._machine = Machine()
        self._worker: Worker | None = None
        self._trace: TraceFile | None = None
        self._active_timer = ActiveTimer(_LOOK_PERIOD_S)
        self._name_watch = NameWatch(self)
        self._cameras = Cameras(self, self._types, lambda: self.config)
        self._remapping = LabelTables(self.get_logger())
        self._parameters_in_force = NodeParameters(
            self,
            lambda: self._loader.engine is not None,
            self._follow,
        )
        self._health = Health(self, self._types, self._rows, self.config.diagnostics_period_s)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_LOOK_PERIOD_S, self._look, clock=steady)
        self.create_timer(PERIOD_S, self._cameras.watch, clock=steady)
        self._transforms = Transforms(self, self._types)
        self._clock_watch = on_jump_back(self, self._forget_tracks)
        self._simulated_clock = ClockWatch(self)
        say_what_is_missing(self._types, self.get_logger())
        say_what_is_unknown(self)

    @property
    def config(self) -> NodeConfig:
        """The parameters in force; replaced as a whole, so any thread may read it."""
        return self._parameters_in_force.config

    @property
    def engine(self) -> Engine | None:
        """The engine in use."""
        return self._loader.engine

    def start(self) -> None:
        """Configure and activate; where that fails the node stays as far as it came.

        Where only the engine's plan is missing, it starts when that is built.
        """
        self._wants_start = True
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def set_parameters_atomically(self, parameter_list: list[Any]) -> Any:
        """Set parameters all at once, as the services of ROS ask for it."""
        refusal = refuse_unknown(self, parameter_list)
        return refusal or super().set_parameters_atomically(parameter_list)

    def on_configure(self, state: Any) -> TransitionCallbackReturn:
        """Open the engine and offer the topics."""
        return self._guarded(lambda: self._configure(state), self._withdraw)

    def on_activate(self, state: Any) -> TransitionCallbackReturn:
        """Subscribe and start to work."""
        return self._guarded(lambda: self._activate(state), self._stop)

    def on_deactivate(self, state: Any) -> TransitionCallbackReturn:
        """Finish the image in work, then rest."""
        self._stop()
        self.get_logger().info("deactivated: images are not taken")
        return super().on_deactivate(state)

    def on_cleanup(self, state: Any) -> TransitionCallbackReturn:
        """Close the engine and withdraw the topics."""
        self._wants_start = False
        self._refusal = ""
        self._release()
        self.get_logger().info("cleaned up: unconfigured")
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: Any) -> TransitionCallbackReturn:
        """Stop and let go of everything."""
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: Any) -> TransitionCallbackReturn:
        """Go back to unconfigured."""
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """Stop the worker and free the engine; safe to call in any state and twice."""
        self._stop()
        self._release()
        self._loader.wait(_PATIENCE_S)

    def _configure(self, state: Any) -> TransitionCallbackReturn:
        self._parameters_in_force.check()
        config = self.config
        self._health.set_period(config.diagnostics_period_s)
        self._machine = Machine(bus_id=gpu_slot(config.engine.device))
        self._trace = TraceFile(config.trace) if config.trace else None
        engine = self._loader.open(config.engine)
        # What does not fit the model's classes is refused here, before the node is configured.
        warning = no_class_warning(engine.spec.labels, config.pipeline.drivable)
        self._cameras.offer()
        self._remapping.open(engine.spec.labels, config.remap, self._cameras.outputs)
        self.get_logger().info(f"configured: {engine.description}")
        if warning:
            self.get_logger().warning(warning)
        return super().on_configure(state)

    def _activate(self, state: Any) -> TransitionCallbackReturn:
        self._loader.swap()
        engine = self._loader.engine
        assert engine is not None
        mailbox: Mailbox[Any] = Mailbox()
        overlap = self.config.overlap
        pipeline = Pipeline(engine, self.config.pipeline)
        self._cameras.subscribe(pipeline, self._transforms, mailbox.put)
        streams = self._cameras.streams
        self._worker = Worker(
            self.get_logger(),
            mailbox,
            pipeline,
            streams,
            lambda: self.config,
            self._loader.swap,
            Sender() if overlap != "never" else None,
            is_offloaded if overlap == "auto" else lambda engine: True,
            self._trace,
        )
        # Nothing behind this can fail, so a refused activation leaves no publisher on.
        answer = super().on_activate(state)
        self._cameras.publish_labels(engine.spec.labels)
        self._worker.start()
        self._look()
        topics = ", ".join(stream.input.topic for stream in streams.values())
        self.get_logger().info(f"active, images from {topics}")
        return answer

    def _stop(self) -> None:
        self._cameras.unsubscribe()
        if self._worker is not None:
            if not self._worker.stop(self._patience_s()):
                self._lose_engine()
            self.failure = self.failure or self._worker.failure
            self._worker = None

    def _patience_s(self) -> float:
        """How long the worker may take to end; an engine that has failed gets little."""
        return _LITTLE_S if isinstance(self.failure, EngineRunError) else _PATIENCE_S

    def _lose_engine(self) -> None:
        self.has_lost_engine = True
        self.failure = self.failure or EngineRunError("the engine does not come back")
        self.get_logger().error(f"{self.failure}; the process ends without waiting for it")
        self._loader.abandon_engine()

    def _withdraw(self) -> None:
        """Undo ``configure``; a plan in work goes on, for the next try."""
        if self._trace is not None:
            self._trace.write(self.get_logger())
            self._trace = None
        self._remapping.close()
        self._cameras.withdraw()
        self._loader.close_engine()

    def _release(self) -> None:
        self._withdraw()
        self._loader.close()

    def _guarded(
        self, step: Callable[[], TransitionCallbackReturn], undo: Callable[[], None]
    ) -> TransitionCallbackReturn:
        """Turn a user's mistake into one line and FAILURE; rclpy would swallow any exception."""
        self._refusal = ""
        try:
            return step()
        except PanopticError as error:
            self._refusal = " ".join(str(error).split())
            self.get_logger().error(self._refusal)
        except Exception as error:  # a bug: the main thread ends the process with a traceback
            self.failure = error
        undo()
        return TransitionCallbackReturn.FAILURE

    def _follow(self, config: NodeConfig, names: list[str]) -> None:
        """Take over parameters; nothing of them where they do not fit."""
        self._cameras.check(config)
        self._remapping.choose(config.remap, names)

    def _look(self) -> None:
        """Follow the graph, and notice that the worker has failed."""
        self._cameras.look(self._image_topics)
        self._simulated_clock.look()
        self._name_watch.look()
        self._remapping.look()
        if self._worker is not None:
            self.failure = self.failure or self._worker.failure or self._overdue(self._worker)
        self.failure = self.failure or self._loader.failure
        finished = self._loader.take_finished()
        # Meanwhile somebody may have configured the node with another engine.
        if finished and self._wants_start and self._loader.engine is None:
            self.start()

    def _image_topics(self) -> list[str]:
        """Image topics of other nodes."""
        own = self.get_fully_qualified_name() + "/"
        graph = self.get_topic_names_and_types()
        return image_topics(graph, own, self.get_publishers_info_by_topic)

    def _overdue(self, worker: Worker) -> EngineRunError | None:
        limit_s = self.config.engine.timeout_s
        busy_s = self._active_timer.overdue_s(worker.busy_since_s, limit_s)
        failure = EngineRunError(f"the engine has not answered for {busy_s:.1f} s")
        return failure if busy_s else None

    def _forget_tracks(self) -> None:
        if self._worker is not None:
            self.get_logger().info("the clock jumped back: all tracks start anew")
            self._worker.forget_tracks()

    def say_last_words(self) -> None:
        """Tell ``/diagnostics`` why the process ends, and wait until that is heard."""
        self._health.publish_and_wait(_LAST_WORDS_S)

    def _rows(self) -> list[Any]:
        """Statuses of every camera, of the engine and of the machine."""
        name, types = self.get_fully_qualified_name().lstrip("/"), self._types
        failure = str(self.failure) if isinstance(self.failure, EngineRunError) else ""
        is_active, stale_after_s = self._worker is not None, self.config.stale_after_s
        return [
            *stream_statuses(name, self._cameras.streams.values(), stale_after_s, types),
            engine_status(name, is_active, failure, self._loader, types, self._refusal),
            machine_status(name, self._machine.read(), types),
            *name_statuses(name, self._name_watch.problem, types),
        ]


def main() -> int:
    """Run the node as a process; see ``process.run`` for the exit status."""
    keep_freed_memory()
    return run(PanopticNode)


if __name__ == "__main__":
    sys.exit(main())
