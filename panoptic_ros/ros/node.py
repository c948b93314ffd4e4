# SPDX-License-Identifier: Apache-2.0
"""``panoptic_node``: pictures of one or several cameras in, tracked panoptic topics out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.utilities import get_rmw_implementation_identifier

from panoptic_ros.core.errors import EngineRunError, PanopticError
from panoptic_ros.core.memory import keep_freed_memory
from panoptic_ros.core.model import Engine
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.engine.open import open_engine
from panoptic_ros.ros import transport
from panoptic_ros.ros.camera import Camera, open_input, open_outputs
from panoptic_ros.ros.camera_output import CameraOutput
from panoptic_ros.ros.diagnostics import ERROR, OK, camera_status, engine_values, status
from panoptic_ros.ros.health import Health
from panoptic_ros.ros.message_types import rclpy_types
from panoptic_ros.ros.node_parameters import NodeParameters
from panoptic_ros.ros.parameters import NodeConfig
from panoptic_ros.ros.process import run
from panoptic_ros.ros.tally import Tally
from panoptic_ros.ros.vision import DETECTION_ARRAY, LABEL_INFO
from panoptic_ros.ros.worker import Worker

NODE_NAME = "panoptic"
_LOOK_PERIOD_S = 0.5

Answer = TransitionCallbackReturn


class PanopticNode(LifecycleNode):  # type: ignore[misc]
    """The lifecycle node; all callbacks run in the executor's one thread.

    *configure* opens the engine and offers the topics, *activate* subscribes and starts the
    worker; *deactivate* and *cleanup* take it back.

    Attributes:
        failure: What ends the process: an engine that failed while it ran, or a bug.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(NODE_NAME, **options)
        self.failure: BaseException | None = None
        self._types = rclpy_types()
        self._engine: Engine | None = None
        self._worker: Worker | None = None
        self._outputs: dict[str, CameraOutput] = {}
        self._cameras: dict[str, Camera] = {}
        self._tallies: dict[str, Tally] = {}
        self._parameters_in_force = NodeParameters(self, lambda: self._engine is not None)
        self._health = Health(self, self._types, self._rows, self.config.diagnostics_period_s)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_LOOK_PERIOD_S, self._look, clock=steady)
        self._say_what_is_missing()

    @property
    def config(self) -> NodeConfig:
        """The parameters in force; replaced as a whole, so any thread may read it."""
        return self._parameters_in_force.config

    def start(self) -> None:
        """Configure and activate; where that fails the node stays as far as it came."""
        if self.trigger_configure() == Answer.SUCCESS:
            self.trigger_activate()

    # Lifecycle ---------------------------------------------------------------------------------

    def on_configure(self, state: Any) -> TransitionCallbackReturn:
        """Open the engine and offer the topics."""
        return self._guarded(lambda: self._configure(state), self._release)

    def on_activate(self, state: Any) -> TransitionCallbackReturn:
        """Subscribe and start to work."""
        return self._guarded(lambda: self._activate(state), self._stop)

    def on_deactivate(self, state: Any) -> TransitionCallbackReturn:
        """Finish the picture in work, then rest."""
        self._stop()
        return super().on_deactivate(state)

    def on_cleanup(self, state: Any) -> TransitionCallbackReturn:
        """Close the engine and withdraw the topics."""
        self._release()
        return Answer.SUCCESS

    def on_shutdown(self, state: Any) -> TransitionCallbackReturn:
        """Stop and let go of everything."""
        self.close()
        return Answer.SUCCESS

    def on_error(self, state: Any) -> TransitionCallbackReturn:
        """Go back to unconfigured."""
        self.close()
        return Answer.SUCCESS

    def close(self) -> None:
        """Stop the worker and free the engine; safe to call in any state and twice."""
        self._stop()
        self._release()

    def _configure(self, state: Any) -> TransitionCallbackReturn:
        self._parameters_in_force.check()
        config = self.config
        self._health.set_period(config.diagnostics_period_s)
        self._engine = open_engine(
            config.engine, config.engine_threads, say=self.get_logger().info
        )
        self._outputs = open_outputs(self, config, self._types)
        self.get_logger().info(f"configured: {self._engine.description}")
        return super().on_configure(state)

    def _activate(self, state: Any) -> TransitionCallbackReturn:
        assert self._engine is not None
        labels = self._engine.spec.labels
        pipeline = Pipeline(self._engine, self.config.pipeline)
        self._worker = Worker(
            self, pipeline, labels, self._cameras, self._types, lambda: self.config
        )
        put = self._worker.mailbox.put
        for index, name in enumerate(self.config.cameras):
            tally = self._tallies.setdefault(name, Tally())
            entry = open_input(self, self.config, index, self._types, tally, put)
            self._cameras[name] = Camera(entry, self._outputs[name], tally)
        # Nothing behind this can fail, so a refused activation leaves no publisher on.
        answer = super().on_activate(state)
        for output in self._outputs.values():
            output.publish_labels(labels)
        self._worker.start()
        self._look()
        topics = ", ".join(camera.input.topic for camera in self._cameras.values())
        self.get_logger().info(f"active, pictures from {topics}")
        return answer

    def _stop(self) -> None:
        for camera in self._cameras.values():
            camera.input.close()
        if self._worker is not None:
            self._worker.stop()
            self.failure = self.failure or self._worker.failure
            self._worker = None
        self._cameras.clear()

    def _release(self) -> None:
        for output in self._outputs.values():
            output.close()
        self._outputs.clear()
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _guarded(
        self, step: Callable[[], TransitionCallbackReturn], undo: Callable[[], None]
    ) -> TransitionCallbackReturn:
        """Turn a user's mistake into one line and FAILURE; rclpy would swallow any exception."""
        try:
            return step()
        except PanopticError as error:
            self.get_logger().error(" ".join(str(error).split()))
        except Exception as error:  # a bug: the main thread ends the process with a traceback
            self.failure = error
        undo()
        return Answer.FAILURE

    # Watching ----------------------------------------------------------------------------------

    def _look(self) -> None:
        """Follow the graph, and notice that the worker has failed."""
        for camera in self._cameras.values():
            camera.input.look()
        if self._worker is not None and self._worker.failure is not None:
            self.failure = self._worker.failure

    def publish_diagnostics(self) -> None:
        """Say how every camera and the engine are doing."""
        self._health.publish()

    def _rows(self) -> list[Any]:
        """Statuses of every camera and of the engine."""
        name = self.get_name()
        failed = isinstance(self.failure, EngineRunError)
        rows = [
            camera_status(
                f"{name}: {camera}",
                self._tallies[camera].report(),
                entry.input.topic,
                self.config.stale_after_s,
                self._types,
            )
            for camera, entry in self._cameras.items()
        ]
        words = str(self.failure) if failed else ("running" if rows else "not active")
        facts = engine_values(self._engine)
        rows.append(status(f"{name}: engine", ERROR if failed else OK, words, facts, self._types))
        return rows

    def _say_what_is_missing(self) -> None:
        missing = [name for name in (DETECTION_ARRAY, LABEL_INFO) if not self._types.has(name)]
        if missing:
            self.get_logger().info(
                "without ~/detections and ~/label_info: vision_msgs is not installed "
                "(ros-<distro>-vision-msgs)"
                if len(missing) == 2
                else f"the installed vision_msgs lacks {missing[0]}; its topic is left out"
            )
        if transport.needs_warning(get_rmw_implementation_identifier()):
            self.get_logger().warning(transport.warning())


def main() -> int:
    """Run the node as a process; see ``process.run`` for the exit status."""
    keep_freed_memory()
    return run(PanopticNode)


if __name__ == "__main__":
    sys.exit(main())
