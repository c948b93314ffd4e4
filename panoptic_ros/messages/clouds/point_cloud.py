# SPDX-License-Identifier: Apache-2.0
"""PointCloud2 to points, whatever its fields are and however they lie; and points back to it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.clouds.cloud import PointCloud
from panoptic_ros.core.errors import CloudError
from panoptic_ros.messages.convert import stamp_ns
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.messages.protocols import Header

POINT_CLOUD = "sensor_msgs/msg/PointCloud2"


class TooLargeError(CloudError):
    """A cloud has more points than are taken."""


_KINDS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
"""NumPy's word for each ``datatype`` of a PointField."""

_DATATYPES = {kind: number for number, kind in _KINDS.items()}
_PLACES = ("x", "y", "z")
_INTENSITIES = ("intensity", "intensities", "reflectivity", "reflectance", "i")
"""What drivers call the strength of the echo, in order of liking."""


def to_cloud(message: Any, most_points: int) -> PointCloud:
    """Read a PointCloud2.

    Args:
        message: Of rclpy or of ``rosbags``; any fields beside x, y and z, of any type, in any
            order, with any padding, organised or not.
        most_points: A cloud with more is refused before anything is read.

    Raises:
        CloudError: It has too many points, lacks fields, or does not hold what it says.
    """
    height, width = int(message.height), int(message.width)
    check_size(height * width, most_points)
    fields = {str(field.name): field for field in message.fields}
    missing = [name for name in _PLACES if name not in fields]
    if missing:
        raise CloudError(
            f"the cloud has no field {', '.join(missing)} (it has {', '.join(fields) or 'none'}); "
            "needs x, y and z in metres"
        )
    intensity = next((name for name in _INTENSITIES if name in fields), "")
    rows = _rows(message, fields, [*_PLACES, *filter(None, [intensity])])
    points = np.empty((height * width, 3), np.float32)
    for axis, name in enumerate(_PLACES):
        points[:, axis] = rows[name].reshape(-1)
    strength = np.zeros(len(points), np.float32)
    if intensity:
        strength[:] = rows[intensity].reshape(-1)
    header = message.header
    return PointCloud(points, strength, (height, width), stamp_ns(header), str(header.frame_id))


def check_size(count: int, most: int) -> None:
    """Refuse a cloud that is too large.

    Raises:
        TooLargeError: It has more points.
    """
    if count > most:
        raise TooLargeError(
            f"the cloud has {count:,} points, more than points.max_points ({most:,}); raise it, "
            "or thin the cloud out"
        )


def _rows(message: Any, fields: dict[str, Any], names: list[str]) -> NDArray[Any]:
    """View the message's points as a structured array of shape (height, width).

    Raises:
        CloudError: A field or a row reaches past its end, or a type is not known.
    """
    step, row_step = int(message.point_step), int(message.row_step)
    shape = int(message.height), int(message.width)
    order = ">" if message.is_bigendian else "<"
    kinds = []
    for name in names:
        field = fields[name]
        kind = np.dtype(order + _KINDS.get(int(field.datatype), "V0"))
        if not kind.itemsize:
            raise CloudError(
                f"field {name} of the cloud has datatype {field.datatype}, needs 1 to 8"
            )
        if not 0 <= int(field.offset) <= step - kind.itemsize:
            raise CloudError(
                f"field {name} of the cloud lies at byte {field.offset} of a point of {step}"
            )
        kinds.append(kind)
    data = np.frombuffer(message.data, np.uint8)
    if row_step < shape[1] * step or data.size < shape[0] * row_step:
        raise CloudError(
            f"the cloud says {shape[1]}x{shape[0]} points of {step} bytes in rows of {row_step}, "
            f"its data has {data.size} bytes"
        )
    offsets = [int(fields[name].offset) for name in names]
    layout = np.dtype(
        {"names": names, "formats": kinds, "offsets": offsets, "itemsize": max(step, 1)}
    )
    rows: NDArray[Any] = np.ndarray(
        shape, layout, data.data if data.size else b"", strides=(row_step, step)
    )
    return rows


def cloud_message(
    points: NDArray[Any], shape: tuple[int, int], types: MessageTypes, header: Header
) -> Any:
    """Build a PointCloud2.

    Args:
        points: (n,), a structured array with x, y and z, in this machine's byte order.
        shape: (height, width) of the cloud, n points in all.
        types: Message classes.
        header: Put into the message as it is.
    """
    places: dict[str, Any] = dict(points.dtype.fields or {})
    fields = [
        types.make(
            "sensor_msgs/msg/PointField",
            name=name,
            offset=int(place[1]),
            datatype=_DATATYPES[place[0].str[1:]],
            count=1,
        )
        for name, place in places.items()
    ]
    is_dense = all(bool(np.isfinite(points[name]).all()) for name in _PLACES)
    return types.make(
        POINT_CLOUD,
        header=header,
        height=shape[0],
        width=shape[1],
        fields=fields,
        is_bigendian=sys.byteorder == "big",
        point_step=points.dtype.itemsize,
        row_step=points.dtype.itemsize * shape[1],
        data=types.payload(points.view(np.uint8)),
        is_dense=is_dense,
    )
