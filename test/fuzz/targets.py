# SPDX-License-Identifier: Apache-2.0
"""What is fuzzed: a reader, and good input to start from.

A reader may raise ``PanopticError`` and nothing else.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from panoptic_ros.core.classes.categories import SegmentInfo
from panoptic_ros.core.classes.label_documents import from_json, read_label_set, to_json
from panoptic_ros.core.classes.remap import read_remap
from panoptic_ros.core.decoding.kinds import KINDS
from panoptic_ros.core.files import rle
from panoptic_ros.core.files.resources import resource
from panoptic_ros.core.model import METADATA_KEY, ModelSpec, read_metadata
from panoptic_ros.core.parameter_file import read_parameters
from panoptic_ros.data.class_map import read_class_map
from panoptic_ros.data.coco.ids import read_listed_ids
from panoptic_ros.data.coco.reader import read_categories, read_coco_predictions
from panoptic_ros.data.images import read_image
from panoptic_ros.data.kitti_mots import TracksFile
from panoptic_ros.data.png import read_png
from panoptic_ros.engine.building.recipe import read_recipe
from panoptic_ros.engine.onnx_file import weight_files
from panoptic_ros.engine.storage.manifest import Manifest, PlanKey, Tensor
from panoptic_ros.engine.storage.manifest import from_json as read_manifest
from panoptic_ros.messages.calibration.camera_yaml import read_camera_yaml
from panoptic_ros.messages.convert import to_frame
from panoptic_ros.messages.video import foxglove
from panoptic_ros.messages.video.video_decoder import VideoDecoder
from panoptic_ros.recordings.open import open_source
from test.drawn.drawn_images import palette_png, write_with_orientation
from test.drawn.drawn_inputs import image as drawn
from test.drawn.drawn_inputs import write_bag1, write_bag2
from test.drawn.drawn_video import packets

ENCODINGS = (
    "rgb8",
    "bgr8",
    "rgba8",
    "bgra8",
    "mono8",
    "mono16",
    "rgb16",
    "bgr16",
    "8UC1",
    "8UC3",
    "8UC4",
    "yuv422",
    "yuv422_yuy2",
    "uyvy",
    "yuyv",
    "nv12",
    "nv21",
    "bayer_rggb8",
    "bayer_gbrg8",
    "32SC1",
    "",
    "jpeg",
)
SIZE = (4, 6)


@dataclass(frozen=True)
class Target:
    """A reader of bytes.

    Attributes:
        read: Is given damaged bytes.
        seeds: Good bytes.
    """

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]


def _header() -> Any:
    return SimpleNamespace(stamp=SimpleNamespace(sec=1, nanosec=2), frame_id="front")


def read_image_message(data: bytes) -> object:
    """Read an Image whose first bytes say encoding, height, width and step."""
    head = np.frombuffer(data[:13].ljust(13, b"\0"), np.uint8)
    height, width, step = head[1:].view("<u4").tolist()
    return to_frame(
        SimpleNamespace(
            header=_header(),
            encoding=ENCODINGS[int(head[0]) % len(ENCODINGS)],
            height=height,
            width=width,
            step=step,
            is_bigendian=int(head[0]) & 64,
            data=data[13:],
        )
    )


def _image_seeds() -> tuple[bytes, ...]:
    seeds = []
    for number in range(len(ENCODINGS)):
        sizes = np.array((4, 8, 8 * 4), "<u4").tobytes()
        seeds.append(bytes((number,)) + sizes + bytes(range(128)) * 2)
    return tuple(seeds)


def read_compressed_message(data: bytes) -> object:
    """Read a CompressedImage."""
    return to_frame(SimpleNamespace(header=_header(), format="jpeg", data=data))


def _compressed_seeds() -> tuple[bytes, ...]:
    image = drawn(3)
    gray = np.ascontiguousarray(image[..., 0])
    endings = ((".jpg", image), (".png", image), (".png", gray), (".jpg", gray))
    return tuple(bytes(cv2.imencode(ending, pixels)[1]) for ending, pixels in endings)


def read_rle(data: bytes) -> object:
    """Read run lengths of a small mask."""
    return rle.decode(data.decode("latin-1"), SIZE)


def _rle_seeds() -> tuple[bytes, ...]:
    draw = np.random.default_rng(0)
    return tuple(rle.encode(draw.random(SIZE) < share).encode() for share in (0.0, 0.3, 0.7, 1.0))


def read_spec(data: bytes) -> object:
    """Read a model file's metadata."""
    return read_metadata({METADATA_KEY: data.decode("utf-8", "replace")}, "drawn.onnx")


