# SPDX-License-Identifier: Apache-2.0
"""Packets of small videos with known images, as cameras send them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from test.drawn.av1_packets import RECORDED
from test.drawn.drawn_bags import time_of
from test.drawn.drawn_inputs import SECOND_NS, image

GROUP = 5
"""A key frame comes every so many images."""

_QUICK = {"preset": "ultrafast"}
_X265 = f"log-level=none:repeat-headers=1:keyint={GROUP}:min-keyint={GROUP}:scenecut=0"
ENCODERS: dict[str, tuple[str, dict[str, str]]] = {
    "h264": ("libx264", {**_QUICK, "tune": "zerolatency", "x264-params": "scenecut=0"}),
    "hevc": ("libx265", {**_QUICK, "tune": "zerolatency", "x265-params": _X265}),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "lag-in-frames": "0"}),
}
"""Encoder and options by codec; AV1 is recorded."""


@cache
def packets(
    codec: str, count: int = 12, height: int = 48, width: int = 64, b_frames: int = 0
) -> tuple[bytes, ...]:
    """One packet per image of ``drawn_inputs.image``, in order of decoding."""
    av = pytest.importorskip("av")
    if codec == "av1":
        return tuple(bytes.fromhex(one) for one in RECORDED[height, width][:count])
    name, options = ENCODERS[codec]
    if name not in av.codecs_available:
        pytest.skip(f"this PyAV has no {name}")
    encoder = av.CodecContext.create(name, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 10), Fraction(10)
    encoder.gop_size, encoder.max_b_frames = GROUP, b_frames
    encoder.options = {k: v for k, v in options.items() if k != "tune" or not b_frames}
    made = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(image(number, height, width), format="rgb24")
        frame.pts = number
        made += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(made + [bytes(packet) for packet in encoder.encode(None)])


def header(number: int) -> Any:
    seconds, rest = divmod(time_of(number), SECOND_NS)
    stamp = SimpleNamespace(sec=seconds, nanosec=rest)
    return SimpleNamespace(stamp=stamp, frame_id="front")


def compressed(form: str, data: bytes, number: int) -> Any:
    """As ``sensor_msgs/CompressedImage``."""
    return SimpleNamespace(header=header(number), format=form, data=data)


def foxglove_video(form: str, data: bytes, number: int) -> Any:
    """As ``foxglove_msgs/CompressedVideo``."""
    told = header(number)
    return SimpleNamespace(timestamp=told.stamp, frame_id="front", format=form, data=data)


def ffmpeg_packet(form: str, data: bytes, number: int) -> Any:
    """As ``ffmpeg_image_transport_msgs/FFMPEGPacket``."""
    encoding = f"{form};yuv420p;bgr8;bgr8"
    size = {"width": 64, "height": 48, "pts": number, "flags": 0, "is_bigendian": False}
    return SimpleNamespace(header=header(number), encoding=encoding, data=data, **size)


def messages(codec: str, data: Sequence[bytes]) -> list[Any]:
    return [compressed(codec, one, number) for number, one in enumerate(data)]
