# SPDX-License-Identifier: Apache-2.0
"""Results as Autoware's image based fusion reads them: a run-length coded mask, and boxes.

Source of the mask's layout: autoware_universe, ``perception_utils`` run_length_encoder.cpp and
the fusion's ``segmentation_pointcloud_fusion/node.cpp``: pairs of a uint8 label and an int32
length, row by row, in an Image whose header says mono8 and the size that they fill.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.label_table import LabelTable
from panoptic_ros.core.files.rle import run_starts
from panoptic_ros.core.geometry import nearest
from panoptic_ros.core.types import Box, Track
from panoptic_ros.messages.camera_info import region_message
from panoptic_ros.messages.context import FrameContext
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.protocols import Header

ROIS = "tier4_perception_msgs/msg/DetectedObjectsWithFeature"
_OBJECT = "autoware_perception_msgs/msg/DetectedObject"
_RUN = np.dtype([("label", "u1"), ("length", "<i4")])


def autoware_mask(context: FrameContext, remap: LabelTable) -> Any:
    """Build the mask that ``segmentation_pointcloud_fusion`` takes.

    Args:
        context: The frame.
        remap: Into Autoware's classes.
    """
    height, width = context.result.camera_size
    runs = run_lengths(remap.apply(context.result.track_labels()), (height, width))
    return context.types.make(
        "sensor_msgs/msg/Image",
        header=context.header,
        height=height,
        width=width,
        encoding="mono8",
        is_bigendian=0,
        step=width,
        data=context.types.payload(runs.view(np.uint8)),
    )


def run_lengths(values: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[Any]:
    """Code a map's enlargement in runs, without making it.

    Args:
        values: (h, w) uint8.
        size: (height, width) of the enlargement, as ``geometry.enlarge`` makes it.

    Returns:
        (N,) of label and length, 5 bytes each, row by row; neighbours differ, runs go on over
        the ends of rows, and the lengths add up to height * width.
    """
    starts = np.ones(values.shape, np.bool_)
    np.not_equal(values[:, 1:], values[:, :-1], out=starts[:, 1:])
    y, x = np.nonzero(starts)
    edges = np.searchsorted(nearest(values.shape[1], size[1]), np.arange(values.shape[1] + 1))
    # A run ends where the next one of its row starts, or where the row does.
    ends = np.append(x[1:], 0)
    ends[ends == 0] = values.shape[1]
    order, lengths = _by_row(y, values.shape[0], size[0]), (edges[ends] - edges[x])
    return _merged(values[y, x][order], lengths[order])


def _by_row(y: NDArray[np.intp], map_height: int, height: int) -> NDArray[np.intp]:
    """Indices of the runs of every camera row, one row after the other.

    Args:
        y: Map row of each run, ascending.
        map_height: Rows of the map.
        height: Rows of the camera.
    """
    first = np.searchsorted(y, np.arange(map_height + 1))
    rows = nearest(map_height, height)
    count = np.diff(first)[rows]
    behind = np.cumsum(count)
    return np.repeat(first[rows] - behind + count, count) + np.arange(behind[-1])


def _merged(labels: NDArray[np.uint8], lengths: NDArray[np.intp]) -> NDArray[Any]:
    """Drop runs without a pixel and join neighbours of one label."""
    if not lengths.all():
        labels, lengths = labels[lengths > 0], lengths[lengths > 0]
    heads = run_starts(labels)
    runs = np.empty(heads.size, _RUN)
    runs["label"] = labels[heads]
    runs["length"] = np.add.reduceat(lengths, heads)
    return runs


def autoware_rois(context: FrameContext, remap: LabelTable) -> Any:
    """Build the boxes that the fusion nodes take as ``rois``.

    Args:
        context: The frame; its message classes have tier4_perception_msgs.
        remap: Into the classes of ``autoware_perception_msgs/ObjectClassification``.

    Returns:
        The message; None where tier4_perception_msgs is one from before 2024, whose objects were
        another package's.
    """
    types, header, result = context.types, context.header, context.result
    if not types.has(_OBJECT):
        return None
    found = [
        types.make(
            "tier4_perception_msgs/msg/DetectedObjectWithFeature",
            object=_object(track, int(remap.values[track.label]), types),
            feature=types.make(
                "tier4_perception_msgs/msg/Feature",
                cluster=_no_points(types, header),
                roi=_region(result.camera_box(track), types),
            ),
        )
        for track in result.tracks
    ]
    return types.make(ROIS, header=header, feature_objects=found)


def _object(track: Track, label: int, types: MessageTypes) -> Any:
    """Say what it is; where it is in space, an image does not tell."""
    make = types.make
    zero = {"x": 0.0, "y": 0.0, "z": 0.0}
    pose = make(
        "geometry_msgs/msg/Pose",
        position=make("geometry_msgs/msg/Point", **zero),
        orientation=make("geometry_msgs/msg/Quaternion", **zero, w=1.0),
    )
    twist = make(
        "geometry_msgs/msg/Twist",
        linear=make("geometry_msgs/msg/Vector3", **zero),
        angular=make("geometry_msgs/msg/Vector3", **zero),
    )
    unsure = np.zeros(36)
    kinematics = make(
        "autoware_perception_msgs/msg/DetectedObjectKinematics",
        pose_with_covariance=make(
            "geometry_msgs/msg/PoseWithCovariance", pose=pose, covariance=unsure
        ),
        has_position_covariance=False,
        orientation_availability=0,
        twist_with_covariance=make(
            "geometry_msgs/msg/TwistWithCovariance", twist=twist, covariance=unsure
        ),
        has_twist=False,
        has_twist_covariance=False,
    )
    shape = make(
        "autoware_perception_msgs/msg/Shape",
        type=0,
        footprint=make("geometry_msgs/msg/Polygon", points=[]),
        dimensions=make("geometry_msgs/msg/Vector3", **zero),
    )
    kind = make("autoware_perception_msgs/msg/ObjectClassification", label=label, probability=1.0)
    return make(
        _OBJECT,
        existence_probability=float(track.score),
        classification=[kind],
        kinematics=kinematics,
        shape=shape,
    )


def _region(box: Box, types: MessageTypes) -> Any:
    x0, y0, x1, y1 = box
    return region_message(types, (y0, x0, y1 - y0, x1 - x0))


def _no_points(types: MessageTypes, header: Header) -> Any:
    return types.make(
        "sensor_msgs/msg/PointCloud2",
        header=header,
        height=0,
        width=0,
        fields=[],
        is_bigendian=False,
        point_step=0,
        row_step=0,
        data=types.payload(np.zeros(0, np.uint8)),
        is_dense=True,
    )
