# SPDX-License-Identifier: Apache-2.0
"""The clouds of one camera on their way to labels and boxes, and why one does not get there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.camera.turn import turn_of_camera
from panoptic_ros.core.clouds.boxes import ObjectBox, boxes_of
from panoptic_ros.core.clouds.cloud import LabelledCloud, PointCloud
from panoptic_ros.core.clouds.labelling import label_cloud
from panoptic_ros.core.clouds.object_filter import ObjectFilter
from panoptic_ros.core.clouds.pairing import Paired, Pairing
from panoptic_ros.core.config import GroundConfig, PointsConfig
from panoptic_ros.core.errors import CloudError, ConfigError
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.ground.extrinsics import camera_pose_of
from panoptic_ros.core.ground.transform_tree import TransformTree
from panoptic_ros.core.result import Result
from panoptic_ros.messages.camera_info import camera_model
from panoptic_ros.messages.clouds.cloud_statistics import CloudStatistics
from panoptic_ros.messages.clouds.depth_image import DepthReader
from panoptic_ros.messages.clouds.point_cloud import TooLargeError, to_cloud
from panoptic_ros.messages.convert import stamp_ns
from panoptic_ros.messages.protocols import CameraInfo, Header

Pose = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SensorMessage:
    """A message with points.

    Attributes:
        message: PointCloud2, or depth Image.
        info: CameraInfo of a depth camera, None where it is silent or the message is a cloud.
    """

    message: Any
    info: CameraInfo | None = None


@dataclass(frozen=True)
class CloudSettings:
    """What is said about the clouds of a camera.

    Attributes:
        points: Limits.
        ground: Says which frame is level.
        rotation: Degrees by which the image was turned after the camera, of which TF speaks.
    """

    points: PointsConfig
    ground: GroundConfig
    rotation: int = 0


@dataclass(frozen=True, eq=False)
class CloudResult:
    """All that is known about one cloud.

    Attributes:
        header: Of its message.
        labelled: Its points.
        boxes: Of the objects, by track id.
    """

    header: Header
    labelled: LabelledCloud
    boxes: list[ObjectBox]


class CloudStage:
    """Labels the clouds of one camera.

    Any thread may put clouds; the other methods are used by one thread at a time.

    Args:
        tree: Where the sensors are.
        statistics: Counts what happens.
    """

    def __init__(self, tree: TransformTree, statistics: CloudStatistics) -> None:
        self._tree = tree
        self._statistics = statistics
        self._pairing: Pairing[SensorMessage] = Pairing()
        self._filter = ObjectFilter()
        self._depth = DepthReader()

    def put(self, sensed: SensorMessage) -> None:
        """Let a cloud wait for the results around its time."""
        self._statistics.count("received")
        if self._pairing.put(sensed, stamp_ns(sensed.message.header)):
            self._statistics.drop(
                "dropped_no_image",
                "clouds are waiting for images that do not come, or come with earlier stamps",
            )

    def take(
        self,
        result: Result,
        info: CameraInfo | None,
        settings: CloudSettings,
    ) -> list[CloudResult]:
        """Hand over a result, and label the clouds that waited for it.

        Args:
            result: Of the camera's newest image.
            info: CameraInfo of the camera, None where it is silent.
            settings: Limits, and what is said about the camera.

        Returns:
            A result per cloud that can be labelled; the others are counted.
        """
        pairs = self._pairing.take(result, settings.points.max_offset_s)
        return self._labelled(pairs, info, settings)

    def pass_by(self, result: Result, points: PointsConfig) -> None:
        """Hand over a result while nobody asks for clouds; those that waited for it are gone."""
        self._pairing.take(result, points.max_offset_s)

    def finish(self, info: CameraInfo | None, settings: CloudSettings) -> list[CloudResult]:
        """Label the clouds behind the last image of a recording; see ``take``."""
        return self._labelled(self._pairing.finish(settings.points.max_offset_s), info, settings)

    def _labelled(
        self,
        pairs: list[Paired[SensorMessage]],
        info: CameraInfo | None,
        settings: CloudSettings,
    ) -> list[CloudResult]:
        tried = (self._tried(pair, info, settings) for pair in pairs)
        return [made for made in tried if made is not None]

    def _tried(
        self,
        pair: Paired[SensorMessage],
        info: CameraInfo | None,
        settings: CloudSettings,
    ) -> CloudResult | None:
        try:
            return self._one(pair, info, settings)
        except _DroppedError as dropped:
            self._statistics.drop(dropped.cause, dropped.why)
            return None

    def _one(
        self,
        pair: Paired[SensorMessage],
        info: CameraInfo | None,
        settings: CloudSettings,
    ) -> CloudResult:
        result, points = pair.result, settings.points
        if result is None:
            raise _DroppedError("dropped_no_image", _too_far(pair.offset_s, points.max_offset_s))
        cloud = self._read(pair.item, points)
        camera = _camera(info, result)
        turn = np.eye(4)
        turn[:3, :3] = turn_of_camera(settings.rotation)
        labelled = label_cloud(cloud, result, camera, turn @ self._way(cloud, result, points))
        up = self._up(labelled, settings.ground)
        boxes = boxes_of(labelled, up, points.min_object_points)
        fixed = self._fixed(points, cloud.frame_id, cloud.stamp_ns)
        followed = self._filter.update(boxes, cloud.stamp_ns, fixed)
        self._statistics.count("labelled")
        self._statistics.problem = ""
        return CloudResult(pair.item.message.header, labelled, followed)

    def _read(self, sensed: SensorMessage, points: PointsConfig) -> PointCloud:
        try:
            if hasattr(sensed.message, "encoding"):
                cloud = self._depth.to_cloud(
                    sensed.message, sensed.info, points.depth_step, points.max_points
                )
            else:
                cloud = to_cloud(sensed.message, points.max_points)
        except TooLargeError as error:
            raise _DroppedError("dropped_too_large", str(error)) from error
        except CloudError as error:
            raise _DroppedError("dropped_unusable", str(error)) from error
        lost = int(len(cloud) - np.isfinite(cloud.points).all(axis=1).sum())
        if lost == len(cloud):
            why = f"none of the cloud's {len(cloud)} points is a number"
            raise _DroppedError("dropped_no_points", why)
        self._statistics.count("points_not_a_number", lost)
        return cloud

    def _way(self, cloud: PointCloud, result: Result, points: PointsConfig) -> Pose:
        """From the cloud at its time to the camera at the image's."""
        camera_frame, image_ns = result.frame.frame_id, result.frame.stamp_ns
        camera = self._fixed(points, camera_frame, image_ns)
        sensor = self._fixed(points, cloud.frame_id, cloud.stamp_ns)
        if camera is not None and sensor is not None:
            return np.asarray(np.linalg.inv(camera) @ sensor)
        if cloud.frame_id == camera_frame:
            return np.eye(4)
        pose = self._tree.pose(camera_frame, cloud.frame_id, cloud.stamp_ns)
        if pose is None:
            raise _DroppedError(
                "dropped_no_transform",
                f"TF has no way from the cloud's frame {cloud.frame_id!r} to the camera's "
                f"{camera_frame!r}; publish the transform"
                + ("" if len(self._tree) else " (no transform has been heard at all)"),
            )
        return pose

    def _fixed(self, points: PointsConfig, frame: str, time_ns: int) -> Pose | None:
        """Where a frame was in the fixed one; None where that is not known."""
        return self._tree.pose(points.fixed_frame, frame, time_ns) if points.fixed_frame else None

    def _up(self, labelled: LabelledCloud, ground: GroundConfig) -> NDArray[np.float64]:
        """Away from the ground, in the cloud's frame."""
        base = self._tree.pose(ground.base_frame, labelled.cloud.frame_id)
        if base is not None:
            return np.asarray(base[2, :3])
        up = np.array([0.0, -1.0, 0.0])
        if ground.camera_height_m > 0:
            up = camera_pose_of(labelled.camera, ground).rotation[2]
        return np.asarray(up @ labelled.camera_from_cloud[:3, :3])


class _DroppedError(Exception):
    """A cloud that cannot be labelled.

    Args:
        cause: Key of ``cloud_statistics.COUNTS``.
        why: One line.
    """

    def __init__(self, cause: str, why: str) -> None:
        super().__init__(why)
        self.cause, self.why = cause, why


def _camera(info: CameraInfo | None, result: Result) -> CameraModel:
    if info is None:
        why = "there is no camera_info; publish one (panoptic calibrate makes it)"
        raise _DroppedError("dropped_no_calibration", why)
    try:
        return camera_model(info, result.camera_size)
    except ConfigError as error:
        raise _DroppedError("dropped_no_calibration", str(error)) from error


def _too_far(offset_s: float, most_s: float) -> str:
    if offset_s == float("inf"):
        return "no image has been processed around the time of the cloud"
    way = "after" if offset_s > 0 else "before"
    return (
        f"the nearest image is {abs(offset_s):.3f} s {way} the cloud, more than "
        f"points.max_offset_s ({most_s:g}); are both stamped by one clock?"
    )
