# SPDX-License-Identifier: Apache-2.0
"""Small inputs with known images: folders, videos and bags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SECOND_NS = 1_000_000_000


def image(number: int, height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """A flat image whose red channel tells its number, modulo 12."""
    image = np.full((height, width, 3), 64, np.uint8)
    image[..., 0] = 20 * (number % 12 + 1)
    return image


def number_of(image: NDArray[np.uint8]) -> int:
    return round(float(np.median(image[..., 0])) / 20) - 1


def write_folder(folder: Path, names: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        cv2.imwrite(str(folder / name), image(number)[..., ::-1])
    return folder


def write_video(path: Path, count: int = 8, fps: int = 10, **options: str) -> Path:
    import av

    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.bit_rate = 4_000_000
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(image(number), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def image_message(store: Any, image: NDArray[np.uint8], stamp_ns: int, ros1: bool = False) -> Any:
    types = store.types
    seconds, rest_ns = divmod(stamp_ns, SECOND_NS)
    stamp = types["builtin_interfaces/msg/Time"](sec=seconds, nanosec=rest_ns)
    parts = {"stamp": stamp, "frame_id": "front_optical"} | ({"seq": 0} if ros1 else {})
    height, width = image.shape[:2]
    return types["sensor_msgs/msg/Image"](
        header=types["std_msgs/msg/Header"](**parts),
        height=height,
        width=width,
        encoding="rgb8",
        is_bigendian=0,
        step=3 * width,
        data=np.ascontiguousarray(image).reshape(-1),
    )


def compressed_message(store: Any, image: NDArray[np.uint8], stamp_ns: int) -> Any:
    header = image_message(store, image, stamp_ns).header
    data = cv2.imencode(".png", image[..., ::-1])[1].reshape(-1)
    return store.types["sensor_msgs/msg/CompressedImage"](header=header, format="png", data=data)


def info_message(store: Any, stamp_ns: int, width: int = 64, height: int = 48) -> Any:
    types = store.types
    header = image_message(store, image(0), stamp_ns).header
    roi = types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    return types["sensor_msgs/msg/CameraInfo"](
        header=header,
        height=height,
        width=width,
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=np.eye(3).reshape(-1),
        r=np.eye(3).reshape(-1),
        # The rectified image's focal length is 2, that of the raw one 1.
        p=np.diag([2.0, 2.0, 1.0, 0.0])[:3].reshape(-1),
        binning_x=0,
        binning_y=0,
        roi=roi,
    )


def write_bag2(
    folder: Path,
    count: int = 6,
    topics: tuple[str, ...] = ("/front/image_raw",),
    storage: str = "mcap",
    info: bool = True,
    compressed: bool = False,
    stamps: list[int] | None = None,
    is_packed: bool = False,
    info_size: tuple[int, int] = (64, 48),
    damaged_infos: tuple[int, ...] = (),
) -> Path:
    """A ROS 2 bag at 10 Hz from t = 5 s on; returns its folder."""
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    kind = "CompressedImage" if compressed else "Image"
    plugin = StoragePlugin.MCAP if storage == "mcap" else StoragePlugin.SQLITE3
    opened = Writer(folder, version=9, storage_plugin=plugin)
    if is_packed:
        opened.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with opened as writer:
        images = [
            writer.add_connection(topic, f"sensor_msgs/msg/{kind}", typestore=store)
            for topic in topics
        ]
        infos = writer.add_connection(
            "/front/camera_info", "sensor_msgs/msg/CameraInfo", typestore=store
        )
        for number in range(count):
            time_ns = 5 * SECOND_NS + number * SECOND_NS // 10
            stamp_ns = stamps[number] if stamps else time_ns
            make = compressed_message if compressed else image_message
            message = make(store, image(number), stamp_ns)
            data = store.serialize_cdr(message, f"sensor_msgs/msg/{kind}")
            for connection in images:
                writer.write(connection, time_ns, data)
            if info:
                told = store.serialize_cdr(
                    info_message(store, stamp_ns, *info_size), infos.msgtype
                )
                writer.write(infos, time_ns, told[:9] if number in damaged_infos else told)
    return folder


def write_bag1(path: Path, count: int = 6, packing: str = "") -> Path:
    """A ROS 1 bag at 10 Hz from t = 5 s on; ``packing`` is "", "BZ2" or "LZ4"."""
    from rosbags.rosbag1 import Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS1_NOETIC)
    opened = Writer(path)
    if packing:
        opened.set_compression(Writer.CompressionFormat[packing])
    with opened as writer:
        connection = writer.add_connection(
            "/front/image_raw", "sensor_msgs/msg/Image", typestore=store
        )
        for number in range(count):
            time_ns = 5 * SECOND_NS + number * SECOND_NS // 10
            message = image_message(store, image(number), time_ns, ros1=True)
            data = store.serialize_ros1(message, "sensor_msgs/msg/Image")
            writer.write(connection, time_ns, data)
    return path
