# SPDX-License-Identifier: Apache-2.0
"""All that is known about one frame, and its views: detection, instance, semantic, panoptic."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.labels import UNNAMED, LabelSet
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.geometry import enlarge, enlarge_box, enlarge_pairs
from panoptic_ros.core.instance import Instance
from panoptic_ros.core.overlay import OverlayStyle, draw_overlay
from panoptic_ros.core.types import Box, Drivable, Frame, Panoptic, Track

if TYPE_CHECKING:
    from panoptic_ros.core.ground.grid import Boundary, Grid, Ground

_NO_PIXEL = np.zeros((1, 1, 3), np.uint8)


@dataclass(frozen=True, eq=False)
class Result:
    """All that is known about one frame.

    ``panoptic``, ``tracks`` and ``drivable`` are at map size, as the pipeline works; the methods
    give views at camera size. An object has its track's number and voted class in all of them.

    Attributes:
        frame: What the camera sent.
        panoptic: Labels and segment ids at map size.
        tracks: The objects seen in this frame, ordered by id.
        drivable: Surface to drive on, at map size.
        stages_ms: Milliseconds by stage, in order of the stages.
        label_set: What the class indices mean.
    """

    frame: Frame
    panoptic: Panoptic
    tracks: tuple[Track, ...]
    drivable: Drivable
    stages_ms: dict[str, float] = field(default_factory=dict)
    label_set: LabelSet = UNNAMED

    def __repr__(self) -> str:
        """Say size, time, objects and drivable share in one line."""
        height, width = self.camera_size
        names = sorted(self.label_set.name_of(track.label) for track in self.tracks)
        objects = ", ".join(f"{name} {count}" for name, count in Counter(names).items())
        mask = self.drivable.mask
        share = 100 * np.count_nonzero(mask) / max(1, mask.size)
        return (
            f"<Result {width}x{height} at {self.frame.stamp_ns / 1e9:.3f} s: "
            f"{objects or 'no objects'}; {share:.0f} % drivable>"
        )

    @property
    def camera_size(self) -> tuple[int, int]:
        """(height, width) of the frame."""
        height, width = self.frame.image.shape[:2]
        return height, width

    def camera_box(self, track: Track) -> Box:
        """Box of a track in camera pixels, half open; empty where it covers no pixel's centre."""
        height, width = self.panoptic.ids.shape
        return enlarge_box(track.segment.box, (height, width), self.camera_size)

    def track_ids(self) -> NDArray[np.uint16]:
        """Track id of every pixel, 0 for none, at map size, (h, w) uint16."""
        return self._track_ids

    def track_labels(self) -> NDArray[np.uint8]:
        """Class index of every pixel, 255 void, at map size; an object has its voted class."""
        return self._track_labels

    def semantic(self) -> NDArray[np.uint8]:
        """Class index of every camera pixel, 255 void, (H, W) uint8; what ``~/label`` carries."""
        return enlarge(self.track_labels(), self.camera_size)

    def instance_ids(self) -> NDArray[np.uint16]:
        """Track id of every camera pixel, 0 for none, (H, W) uint16; ``~/instance``."""
        return enlarge(self.track_ids(), self.camera_size)

    def confidence(self) -> NDArray[np.uint8]:
        """How sure the class of every camera pixel is, 0..255, (H, W) uint8."""
        return enlarge(self.panoptic.confidence, self.camera_size)

    def drivable_mask(self) -> NDArray[np.bool_]:
        """Where one can drive, (H, W) bool."""
        return enlarge(self.drivable.mask.view(np.uint8), self.camera_size).view(np.bool_)

    def plot(self, style: OverlayStyle | None = None) -> NDArray[np.uint8]:
        """Draw classes, objects and the drivable edge over the image; what ``~/overlay`` shows.

        Args:
            style: What to draw; all by default.

        Returns:
            RGB, (H, W, 3) uint8 at camera size; the frame is not touched.
        """
        return draw_overlay(self, self.label_set, style)

    def grid(self, ground: Ground) -> Grid:
        """Lay the surface on the ground as an occupancy grid; ``~/drivable_grid``.

        Args:
            ground: Of the camera, see ``ground_of``; give it the frames in order, as cells fade.

        Raises:
            ConfigError: The calibration is for images of another size.
        """
        self._check_size(ground)
        return ground.grid(self.panoptic, self.drivable, self.frame.stamp_ns)

    def ground_boundary(self, ground: Ground) -> Boundary:
        """Say how far the free space reaches, in metres; ``~/drivable_boundary``.

        Args:
            ground: Of the camera, see ``ground_of``.

        Raises:
            ConfigError: The calibration is for images of another size.
        """
        self._check_size(ground)
        return ground.boundary(self.drivable)

    def _check_size(self, ground: Ground) -> None:
        """Refuse the ground of another camera, and that of this one before its images were cut."""
        from panoptic_ros.core.ground.grid import Ground

        if not isinstance(ground, Ground):
            raise ConfigError(f"{type(ground).__name__} is no Ground; ground_of makes one")
        (width, height), (rows, columns) = ground.camera.size, self.camera_size
        if (height, width) != (rows, columns):
            raise ConfigError(
                f"the calibration is for {width}x{height}, the image is {columns}x{rows}; needs "
                "the camera's images as they were calibrated, or a calibration of this size"
            )

    def two_channel(self) -> NDArray[np.uint16]:
        """(L, Z) of every camera pixel: class index and track id, (H, W, 2) uint16."""
        return enlarge_pairs(self.track_labels(), self.track_ids(), self.camera_size)

    def two_channel_png(self) -> bytes:
        """Write ``two_channel`` as an 8 bit RGB PNG: R class, G * 256 + B track id.

        Source: KITTI-STEP's label images; any PNG reader gives the pairs back.
        """
        labels, ids = self.semantic(), self.instance_ids()
        high, low = (ids >> 8).astype(np.uint8), (ids & 255).astype(np.uint8)
        # OpenCV stores BGR.
        _, encoded = cv2.imencode(".png", np.stack((low, high, labels), axis=-1))
        return bytes(encoded)

    def instances(self) -> tuple[Instance, ...]:
        """List the tracked objects that cover a camera pixel, by id, each with box and mask."""
        made = (self._instance(track) for track in self.tracks)
        return tuple(instance for instance in made if instance is not None)

    def counts(self) -> dict[str, int]:
        """Number of tracked objects by class name; classes without any are left out."""
        names = (self.label_set.name_of(instance.label) for instance in self.instances())
        return dict(sorted(Counter(names).items()))

    def to_coco(self, image_id: int = 0) -> list[dict[str, Any]]:
        """List the objects as COCO's result file for instance segmentation wants them.

        Args:
            image_id: The image's number in the data set.
        """
        return [instance.to_coco(image_id) for instance in self.instances()]

    @cached_property
    def _ids(self) -> NDArray[np.uint16]:
        return self.instance_ids()

    @cached_property
    def _track_ids(self) -> NDArray[np.uint16]:
        table = np.zeros(len(self.panoptic.segments) + 1, np.uint16)
        for track in self.tracks:
            table[list(track.segment_ids)] = track.id
        return table.take(self.panoptic.ids)

    @cached_property
    def _track_labels(self) -> NDArray[np.uint8]:
        changed = [t for t in self.tracks if t.label != t.segment.label or t.pieces]
        if not changed:
            return self.panoptic.labels
        table = np.zeros(len(self.panoptic.segments) + 1, np.uint8)
        moved = np.zeros(table.size, np.bool_)
        for track in changed:
            table[list(track.segment_ids)] = track.label
            moved[list(track.segment_ids)] = True
        ids = self.panoptic.ids
        return np.where(moved[ids], table[ids], self.panoptic.labels)

    def _instance(self, track: Track) -> Instance | None:
        """Cut one track out of the map; None where no pixel of it is left at camera size."""
        box = self.camera_box(track)
        x0, y0, x1, y1 = box
        if x0 >= x1 or y0 >= y1:
            return None
        mask = np.zeros(self.camera_size, np.bool_)
        np.equal(self._ids[y0:y1, x0:x1], track.id, out=mask[y0:y1, x0:x1])
        name = self.label_set.name_of(track.label)
        named = self.label_set.named_probabilities(track.probabilities)
        return Instance(track.id, track.label, name, track.score, box, mask, named)


def without_image(result: Result) -> Result:
    """Keep a result without the memory of its image; the size is kept by a stretched pixel."""
    image = np.broadcast_to(_NO_PIXEL, (*result.camera_size, 3))
    return replace(result, frame=replace(result.frame, image=image))
