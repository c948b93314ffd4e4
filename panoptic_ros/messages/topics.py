# SPDX-License-Identifier: Apache-2.0
"""Every output topic of one camera, once; publishers, bags, policy and docs follow from it.

A new topic is one row here and the function that builds it; docs/adding-a-topic.md shows one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

from panoptic_ros.messages.autoware import ROIS, autoware_mask, autoware_rois
from panoptic_ros.messages.camera_info import CAMERA_INFO, own_camera_info
from panoptic_ros.messages.clouds.cloud_messages import (
    DETECTION_3D_ARRAY,
    labelled_points,
    object_motion,
    objects,
)
from panoptic_ros.messages.clouds.point_cloud import POINT_CLOUD
from panoptic_ros.messages.context import CloudContext, FrameContext
from panoptic_ros.messages.convert import COMPRESSED_IMAGE, IMAGE
from panoptic_ros.messages.ground import (
    GRID,
    POINTS,
    POLYGON,
    SCAN,
    boundary_message,
    grid_message,
    points_message,
    scan_message,
)
from panoptic_ros.messages.panoptic_image import PACKED, TWO_CHANNELS, panoptic_image
from panoptic_ros.messages.result_images import (
    colored_pixels,
    drivable_pixels,
    drivable_png,
    instance_png,
    label_png,
    overlay_jpeg,
    panoptic_png,
    remapped_image,
)
from panoptic_ros.messages.topic import (
    CameraInfoTopic,
    CloudTopic,
    FrameTopic,
    GroundTopic,
    ImageTopic,
    LabelTopic,
    RemappedLabelTopic,
    RemappedTopic,
    ResultTopic,
    Topic,
)
from panoptic_ros.messages.vision import (
    DETECTION_ARRAY,
    LABEL_INFO,
    detections,
    label_info,
    remapped_label_info,
)

Kind = TypeVar("Kind", bound=Topic)


def build_messages(wanted: Collection[str], context: FrameContext) -> dict[str, Any]:
    """Build the messages about a frame that somebody wants.

    Args:
        wanted: Names of topics with a message per frame; nothing else is computed.
        context: What they are built from.

    Returns:
        Messages by topic name, in order of the table; a topic is left out where its message's
        package is not installed or the context lacks what it needs.

    Raises:
        KeyError: ``wanted`` names a topic that there is not.
    """
    rows = frame_rows()
    unknown = set(wanted) - set(rows)
    if unknown:
        raise KeyError(f"no topic {sorted(unknown)}; there are: {', '.join(rows)}")
    made = {
        name: row.message(context)
        for name, row in rows.items()
        if name in wanted and context.types.has(row.type)
    }
    return {name: message for name, message in made.items() if message is not None}


def build_cloud_messages(wanted: Collection[str], context: CloudContext) -> dict[str, Any]:
    """Build the messages about a point cloud that somebody wants.

    Args:
        wanted: Names of topics with a message per cloud; others are left out.
        context: What they are built from.

    Returns:
        Messages by topic name, in order of the table; a topic is left out where its message's
        package is not installed.
    """
    return {
        name: row.build(context)
        for name, row in rows_of(CloudTopic).items()
        if name in wanted and context.types.has(row.type)
    }


def frame_rows() -> dict[str, FrameTopic]:
    """Rows of topics with a message per frame, by name, in order of the table."""
    return {name: row for name, row in TOPICS.items() if isinstance(row, FrameTopic)}


def rows_of(kind: type[Kind]) -> dict[str, Kind]:
    """Rows of one kind by name, in order of the table."""
    return {name: row for name, row in TOPICS.items() if isinstance(row, kind)}


def is_latched(topic: str) -> bool:
    """Whether late listeners of a topic must get the newest message.

    Args:
        topic: Full name; topics of other nodes are not latched.

    >>> is_latched("/panoptic/front/label_info"), is_latched("/panoptic/label")
    (True, False)
    """
    return any(row.is_latched and topic.endswith(f"/{name}") for name, row in TOPICS.items())


_ROWS: tuple[Topic, ...] = (
    ImageTopic(
        name="label",
        encoding="mono8",
        pixels=lambda context: context.label_image,
        meaning="class index, 255 = void",
    ),
    ImageTopic(
        name="instance",
        encoding="16UC1",
        pixels=lambda context: context.instance_image,
        meaning=(
            "track id, 0 = no object; 1..65535, unique per camera while the object is followed"
        ),
    ),
    ResultTopic(
        name="panoptic",
        type=IMAGE,
        encoding=TWO_CHANNELS,
        other_encoding=PACKED,
        build=panoptic_image,
        meaning=(
            "channel 1 the label, channel 2 the track id; or label * 65536 + track id, as "
            "`panoptic_encoding` says; the classes may be those of `remap.panoptic`"
        ),
    ),
    ImageTopic(
        name="confidence",
        encoding="mono8",
        pixels=lambda context: context.result.confidence(),
        meaning="probability of the class times 255",
    ),
    ImageTopic(
        name="drivable",
        encoding="mono8",
        pixels=drivable_pixels,
        meaning="255 where one can drive, else 0",
    ),
    ImageTopic(
        name="overlay",
        encoding="rgb8",
        pixels=lambda context: context.overlay_image,
        meaning="for people: class colours, outlines, numbers, edge of the drivable surface",
    ),
    ImageTopic(
        name="label/colored",
        encoding="rgb8",
        pixels=colored_pixels,
        meaning="for people: `~/label` in the colours of the label set",
    ),
    ResultTopic(
        name="label/compressed",
        type=COMPRESSED_IMAGE,
        build=label_png,
        meaning="`~/label` as lossless PNG, `mono8; png compressed ` as image_transport says it",
    ),
    ResultTopic(
        name="instance/compressed",
        type=COMPRESSED_IMAGE,
        build=instance_png,
        meaning="`~/instance` as lossless PNG, `16UC1; png compressed `",
    ),
    ResultTopic(
        name="panoptic/compressed",
        type=COMPRESSED_IMAGE,
        build=panoptic_png,
        meaning=(
            "class and track id as a lossless colour PNG, as KITTI-STEP keeps them: red the "
            "class, green * 256 + blue the id; `rgb8; png compressed bgr8`"
        ),
    ),
    ResultTopic(
        name="drivable/compressed",
        type=COMPRESSED_IMAGE,
        build=drivable_png,
        meaning="`~/drivable` as lossless PNG, `mono8; png compressed `",
    ),
    ResultTopic(
        name="overlay/compressed",
        type=COMPRESSED_IMAGE,
        build=overlay_jpeg,
        meaning="`~/overlay` as JPEG",
    ),
    ResultTopic(
        name="detections",
        type=DETECTION_ARRAY,
        build=detections,
        meaning=(
            "box in camera pixels; `results` are class *names* with probabilities that sum to "
            "one, the object's class first; `id` is the value in `~/instance`"
        ),
    ),
    RemappedTopic(
        name="remapped/label",
        type=IMAGE,
        encoding="mono8",
        build=remapped_image,
        meaning="the labels in the classes of `remap.label`; [consumers.md](consumers.md)",
    ),
    RemappedTopic(
        name="dynamic_mask",
        type=IMAGE,
        encoding="mono8",
        build=remapped_image,
        meaning="255 where a class may move, for nvblox, `remap.dynamic_mask`",
    ),
    RemappedTopic(
        name="autoware_mask",
        type=IMAGE,
        encoding="mono8",
        build=autoware_mask,
        meaning=(
            "Autoware's classes, `remap.autoware_mask`; run-length coded in spite of its encoding"
        ),
    ),
    RemappedTopic(
        name="autoware_rois",
        type=ROIS,
        build=autoware_rois,
        meaning="a region per object, `remap.autoware_rois`",
    ),
    GroundTopic(
        name="drivable_grid",
        type=GRID,
        build=grid_message,
        meaning=(
            "the surface on the ground in `ground.base_frame`: 0 free, 100 where something ends "
            "the free space, -1 unknown"
        ),
    ),
    GroundTopic(
        name="drivable_boundary",
        type=POLYGON,
        build=boundary_message,
        meaning="outline of the free space on the ground",
    ),
    GroundTopic(
        name="free_space/scan",
        type=SCAN,
        build=scan_message,
        meaning=(
            "free range by direction; infinite where nothing ends it within `ground.length_m`; of "
            "a camera that looks back, angles go on beyond half a turn"
        ),
    ),
    GroundTopic(
        name="free_space/points",
        type=POINTS,
        build=points_message,
        meaning="where something ends the free space, with the class (`label`) that ends it",
    ),
    CloudTopic(
        name="points",
        type=POINT_CLOUD,
        build=labelled_points,
        meaning=(
            "every point of the cloud, under its header, with `x y z intensity label instance "
            "confidence`; label 255 where the camera does not see it"
        ),
    ),
    CloudTopic(
        name="objects",
        type=DETECTION_3D_ARRAY,
        build=objects,
        meaning="box of every object with points, in the cloud's frame; `id` as in `~/detections`",
    ),
    CloudTopic(
        name="objects/motion",
        type=POINT_CLOUD,
        build=object_motion,
        meaning=(
            "a point per object: place, velocity, `distance`, `label`, and the id as `instance`"
        ),
    ),
    CameraInfoTopic(
        name="camera_info",
        type=CAMERA_INFO,
        build=own_camera_info,
        meaning=(
            "the camera's own, under the image's header; silent where the camera has none, "
            "or one for another size"
        ),
    ),
    LabelTopic(
        name="label_info",
        type=LABEL_INFO,
        build=label_info,
        meaning="class name of every label value",
    ),
    RemappedLabelTopic(
        name="remapped/label_info",
        type=LABEL_INFO,
        build=remapped_label_info,
        meaning="class name of every value in `~/remapped/label`",
    ),
)

TOPICS: dict[str, Topic] = {row.name: row for row in _ROWS}
"""Every output topic by its name below the node's, or below node and camera."""
