# SPDX-License-Identifier: Apache-2.0
"""Cameras that play, the node and a recorder, as processes that meet over DDS."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panoptic_ros.cli.demonstration.camera import DemoCamera
from panoptic_ros.cli.demonstration.processes import Child
from panoptic_ros.cli.demonstration.recording import recorder_command
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.recordings.result_bag import NODE

if TYPE_CHECKING:
    from panoptic_ros.recordings.source import Source
    from panoptic_ros.ros.playback.player import Player

LONGEST_START_S = 60.0
_LOOK_S = 0.5
DRAIN_S = 2.5
"""How long the last images, and the count of them, may take through node and recorder."""


@dataclass(frozen=True)
class PlayedCamera:
    """One camera of a performance.

    Attributes:
        name: Empty where it is the only one.
        source: What it shows.
        place: How it sees and where it sits, None where that is not known.
        ego_mask: The node's parameter of that name, empty for none.
    """

    name: str
    source: Source
    place: DemoCamera | None = None
    ego_mask: str = ""

    @property
    def image_topic(self) -> str:
        """Where its images go."""
        return f"/{self.name or 'demo'}/image_raw"

    @property
    def results(self) -> str:
        """Below which topic the node publishes what it sees in them."""
        return f"{NODE}/{self.name}" if self.name else NODE


def run_session(
    cameras: Sequence[PlayedCamera],
    engine: str,
    bag: Path,
    logs: Path,
    parameters: Mapping[str, Any] | None = None,
) -> list[list[int]]:
    """Play all cameras at once through the node and record what it publishes.

    Args:
        cameras: The cameras; one without a name, or several with.
        engine: What the node runs.
        bag: What is recorded.
        logs: Folder of the processes' logs.
        parameters: Further parameters of the node, by name.

    Returns:
        Stamps of what each camera sent.

    Raises:
        ConfigError: A process ended or does not answer.
    """
    from panoptic_ros.ros.playback.player import Player, PlayOptions

    recorder_words = recorder_command(
        bag,
        [entry.results for entry in cameras],
        [entry.results for entry in cameras if entry.place is not None],
    )
    with ExitStack() as stack:
        recorder = stack.enter_context(Child("recorder", recorder_words, logs / "recorder.log"))
        words = node_command(cameras, engine, parameters or {})
        node = stack.enter_context(Child("node", words, logs / "node.log"))
        players = [
            stack.enter_context(
                Player(PlayOptions(entry.image_topic, is_live=True, wait_s=1.0), entry.name)
            )
            for entry in cameras
        ]
        for player, camera in zip(players, cameras, strict=True):
            _wait_until_listening(player, camera, (recorder, node))
        shown = ", ".join(f"{entry.source.path.name} as {entry.image_topic}" for entry in cameras)
        print(f"playing {shown} ...", flush=True)
        _play_together(players, cameras, (recorder, node))
        time.sleep(DRAIN_S)
        node.stop()
        recorder.stop()
        if not (logs / "recorder.log").stat().st_size:
            (logs / "recorder.log").unlink()
        return [player.sent_stamps_ns for player in players]


def node_command(
    cameras: Sequence[PlayedCamera], engine: str, parameters: Mapping[str, Any]
) -> list[str]:
    """Give the command that starts the node; its parameters are YAML."""
    command = [
        sys.executable,
        "-m",
        "panoptic_ros.ros.start",
        "--ros-args",
        "-p",
        f"engine:={engine}",
    ]
    topics = ", ".join(entry.image_topic for entry in cameras)
    command += ["-p", f"image_topics:=[{topics}]"]
    if any(entry.ego_mask for entry in cameras):
        command += ["-p", f"ego_mask:={json.dumps([entry.ego_mask for entry in cameras])}"]
    for place in (entry.place for entry in cameras if entry.place is not None):
        for name, value in place.node_parameters().items():
            command += ["-p", f"{name}:={value}"]
    for name, value in parameters.items():
        command += ["-p", f"{name}:={json.dumps(value)}"]
    if len(cameras) > 1:
        command += ["-p", f"cameras:=[{', '.join(entry.name for entry in cameras)}]"]
    return command


def _play_together(
    players: Sequence[Player], cameras: Sequence[PlayedCamera], children: Sequence[Child]
) -> None:
    """Play each camera in a thread of its own, as long as the other processes live."""
    failures: list[BaseException] = []

    def play(player: Player, source: Source) -> None:
        try:
            player.play(source)
        except BaseException as error:  # raised again below
            failures.append(error)

    threads = [
        threading.Thread(target=play, args=(player, camera.source), daemon=True)
        for player, camera in zip(players, cameras, strict=True)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        for child in children:
            child.check()
        for thread in threads:
            thread.join(_LOOK_S / len(threads))
    if failures:
        raise failures[0]


def _wait_until_listening(
    player: Player, camera: PlayedCamera, children: tuple[Child, ...]
) -> None:
    """Wait for the node to listen to the images, and for the recorder to listen to the node."""
    end_s = time.monotonic() + LONGEST_START_S
    while not (
        player.has_listener(camera.image_topic) and player.has_listener(f"{camera.results}/label")
    ):
        for child in children:
            child.check()
        if time.monotonic() > end_s:
            raise ConfigError(
                f"the node does not listen to {camera.image_topic} after "
                f"{LONGEST_START_S:.0f} s; {children[-1].last_words()}"
            )
        time.sleep(0.1)
