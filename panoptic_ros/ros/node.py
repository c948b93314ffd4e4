# SPDX-License-Identifier: Apache-2.0
"""``panoptic_node``: pictures of one or several cameras in, tracked panoptic topics out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.utilities import get_rmw_implementation_identifier

from panoptic_ros.core.errors import ConfigError, EngineRunError, PanopticError
from panoptic_ros.core.memory import keep_freed_memory
from panoptic_ros.core.model import Engine
from panoptic_ros.core.pipeline import Pipeline
from panoptic_ros.engine.open import open_engine
from panoptic_ros.ros import transport
from panoptic_ros.ros.camera_input import CameraInput
from panoptic_ros.ros.camera_output import CameraOutput
from panoptic_ros.ros.diagnostics import ERROR, OK, camera_status, engine_values, status
from panoptic_ros.ros.message_types import rclpy_types
from panoptic_ros.ros.parameters import (
    DECLARED,
    UNCONFIGURED_ONLY,
    NodeConfig,
    camera_topic,
    changed,
    check_cameras,
    descriptor,
    ros_value,
)
from panoptic_ros.ros.process import run
from panoptic_ros.ros.tally import Tally
from panoptic_ros.ros.vision import DETECTION_ARRAY, LABEL_INFO
from panoptic_ros.ros.worker import Camera, Worker

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
        self._config = NodeConfig()
        self._refused: dict[str, str] = {}
        self._engine: Engine | None = None
        self._worker: Worker | None = None
        self._outputs: dict[str, CameraOutput] = {}
        self._cameras: dict[str, Camera] = {}
        self._tallies: dict[str, Tally] = {}
        self._declare()
        self._diagnostics = self.create_publisher(
            self._types.find("diagnostic_msgs/msg/DiagnosticArray"), "/diagnostics", 10
        )
        # Steady: a paused /clock must not silence the diagnostics.
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._ticker = self._tick()
        self.create_timer(_LOOK_PERIOD_S, self._look, clock=self._steady)
        self._say_what_is_missing()

    @property
    def config(self) -> NodeConfig:
        """The parameters in force; replaced as a whole, so any thread may read it."""
        return self._config

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
        if self._refused:
            raise ConfigError("; ".join(self._refused.values()))
        check_cameras(self._config)
        self.destroy_timer(self._ticker)
        self._ticker = self._tick()
        self._engine = open_engine(
            self._config.engine,
            self._config.engine_threads,
            say=self.get_logger().info,
        )
        several = len(self._config.cameras) > 1
        for name in self._config.cameras:
            prefix = f"~/{name}/" if several else "~/"
            self._outputs[name] = CameraOutput(self, prefix, self._types)
        self.get_logger().info(f"configured: {self._engine.description}")
        return super().on_configure(state)

    def _activate(self, state: Any) -> TransitionCallbackReturn:
        assert self._engine is not None
        labels = self._engine.spec.labels
        pipeline = Pipeline(self._engine, self._config.pipeline)
        self._worker = Worker(
            self, pipeline, labels, self._cameras, self._types, lambda: self._config
        )
        for index, name in enumerate(self._config.cameras):
            self._tallies.setdefault(name, Tally())
            self._cameras[name] = self._camera(index, name, self._worker)
        # Nothing behind this can fail, so a refused activation leaves no publisher on.
        answer = super().on_activate(state)
        for output in self._outputs.values():
            output.publish_labels(labels)
        self._worker.start()
        self._look()
        topics = ", ".join(camera.input.topic for camera in self._cameras.values())
        self.get_logger().info(f"active, pictures from {topics}")
        return answer

    def _camera(self, index: int, name: str, worker: Worker) -> Camera:
        tally, mailbox = self._tallies[name], worker.mailbox
        topic = camera_topic(self._config, index, "image_topics", "image")
        return Camera(
            CameraInput(
                self,
                topic,
                self._info_topic(index),
                self._types,
                lambda message: tally.receive(mailbox.put(name, message)),
            ),
            self._outputs[name],
            tally,
        )

    def _info_topic(self, index: int) -> str:
        """CameraInfo topic where parameter or remapping names it, else empty."""
        usual = camera_topic(self._config, index, "camera_info_topics", "camera_info")
        said = self._config.camera_info_topics
        is_remapped = self.resolve_topic_name(usual) != self.resolve_topic_name(
            usual, only_expand=True
        )
        return usual if is_remapped or (any(said) and said[index]) else ""

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

    # Parameters --------------------------------------------------------------------------------

    def _declare(self) -> None:
        """Declare all parameters; bad values from outside wait for ``configure`` to say so."""
        self.add_on_set_parameters_callback(self._on_set)
        for entry in DECLARED.values():
            about, value = descriptor(entry), ros_value(entry)
            try:
                self.declare_parameter(entry.name, value, about)
            except (InvalidParameterTypeException, InvalidParameterValueException) as error:
                self.declare_parameter(entry.name, value, about, ignore_override=True)
                self._refused[entry.name] = f"parameter {entry.name}: {error}"

    def _on_set(self, wanted: list[Any]) -> SetParametersResult:
        ours = [(entry.name, entry.value) for entry in wanted if entry.name in DECLARED]
        try:
            if self._engine is not None:
                self._check_live(ours)
            self._config = changed(self._config, ours)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        for name, _ in ours:
            self._refused.pop(name, None)
        return SetParametersResult(successful=True)

    def _check_live(self, values: list[tuple[str, Any]]) -> None:
        for name, _ in values:
            if not DECLARED[name].live:
                raise ConfigError(f"{name}: {UNCONFIGURED_ONLY}")

    # Watching ----------------------------------------------------------------------------------

    def _look(self) -> None:
        """Follow the graph, and notice that the worker has failed."""
        for camera in self._cameras.values():
            camera.input.look()
        if self._worker is not None and self._worker.failure is not None:
            self.failure = self._worker.failure

    def _tick(self) -> Any:
        period_s = self._config.diagnostics_period_s
        return self.create_timer(period_s, self.publish_diagnostics, clock=self._steady)

    def publish_diagnostics(self) -> None:
        """Say how every camera and the engine are doing."""
        name = self.get_name()
        failed = isinstance(self.failure, EngineRunError)
        rows = [
            camera_status(
                f"{name}: {camera}",
                self._tallies[camera].report(),
                entry.input.topic,
                self._config.stale_after_s,
                self._types,
            )
            for camera, entry in self._cameras.items()
        ]
        words = str(self.failure) if failed else ("running" if rows else "not active")
        facts = engine_values(self._engine)
        rows.append(status(f"{name}: engine", ERROR if failed else OK, words, facts, self._types))
        header = self._types.make("std_msgs/msg/Header")
        header.stamp = self.get_clock().now().to_msg()
        kind = "diagnostic_msgs/msg/DiagnosticArray"
        self._diagnostics.publish(self._types.make(kind, header=header, status=rows))

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
