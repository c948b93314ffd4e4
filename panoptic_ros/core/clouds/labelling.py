# SPDX-License-Identifier: Apache-2.0
"""Class, object and confidence of every point of a cloud, from the result of an image."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.clouds.cloud import LabelledCloud, PointCloud
from panoptic_ros.core.clouds.occlusion import is_hidden
from panoptic_ros.core.clouds.surface import is_on_surface
from panoptic_ros.core.clouds.view import view_of
from panoptic_ros.core.ground.camera_model import CameraModel
from panoptic_ros.core.result import Result
from panoptic_ros.core.types import NO_ID, VOID

Values = TypeVar("Values", NDArray[np.uint8], NDArray[np.uint16])


def label_cloud(
    cloud: PointCloud,
    result: Result,
    camera: CameraModel,
    camera_from_cloud: NDArray[np.float64],
) -> LabelledCloud:
    """Give every point what the result says at its pixel, as far as the camera sees the point.

    Args:
        cloud: The points.
        result: Of an image that was taken at about the same time.
        camera: Calibration of the image's camera.
        camera_from_cloud: Takes the points into the optical frame at the image's time, (4, 4).

    Returns:
        The cloud, labelled. Void are points out of view, hidden ones, and those on an object's
        pixels that do not belong to its surface, such as the wall that is seen through the
        windows of a car.
    """
    panoptic = result.panoptic
    view = view_of(cloud.points, camera_from_cloud, camera, panoptic.ids.shape)
    tracks, classes = _tables(result)
    segment = panoptic.ids.ravel().take(view.pixels)
    ids = tracks.take(segment)
    is_plain = ids == NO_ID
    label = np.where(is_plain, panoptic.labels.ravel().take(view.pixels), classes.take(segment))
    # Objects have the numbers behind the classes.
    shown = np.where(is_plain, label, ids.astype(np.intp) + VOID)
    is_inner = _inner_pixels(result).take(view.pixels)
    is_seen = ~is_hidden(view, shown, is_inner)
    is_seen &= is_on_surface(ids, view, is_seen, is_inner)
    known = np.flatnonzero(is_seen & (label != VOID))
    index = view.index.take(known)
    confidence = panoptic.confidence.ravel().take(view.pixels.take(known))
    return LabelledCloud(
        cloud,
        labels=_spread(label.take(known), index, len(cloud), VOID),
        ids=_spread(ids.take(known), index, len(cloud), NO_ID),
        confidence=_spread(confidence, index, len(cloud), 0),
        view=view,
        is_inner=is_inner,
        result=result,
        camera=camera,
        camera_from_cloud=camera_from_cloud,
    )


def _tables(result: Result) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Track id and voted class of every segment id; 0 and void for those without a track."""
    tracks = np.zeros(len(result.panoptic.segments) + 1, np.uint16)
    classes = np.full(tracks.size, VOID, np.uint8)
    for track in result.tracks:
        tracks[list(track.segment_ids)] = track.id
        classes[list(track.segment_ids)] = track.label
    return tracks, classes


def _spread(values: Values, index: NDArray[np.intp], length: int, none: int) -> Values:
    """Give values of some points to the whole cloud."""
    spread = np.full(length, none, values.dtype)
    spread[index] = values
    return spread


def _inner_pixels(result: Result) -> NDArray[np.bool_]:
    """Which map pixels have four neighbours of the same class and object, flat."""
    labels, ids = result.panoptic.labels, result.panoptic.ids
    across = (labels[:, 1:] == labels[:, :-1]) & (ids[:, 1:] == ids[:, :-1])
    along = (labels[1:] == labels[:-1]) & (ids[1:] == ids[:-1])
    is_inner = np.zeros(ids.shape, np.bool_)
    inside = is_inner[1:-1, 1:-1]
    np.logical_and(across[1:-1, 1:], across[1:-1, :-1], out=inside)
    inside &= along[1:, 1:-1]
    inside &= along[:-1, 1:-1]
    return is_inner.ravel()
