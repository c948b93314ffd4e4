# SPDX-License-Identifier: Apache-2.0
"""Point clouds and depth images in every layout, and those that cannot be read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from panoptic_ros.core.errors import CloudError
from panoptic_ros.messages.clouds.depth_image import DepthReader
from panoptic_ros.messages.clouds.point_cloud import to_cloud

HEADER = SimpleNamespace(stamp=SimpleNamespace(sec=3, nanosec=7), frame_id="lidar")
XYZ = np.arange(18.0).reshape(6, 3)
MOST = 100
TYPES = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 8}


def field(name: str, offset: int, datatype: int = 7) -> Any:
    return SimpleNamespace(name=name, offset=offset, datatype=datatype, count=1)


def message(
    names: str = "x y z intensity",
    kinds: str = "f4 f4 f4 f4",
    shape: tuple[int, int] = (1, 6),
    order: str = "<",
    gap: int = 0,
    padding: int = 0,
) -> Any:
    """A cloud of ``XYZ``; ``gap`` bytes before each field, ``padding`` behind each row."""
    offsets, place = [], 0
    for kind in kinds.split():
        place += gap
        offsets.append(place)
        place += np.dtype(kind).itemsize
    formats = [order + kind for kind in kinds.split()]
    layout = np.dtype(
        {"names": names.split(), "formats": formats, "offsets": offsets, "itemsize": place + gap}
    )
    points = np.zeros(shape, layout)
    for axis, name in enumerate("xyz"):
        if name in layout.names:
            points[name] = XYZ[:, axis].reshape(shape)
    for name in set(layout.names) - {*"xyz"}:
        points[name] = np.arange(6).reshape(shape)
    rows = points.view(np.uint8).reshape(shape[0], -1)
    data = np.concatenate((rows, np.full((shape[0], padding), 77, np.uint8)), axis=1)
    return SimpleNamespace(
        header=HEADER,
        height=shape[0],
        width=shape[1],
        fields=[
            field(name, offset, TYPES[kind])
            for name, offset, kind in zip(names.split(), offsets, kinds.split(), strict=True)
        ],
        is_bigendian=order == ">",
        point_step=layout.itemsize,
        row_step=data.shape[1],
        data=data.tobytes(),
    )


LAYOUTS = {
    "plain": {},
    "organised": {"shape": (2, 3)},
    "padded rows": {"shape": (2, 3), "padding": 5},
    "gaps": {"gap": 4},
    "odd offsets": {"gap": 3},
    "doubles": {"kinds": "f8 f8 f8 f4"},
    "whole numbers": {"kinds": "i2 u4 u1 u2"},
    "signed numbers": {"kinds": "i1 i4 i2 i4"},
    "big endian": {"order": ">", "kinds": "f4 f8 i2 f4"},
    "another order": {"names": "intensity z y x"},
    "more fields": {"names": "ring x rgb y t z intensity", "kinds": "u2 f4 u4 f4 f8 f4 f4"},
    "ouster": {"names": "x y z reflectivity", "kinds": "f4 f4 f4 u2"},
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_every_layout_gives_the_points(case: str) -> None:
    cloud = to_cloud(message(**LAYOUTS[case]), MOST)
    np.testing.assert_array_equal(cloud.points, XYZ)
    np.testing.assert_array_equal(cloud.intensity, np.arange(6))
    assert cloud.shape == LAYOUTS[case].get("shape", (1, 6))
    assert (cloud.stamp_ns, cloud.frame_id) == (3_000_000_007, "lidar")
    assert cloud.points.dtype == cloud.intensity.dtype == np.float32


def test_a_cloud_without_intensity_has_0() -> None:
    assert not to_cloud(message("x y z", "f4 f4 f4"), MOST).intensity.any()


def test_an_empty_cloud_is_read() -> None:
    empty = message()
    empty.width, empty.row_step, empty.data = 0, 0, b""
    assert len(to_cloud(empty, MOST)) == 0


def test_a_cloud_of_exactly_as_many_points_as_it_may_have_is_read() -> None:
    assert len(to_cloud(message(), 6)) == 6
    with pytest.raises(CloudError, match=r"6 points, more than points\.max_points"):
        to_cloud(message(), 5)


def changed(**values: Any) -> Any:
    broken = message()
    for name, value in values.items():
        setattr(broken, name, value)
    return broken


BROKEN = {
    "field missing": (message("x y t", "f4 f4 f4"), "no field z (it has x, y, t)"),
    "no fields": (changed(fields=[]), "no field x, y, z (it has none)"),
    "too large": (changed(width=10_000_000), "10,000,000 points, more than points.max_points"),
    "cut off": (
        changed(data=b"123"),
        "the cloud says 6x1 points of 16 bytes in rows of 96, its data has 3 bytes",
    ),
    "rows overlap": (changed(row_step=8), "in rows of 8"),
    "field past the end": (
        changed(fields=[field("x", 0), field("y", 4), field("z", 14)]),
        "field z of the cloud lies at byte 14 of a point of 16",
    ),
    "type unknown": (
        changed(fields=[field("x", 0), field("y", 4, 9), field("z", 8)]),
        "field y of the cloud has datatype 9",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_is_one_clear_error(case: str) -> None:
    broken, why = BROKEN[case]
    with pytest.raises(CloudError) as error:
        to_cloud(broken, MOST)
    assert why in str(error.value)
    assert "\n" not in str(error.value)


INFO = SimpleNamespace(
    height=4,
    width=6,
    distortion_model="plumb_bob",
    k=[10.0, 0, 2.5, 0, 10.0, 1.5, 0, 0, 1],
    d=[0.0] * 5,
    binning_x=0,
    binning_y=0,
    roi=SimpleNamespace(x_offset=0, y_offset=0, height=0, width=0),
)


def depth(encoding: str = "32FC1", kind: str = "<f4", scale: float = 1.0, padding: int = 0) -> Any:
    """A plane 2 m ahead; the first pixel has no depth."""
    pixels = np.full((4, 6), 2.0 * scale).astype(kind)
    pixels[0, 0] = 0
    rows = pixels.view(np.uint8).reshape(4, -1)
    data = np.concatenate((rows, np.zeros((4, padding), np.uint8)), axis=1)
    return SimpleNamespace(
        header=HEADER,
        height=4,
        width=6,
        encoding=encoding,
        is_bigendian=kind[0] == ">",
        step=data.shape[1],
        data=data.tobytes(),
    )


DEPTHS = {
    "metres": depth(),
    "millimetres": depth("16UC1", "<u2", 1000.0),
    "mono": depth("mono16", "<u2", 1000.0),
    "big endian": depth("16UC1", ">u2", 1000.0),
    "padded": depth(padding=8),
}


@pytest.mark.parametrize("case", DEPTHS)
def test_depth_becomes_points(case: str) -> None:
    cloud = DepthReader().to_cloud(DEPTHS[case], INFO, 1, MOST)
    assert cloud.shape == (4, 6)
    assert np.isnan(cloud.points[0]).all()
    np.testing.assert_allclose(cloud.points[-1], [(5 - 2.5) / 5, (3 - 1.5) / 5, 2.0], rtol=1e-5)


def test_a_depth_below_a_metre_is_one() -> None:
    near = DepthReader().to_cloud(depth(scale=0.1), INFO, 1, MOST).points
    np.testing.assert_allclose(near[1:, 2], 0.2, rtol=1e-5)


def test_every_second_row_and_column_is_enough() -> None:
    reader = DepthReader()
    whole = reader.to_cloud(depth(), INFO, 1, MOST).points.reshape(4, 6, 3)
    part = reader.to_cloud(depth(), INFO, 2, MOST)
    assert part.shape == (2, 3)
    np.testing.assert_allclose(part.points.reshape(2, 3, 3), whole[::2, ::2])


@pytest.mark.parametrize(
    ("broken", "info", "why"),
    [
        (depth("rgb8", "<u2"), INFO, "has encoding 'rgb8', needs one of: 32FC1"),
        (depth(), None, "no camera_info beside it"),
        (depth(), SimpleNamespace(**{**vars(INFO), "width": 7}), "camera_info is for 7x4"),
        (SimpleNamespace(**{**vars(depth()), "data": b""}), INFO, "its data has 0 bytes"),
        (SimpleNamespace(**{**vars(depth()), "step": 23}), INFO, "in rows of 23 bytes"),
    ],
    ids=["encoding", "no info", "another size", "cut off", "rows overlap"],
)
def test_a_depth_image_that_cannot_be_read_is_one_clear_error(
    broken: Any, info: Any, why: str
) -> None:
    with pytest.raises(CloudError, match=why):
        DepthReader().to_cloud(broken, info, 1, MOST)


def test_a_depth_image_that_is_too_large_is_refused() -> None:
    with pytest.raises(CloudError, match="24 points"):
        DepthReader().to_cloud(depth(), INFO, 1, 23)