def _spec_seeds() -> tuple[bytes, ...]:
    labels = read_label_set(resource("config", "labels", "cityscapes.yaml"))
    specs = (ModelSpec("drawn", 64, 32, decoder, labels, "MIT", "here") for decoder in KINDS)
    return tuple(spec.to_metadata()[METADATA_KEY].encode() for spec in specs)


def _manifest_seeds() -> tuple[bytes, ...]:
    key = PlanKey("0" * 64, "tensorrt_rtx", "1.4", "drawn", "8.9", "fp16", "256x512x3")
    tensor = Tensor("image", "input", "uint8", (1, 256, 512, 3))
    return (Manifest(key, "drawn.onnx", "1" * 64, 7, (tensor,), {}).to_json().encode(),)


def _file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Turn a reader of a file into one of bytes."""
    folder = Path("/dev/shm")
    place = str(folder) if folder.is_dir() else None

    def reader(data: bytes) -> object:
        with tempfile.TemporaryDirectory(dir=place) as here:
            path = Path(here, name)
            path.write_bytes(data)
            return read(path)

    return reader


def _text(*parts: str) -> bytes:
    return resource(*parts).read_bytes()


def _tracks_seeds() -> tuple[bytes, ...]:
    masks = [seed.decode() for seed in _rle_seeds()]
    objects = ((0, 1001, 1), (1, 2003, 2), (2, 10000, 10))
    lines = (
        f"{frame} {number} {label} {SIZE[0]} {SIZE[1]} {mask}\n"
        for (frame, number, label), mask in zip(objects, masks[1:], strict=True)
    )
    return ("".join(lines).encode(),)


def _read_tracks(path: Path) -> object:
    tracks = TracksFile(path)
    return [tracks.read(frame, SIZE) for frame in range(3)]


def _read_bag(path: Path) -> object:
    with open_source(path) as source:
        return [recorded.frame.image.shape for recorded in source.frames()]


def _decode_packet(data: bytes) -> None:
    decoder = VideoDecoder()
    for form in ("h264", "hevc", "av1", "vp9"):
        message = SimpleNamespace(format=form, data=data, header=None)
        for image in decoder.decode(message) + decoder.finish():
            assert image.data.size == image.height * image.step


def _packet_seeds() -> tuple[bytes, ...]:
    if not find_spec("av"):
        return (b"\0\0\0\1\x65",)
    return tuple(packets(codec)[0] for codec in ("h264", "hevc", "av1", "vp9"))


def _read_foxglove(data: bytes) -> None:
    for read in (foxglove.from_protobuf, foxglove.from_json):
        for schema in foxglove.SCHEMAS:
            with suppress(ValueError):
                read(schema, data)


def _foxglove_seeds() -> tuple[bytes, ...]:
    numbers = b"".join(bytes([key << 3 | 5, 4, 0, 0, 0]) for key in (2, 3, 5))
    raw = b"\x0a\x04\x08\x05\x10\x07" + numbers + b"\x22\x04rgb8\x32\x02ab\x3a\x01f"
    told = b'{"timestamp": {"sec": 1, "nsec": 2}, "format": "png", "data": "AAAA"}'
    return raw, told


def _bag_seeds(kind: str) -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as folder:
        if kind == "bag":
            paths = [write_bag1(Path(folder, f"{p}.bag"), 2, p) for p in ("", "BZ2", "LZ4")]
        else:
            storage = "mcap" if kind == "mcap" else "sqlite3"
            made = [
                write_bag2(Path(folder, str(is_small)), 2, storage=storage, compressed=is_small)
                for is_small in (False, True)
            ]
            paths = [next(path.glob(f"*.{kind}")) for path in made]
        return tuple(path.read_bytes() for path in paths)


CAMERA = b"""image_width: 64
image_height: 48
camera_name: front
camera_matrix: {rows: 3, cols: 3, data: [60, 0, 32, 0, 60, 24, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [60, 0, 32, 0, 0, 60, 24, 0, 0, 0, 1, 0]}
"""
COCO = json.dumps(
    {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 4, "width": 6}],
        "categories": [{"id": 1, "name": "road", "isthing": 0, "color": [1, 2, 3]}],
        "annotations": [
            {
                "image_id": 1,
                "file_name": "a.png",
                "segments_info": [
                    {"id": 5, "category_id": 1, "area": 24, "iscrowd": 0, "bbox": [0, 0, 6, 4]}
                ],
            }
        ],
    }
).encode()
PNG = bytes(cv2.imencode(".png", np.arange(24, dtype=np.uint16).reshape(SIZE))[1])

INDICES = np.arange(24, dtype=np.uint8).reshape(SIZE) % 3
PALETTE = palette_png(INDICES, np.array([[0, 0, 0], [200, 0, 0], [0, 200, 0]]))
SEGMENTS = (SegmentInfo(1, 7, 8, False), SegmentInfo(2, 7, 8, False))


def _image_file_seeds() -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as folder:
        places = (Path(folder) / f"a{suffix}" for suffix in (".jpg", ".png", ".tif"))
        return tuple(write_with_orientation(place, drawn(3), 6).read_bytes() for place in places)


def targets() -> dict[str, Target]:
    """All readers by name, the fast ones first."""
    labels = read_label_set(resource("config", "labels", "coco.yaml"))
    label_file = _text("config", "labels", "cityscapes.yaml")
    remaps = tuple(_text("config", "remap", name) for name in ("nav2.yaml", "autoware.yaml"))
    return {
        "image": Target(read_image_message, _image_seeds()),
        "compressed": Target(read_compressed_message, _compressed_seeds()),
        "rle": Target(read_rle, _rle_seeds()),
        "labels_json": Target(
            lambda data: from_json(data.decode("utf-8", "replace")), (to_json(labels).encode(),)
        ),
        "spec": Target(read_spec, _spec_seeds()),
        "manifest": Target(
            lambda data: read_manifest(data.decode("utf-8", "replace"), "drawn.plan"),
            _manifest_seeds(),
        ),
        "tracks": Target(_file("0001.txt", _read_tracks), _tracks_seeds()),
        "png": Target(_file("a.png", read_png), (PNG,)),
        "ids": Target(_file("a.png", lambda path: read_listed_ids(path, SEGMENTS)), (PALETTE,)),
        "image_file": Target(_file("a.jpg", read_image), _image_file_seeds()),
        "coco": Target(_file("a.json", read_categories), (COCO,)),
        "predictions": Target(
            _file("a.json", lambda path: read_coco_predictions(path, path.parent)), (COCO,)
        ),
        "camera": Target(_file("camera.yaml", read_camera_yaml), (CAMERA,)),
        "labels_yaml": Target(_file("labels.yaml", read_label_set), (label_file,)),
        "remap": Target(_file("remap.yaml", read_remap), remaps),
        "parameters": Target(
            _file("parameters.yaml", read_parameters), (_text("config", "panoptic.yaml"),)
        ),
        "recipe": Target(
            _file("recipe.yaml", read_recipe), (b"model: street_fast.onnx\nprecision: fp16\n",)
        ),
        "class_map": Target(
            _file("map.yaml", read_class_map), (b"truth: {Road: road, '*': null}\n",)
        ),
        "video_packet": Target(_decode_packet, _packet_seeds()),
        "foxglove": Target(_read_foxglove, _foxglove_seeds()),
        "bag_ros1": Target(_file("a.bag", _read_bag), _bag_seeds("bag")),
        "bag_mcap": Target(_file("a.mcap", _read_bag), _bag_seeds("mcap")),
        "bag_db3": Target(_file("a.db3", _read_bag), _bag_seeds("db3")),
        **_models(),
    }


def _models() -> dict[str, Target]:
    """Model files; only what is installed."""
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        if find_spec("onnx"):
            from test.drawn.external_model import write_external_model

            seed = write_external_model(Path(folder, "m.onnx"), 1.0, 2.0).read_bytes()
            made["weight_files"] = Target(_file("a.onnx", weight_files), (seed,))
        if find_spec("onnx") and find_spec("onnxruntime"):
            from test.drawn.tiny_model import write_tiny_model

            seed = write_tiny_model(Path(folder, "tiny.onnx")).read_bytes()
            made["onnx"] = Target(_file("a.onnx", _open_onnx), (seed,))
        if find_spec("torch"):
            import torch

            from panoptic_ros.model.checkpoint import load_checkpoint

            path = Path(folder, "tiny.pt")
            torch.save({"weights": {"a": torch.zeros(3)}, "classes": [("road", False)]}, path)
            made["checkpoint"] = Target(_file("a.pt", load_checkpoint), (path.read_bytes(),))
    return made


def _open_onnx(path: Path) -> None:
    from panoptic_ros.engine.ort import OrtEngine

    OrtEngine(path, threads=1).close()
