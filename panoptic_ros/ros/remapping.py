# SPDX-License-Identifier: Apache-2.0
"""The remap files in force: read when a parameter says so, and again when they change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from panoptic_ros.core.classes.label_table import LabelTable
from panoptic_ros.core.classes.labels import LabelSet
from panoptic_ros.core.classes.remap import (
    OPTIONAL_REMAPS,
    REMAPPED_TOPICS,
    RemapConfig,
    find_remap,
    read_remap,
)
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.ros.camera.camera_output import CameraOutput
from panoptic_ros.ros.protocols import Logger


@dataclass(frozen=True)
class _Source:
    path: Path
    version: tuple[int, int]


class LabelTables:
    """Tables by topic, handed to the outputs of all cameras; used by the executor's thread.

    Args:
        log: Takes what is silent, was read again or cannot be used.
    """

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._labels: LabelSet | None = None
        self._config = RemapConfig()
        self._outputs: tuple[CameraOutput, ...] = ()
        self._remaps: Mapping[str, LabelTable] = {}
        self._sources: dict[str, _Source] = {}

    def open(self, labels: LabelSet, config: RemapConfig, outputs: Iterable[CameraOutput]) -> None:
        """Read the files of all topics for a model.

        Args:
            labels: The model's classes.
            config: The parameters.
            outputs: Who gets the tables, at once and whenever they change.

        Raises:
            ConfigError: A file is missing or wrong, or one that is not the default has no section
                for the model.
        """
        self._labels, self._outputs = labels, tuple(outputs)
        usual = RemapConfig()
        self._read(
            labels,
            config,
            [
                name
                for name in REMAPPED_TOPICS.values()
                if getattr(config, name) != getattr(usual, name)
            ],
        )

    def close(self) -> None:
        """Forget model and outputs."""
        self._labels, self._outputs, self._sources = None, (), {}

    def choose(self, config: RemapConfig, names: Iterable[str]) -> None:
        """Follow parameters that somebody has set, even to what they were.

        Args:
            config: The parameters, with those that are set.
            names: Dotted names of those; all but ``remap.`` ones are passed over.

        Raises:
            ConfigError: A file is missing or wrong, or a chosen one has no section for the model;
                everything stays as it was.
        """
        chosen = [name.removeprefix("remap.") for name in names if name.startswith("remap.")]
        if chosen and self._labels is not None:
            self._read(self._labels, config, [one for one in chosen if self._counts(config, one)])

    def _counts(self, config: RemapConfig, parameter: str) -> bool:
        """Whether a parameter says more than that a silent topic stays so, as a dump does."""
        (topic,) = [topic for topic, name in REMAPPED_TOPICS.items() if name == parameter]
        was = getattr(self._config, parameter)
        return topic in self._remaps or bool(getattr(config, parameter) != was)

    def look(self) -> None:
        """Read files again that have changed; a wrong one leaves its former table in force."""
        for topic, source in self._sources.items():
            version = _version(source.path)
            if version != source.version and self._labels is not None:
                self._sources[topic] = _Source(source.path, version)
                self._reread(topic, source.path, self._labels)

    def _reread(self, topic: str, path: Path, labels: LabelSet) -> None:
        try:
            remap = read_remap(path).fit(labels)
        except ConfigError as error:
            self._log.warning(f"~/{topic} keeps its former classes: {error}")
            return
        self._log.info(f"~/{topic}: {path} has changed and was read again")
        self._hand_out({**self._remaps, topic: remap})

    def _read(self, labels: LabelSet, config: RemapConfig, chosen: Collection[str]) -> None:
        made: dict[str, LabelTable] = {}
        sources: dict[str, _Source] = {}
        for topic, parameter in REMAPPED_TOPICS.items():
            word = getattr(config, parameter)
            if not word:
                continue
            path = find_remap(word)
            sources[topic] = _Source(path, _version(path))
            rules = read_remap(path)
            # A topic that would speak the model's classes instead must not do so unnoticed.
            if rules.knows(labels) or parameter in chosen or topic in OPTIONAL_REMAPS:
                made[topic] = rules.fit(labels)
            else:
                self._log.info(
                    f"~/{topic} stays silent: {path.name} {rules.misfit(labels)}; set "
                    f"remap.{parameter} to a file that fits"
                )
        self._config, self._sources = config, sources
        self._hand_out(made)

    def _hand_out(self, remaps: Mapping[str, LabelTable]) -> None:
        self._remaps = remaps
        for output in self._outputs:
            output.remaps = remaps
            output.publish_remap()


def _version(path: Path) -> tuple[int, int]:
    """Changes with the file's content; a file that is gone has a version too."""
    try:
        about = path.stat()
    except OSError:
        return 0, 0
    return about.st_mtime_ns, about.st_size
