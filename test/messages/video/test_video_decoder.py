# SPDX-License-Identifier: Apache-2.0
"""Video packets to images: every codec and message, started late, with losses and changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from panoptic_ros.messages.convert import stamp_ns, to_frame
from panoptic_ros.messages.video.video_decoder import (
    DAMAGED,
    MISSING,
    NO_IMAGE,
    WAITING,
    VideoDecoder,
    video_codec,
)
from panoptic_ros.messages.video.video_packets import codec_of, has_image, is_key
from test.drawn.drawn_bags import time_of
from test.drawn.drawn_inputs import number_of
from test.drawn.drawn_video import (
    ENCODERS,
    GROUP,
    compressed,
    ffmpeg_packet,
    foxglove_video,
    messages,
    packets,
)

CODECS = [*ENCODERS, "av1"]
ALL = list(range(12))


def decoded(
    entries: Iterable[Any], after_loss: Iterable[int] = ()
) -> tuple[list[int], Counter[str]]:
    """Numbers of the images, and how many packets gave none by cause."""
    decoder = VideoDecoder()
    images = []
    for place, message in enumerate(entries):
        images += decoder.decode(message, is_after_loss=place in set(after_loss))
    images += decoder.finish()
    causes = Counter(cause.split(" (")[0] for cause in decoder.dropped())
    return [number_of(to_frame(one).image) for one in images], causes


@pytest.mark.parametrize("codec", CODECS)
def test_every_packet_gives_its_image_at_once(codec: str) -> None:
    decoder = VideoDecoder()
    for number, message in enumerate(messages(codec, packets(codec))):
        (image,) = decoder.decode(message, time_ns=number)
        frame = to_frame(image)
        assert (number_of(frame.image), frame.stamp_ns) == (number, time_of(number))
        assert (frame.frame_id, frame.image.shape, image.time_ns) == ("front", (48, 64, 3), number)
    assert decoder.dropped() == []


@pytest.mark.parametrize("make", [compressed, foxglove_video, ffmpeg_packet])
@pytest.mark.parametrize("form", ["h264", "h265", "hevc"])
def test_every_message_that_carries_video_is_read(
    make: Callable[[str, bytes, int], Any], form: str
) -> None:
    data = packets("h264" if form == "h264" else "hevc")
    entries = [make(form, one, number) for number, one in enumerate(data)]
    assert decoded(entries) == (ALL, Counter())


@pytest.mark.parametrize("codec", CODECS)
def test_it_starts_at_a_key_frame(codec: str) -> None:
    seen, causes = decoded(messages(codec, packets(codec))[2:])
    assert seen == ALL[GROUP:]
    assert causes == {WAITING: GROUP - 2}


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("lost", [1, 2, 6, 8])
def test_a_packet_that_is_missing_costs_the_rest_of_its_group(codec: str, lost: int) -> None:
    entries = messages(codec, packets(codec))
    del entries[lost]
    seen, causes = decoded(entries)
    until = (lost // GROUP + 1) * GROUP
    assert seen == ALL[:lost] + ALL[until:]
    assert sum(causes.values()) == len(entries) - len(seen)
    assert set(causes) <= {MISSING, WAITING, NO_IMAGE}


@pytest.mark.parametrize("codec", CODECS)
def test_a_loss_that_the_caller_knows_of_costs_the_rest_of_its_group(codec: str) -> None:
    entries = messages(codec, packets(codec))
    del entries[6]
    seen, causes = decoded(entries, after_loss=[6])
    assert seen == [0, 1, 2, 3, 4, 5, 10, 11]
    assert causes == {MISSING: 1, WAITING: 2}


@pytest.mark.parametrize("codec", CODECS)
def test_a_loss_before_a_key_frame_costs_nothing_more(codec: str) -> None:
    entries = messages(codec, packets(codec))
    del entries[GROUP - 1]
    seen, causes = decoded(entries, after_loss=[GROUP - 1])
    assert seen == [*ALL[: GROUP - 1], *ALL[GROUP:]]
    assert causes == {}


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("data", [b"", b"\0" * 40, b"no start code at all", b"\0\0\1"])
def test_a_packet_of_nonsense_is_counted(codec: str, data: bytes) -> None:
    entries = messages(codec, packets(codec))
    entries.insert(GROUP, compressed(codec, data, 99))
    seen, causes = decoded(entries)
    assert seen == ALL
    assert causes == {DAMAGED: 1}


@pytest.mark.parametrize("codec", CODECS)
def test_the_size_may_change_at_a_key_frame(codec: str) -> None:
    data = [*packets(codec)[:GROUP], *packets(codec, height=96, width=128)]
    decoder = VideoDecoder()
    images = [one for message in messages(codec, data) for one in decoder.decode(message)]
    sizes = [(one.height, one.width) for one in images]
    assert sizes == [(48, 64)] * GROUP + [(96, 128)] * 12
    assert to_frame(images[-1]).image.shape == (96, 128, 3)
    assert decoder.dropped() == []


def test_the_codec_may_change() -> None:
    entries = [*messages("h264", packets("h264")), *messages("hevc", packets("hevc"))]
    assert decoded(entries) == (ALL + ALL, Counter())


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_images_that_are_sent_out_of_order_keep_their_stamps(codec: str) -> None:
    decoder = VideoDecoder()
    images = []
    for message in messages(codec, packets(codec, b_frames=2)):
        images += decoder.decode(message)
    images += decoder.finish()
    assert [number_of(to_frame(one).image) for one in images] == ALL
    assert len({stamp_ns(one.header) for one in images}) == 12
    assert decoder.dropped() == []


def test_parameters_in_a_message_of_their_own_are_kept_for_the_next() -> None:
    data = list(packets("h264"))
    at = data[0].index(b"\0\0\1\x65")
    entries = messages("h264", [data[0][:at], data[0][at:], *data[1:]])
    assert decoded(entries) == (ALL, Counter())


@pytest.mark.parametrize("codec", CODECS)
def test_key_frames_are_told_from_others(codec: str) -> None:
    keys = [number for number, data in enumerate(packets(codec)) if is_key(codec, data)]
    assert keys == [0, 5, 10]
    assert all(has_image(codec, data) for data in packets(codec))


@pytest.mark.parametrize(
    ("form", "codec"),
    [
        ("jpeg", ""),
        ("rgb8; jpeg compressed bgr8", ""),
        ("16UC1; compressedDepth png", ""),
        ("", ""),
        ("H264", "h264"),
        ("h264_nvenc", "h264"),
        ("video/avc", "h264"),
        ("bgr8; h264", "h264"),
        ("H.265", "hevc"),
        ("hevc_vaapi;nv12;bgr8;rgb8", "hevc"),
        ("libsvtav1", "av1"),
        ("vp9", "vp9"),
    ],
)
def test_the_codec_is_read_out_of_the_format(form: str, codec: str) -> None:
    assert codec_of(form) == codec
    assert video_codec(compressed(form, b"", 0)) == codec
