# SPDX-License-Identifier: Apache-2.0
"""What a packet says before it is decoded, on packets written bit by bit after the standards."""

from __future__ import annotations

import pytest

from panoptic_ros.messages.video.video_packets import FrameNumbers, has_image, is_key

# ITU-T H.264, 7.3.2.1.1: the profiles whose parameter set has a chroma format.
HIGH = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)
TEMPORAL_DELIMITER, SEQUENCE, FRAME_HEADER, FRAME, PADDING = 2, 1, 3, 6, 15


def obu(kind: int, size: int = 1, extends: bool = False) -> bytes:
    """An AV1 unit of any content, with its size (AV1 specification, 5.3)."""
    head = bytes([kind << 3 | 4 * extends | 2]) + bytes(1) * extends
    length = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    return head + length + bytes(size)


def hevc(*kinds: int) -> bytes:
    return b"".join(bytes([0, 0, 1, kind << 1, 1, 7]) for kind in kinds)


def h264(head: int, bits: str) -> bytes:
    """A unit whose payload is the bits, and the one that ends it."""
    text = bits + "1"
    text += "0" * (-len(text) % 8)
    return bytes([0, 0, 1, head]) + int(text, 2).to_bytes(len(text) // 8, "big")


def unsigned(value: int) -> str:
    """Exp-Golomb code (H.264, 9.1)."""
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


def parameters(profile: int) -> bytes:
    """A sequence parameter set: frame numbers of 4 bits, no gaps allowed."""
    chroma = unsigned(1) + unsigned(0) + unsigned(0) + "00" if profile in HIGH else ""
    order = unsigned(2)
    rest = unsigned(0) + order + unsigned(1) + "0"
    return h264(0x67, f"{profile:08b}" + "0" * 8 + f"{30:08b}" + unsigned(0) + chroma + rest)


def image(frame_number: int, is_idr: bool = False) -> bytes:
    head = 0x65 if is_idr else 0x61
    return h264(head, unsigned(0) + unsigned(0) + unsigned(0) + f"{frame_number:04b}" + "0101")


@pytest.mark.parametrize(
    ("units", "starts", "shows"),
    [
        ((TEMPORAL_DELIMITER, SEQUENCE, FRAME), True, True),
        ((TEMPORAL_DELIMITER, FRAME), False, True),
        ((TEMPORAL_DELIMITER, FRAME_HEADER), False, True),
        ((TEMPORAL_DELIMITER, SEQUENCE), True, False),
        ((TEMPORAL_DELIMITER,), False, False),
    ],
)
@pytest.mark.parametrize("extends", [False, True])
def test_av1_starts_at_a_sequence_and_shows_a_frame(
    units: tuple[int, ...], starts: bool, shows: bool, extends: bool
) -> None:
    data = b"".join(obu(kind, extends=extends) for kind in units)
    assert (is_key("av1", data), has_image("av1", data)) == (starts, shows)


def test_av1_units_of_two_bytes_of_length_are_stepped_over() -> None:
    data = obu(PADDING, 200) + obu(SEQUENCE, 130) + obu(FRAME)
    assert is_key("av1", data)
    assert has_image("av1", data)


@pytest.mark.parametrize(
    ("kinds", "starts", "shows"),
    [
        pytest.param((32, 33, 34), True, False, id="parameter sets"),
        pytest.param((34,), False, False, id="picture parameters"),
        pytest.param((39,), False, False, id="SEI"),
        pytest.param((1,), False, True, id="trailing"),
        pytest.param((15,), False, True, id="the last before the key frames"),
        pytest.param((16,), True, True, id="broken link access"),
        pytest.param((19,), True, True, id="IDR"),
        pytest.param((21,), True, True, id="clean random access"),
        pytest.param((23,), True, True, id="the last of the key frames"),
        pytest.param((24,), False, True, id="reserved"),
    ],
)
def test_h265_starts_and_shows_by_its_types(
    kinds: tuple[int, ...], starts: bool, shows: bool
) -> None:
    data = hevc(*kinds)
    assert (is_key("hevc", data), has_image("hevc", data)) == (starts, shows)


@pytest.mark.parametrize("profile", [66, 77, 88, *HIGH])
def test_h264_notices_a_missing_image_in_every_profile(profile: int) -> None:
    numbers = FrameNumbers()
    packets = [parameters(profile) + image(0, is_idr=True), *map(image, (1, 2, 4, 5, 15, 0))]
    missing = [numbers.misses_one(packet) for packet in packets]
    assert missing == [False, False, False, True, False, True, False]


def test_h264_without_parameters_says_nothing() -> None:
    numbers = FrameNumbers()
    assert not any(numbers.misses_one(image(number)) for number in (1, 7, 3))


@pytest.mark.parametrize(
    ("codec", "data", "starts", "shows"),
    [
        pytest.param("vp9", b"\x82", True, True, id="vp9 key frame"),
        pytest.param("vp9", b"\x83", True, True, id="vp9 key frame that withstands errors"),
        pytest.param("vp9", b"\x86", False, True, id="vp9 between"),
        pytest.param("vp9", b"\x8a", False, True, id="vp9 shown again"),
        pytest.param("vp9", b"\xc2", False, True, id="no vp9"),
        pytest.param("vp9", b"", False, False, id="vp9 empty"),
        pytest.param("vp8", b"\x10", True, True, id="vp8 key frame"),
        pytest.param("vp8", b"\x11", False, True, id="vp8 between"),
        pytest.param("vp8", b"", False, False, id="vp8 empty"),
        pytest.param("h264", b"\0\0\1\x67\x42", True, False, id="h264 parameters"),
        pytest.param("h264", b"\0\0\1\x65\x88", True, True, id="h264 IDR"),
        pytest.param("h264", b"\0\0\1\x61\x88", False, True, id="h264 between"),
        pytest.param("h264", b"\0\0\1\x62\x88", False, True, id="h264 partition"),
        pytest.param("h264", b"\0\0\1\x68\x88", False, False, id="h264 picture parameters"),
        pytest.param("h264", b"\0\0\1\x06\x06\x01", True, False, id="h264 recovery point"),
        pytest.param("h264", b"\0\0\1\x06\x05\x01", False, False, id="h264 another SEI"),
        pytest.param("h264", b"\0\0\1\x61\x06", False, True, id="h264 image that begins with 6"),
        pytest.param("h264", b"\0\0\1\x09\0\0\1\x65\x88", True, True, id="h264 delimiter before"),
    ],
)
def test_where_a_stream_starts_and_shows(
    codec: str, data: bytes, starts: bool, shows: bool
) -> None:
    assert (is_key(codec, data), has_image(codec, data)) == (starts, shows)


def test_an_av1_unit_without_a_size_is_the_last() -> None:
    data = bytes([FRAME << 3]) + obu(SEQUENCE)
    assert not is_key("av1", data)
    assert has_image("av1", data)


def test_an_av1_unit_of_three_bytes_of_length_is_stepped_over() -> None:
    size = 2 << 14
    padding = bytes([PADDING << 3 | 2, 0x80, 0x80, 2]) + bytes(size)
    assert is_key("av1", padding + obu(SEQUENCE))


def missing(parameters_: bytes, *images: bytes) -> list[bool]:
    """Of each image whether one is missing before it."""
    numbers = FrameNumbers()
    return [numbers.misses_one(data) for data in (parameters_ + images[0], *images[1:])]


def baseline(order: str, extra_bits: int = 0, gaps: str = "0") -> bytes:
    """Parameters of a simple profile; frame numbers of 4 bits and some more."""
    rest = unsigned(extra_bits) + order + unsigned(1) + gaps
    return h264(0x67, f"{66:08b}" + "0" * 8 + f"{30:08b}" + unsigned(0) + rest)


def shot(number: int, bits: int = 4, head: int = 0x61, before: str = "") -> bytes:
    start = unsigned(3) + unsigned(5) + unsigned(2)
    return h264(head, start + before + f"{number:0{bits}b}" + "0101")


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(unsigned(0) + unsigned(4), id="by a counter"),
        pytest.param(
            unsigned(1)
            + "1"
            + unsigned(6)
            + unsigned(3)
            + unsigned(2)
            + unsigned(9)
            + unsigned(1),
            id="by a cycle of two",
        ),
        pytest.param(unsigned(1) + "0" + unsigned(2) + unsigned(2) + unsigned(0), id="by none"),
        pytest.param(unsigned(2), id="as sent"),
    ],
)
def test_h264_notices_a_missing_image_whatever_gives_the_order(order: str) -> None:
    images = [shot(0, head=0x65), *map(shot, (1, 3, 4))]
    assert missing(baseline(order), *images) == [False, False, True, False]
    allowed = baseline(order, gaps="1")
    assert not any(missing(allowed, *images)), "it allows gaps"


def test_h264_counts_frames_up_to_the_number_of_its_bits() -> None:
    images = [shot(255, 8, head=0x65), shot(0, 8), shot(1, 8), shot(17, 8)]
    assert missing(baseline(unsigned(2), extra_bits=4), *images) == [False, False, False, True]


@pytest.mark.parametrize(
    ("flag", "before"), [pytest.param("1", "01", id="apart"), pytest.param("0", "", id="together")]
)
@pytest.mark.parametrize("depth", [8, 10])
def test_h264_of_full_colour_has_two_bits_before_the_number_where_planes_lie_apart(
    flag: str, before: str, depth: int
) -> None:
    chroma = unsigned(3) + flag + unsigned(depth - 8) + unsigned(depth - 8) + "0" + "0"
    rest = unsigned(0) + unsigned(2) + unsigned(1) + "0"
    sets = h264(0x67, f"{244:08b}" + "0" * 8 + f"{30:08b}" + unsigned(0) + chroma + rest)
    images = [shot(0, head=0x65, before=before), *(shot(n, before=before) for n in (1, 2, 4))]
    assert missing(sets, *images) == [False, False, False, True]


def test_h264_with_scaling_lists_says_nothing() -> None:
    chroma = unsigned(1) + unsigned(0) + unsigned(0) + "0" + "1"
    rest = unsigned(0) + unsigned(2) + unsigned(1) + "0"
    sets = h264(0x67, f"{100:08b}" + "0" * 8 + f"{30:08b}" + unsigned(0) + chroma + rest)
    assert not any(missing(sets, *map(shot, (1, 7, 3))))


def test_h264_images_that_none_refers_to_share_their_number_with_the_next() -> None:
    aside = [shot(number, head=0x01) for number in (1, 1, 2)]
    kept = [shot(0, head=0x65), *aside]
    assert missing(baseline(unsigned(2)), *kept) == [False, False, False, True]
    twice = [shot(0, head=0x65), shot(0), shot(1), shot(1)]
    assert not any(missing(baseline(unsigned(2)), *twice)), "two fields or slices"


def test_h264_begins_anew_at_an_idr_and_where_the_last_is_forgotten() -> None:
    sets = baseline(unsigned(2))
    assert not any(missing(sets, shot(0, head=0x65), shot(1), shot(0, head=0x65), shot(1)))
    numbers = FrameNumbers()
    assert not numbers.misses_one(sets + shot(0, head=0x65))
    numbers.forget_last()
    assert not numbers.misses_one(shot(9))
    assert numbers.misses_one(shot(11))


def test_h264_reads_over_bytes_that_keep_start_codes_out() -> None:
    # Profile 66, no flags, level 0: 00 00 follow each other, so the encoder puts a 03 there.
    bits = unsigned(0) + unsigned(0) + unsigned(2) + unsigned(1) + "01"
    payload = int(bits + "0" * (-len(bits) % 8), 2).to_bytes(-(-len(bits) // 8), "big")
    sets = b"\0\0\1\x67\x42\0\0\3" + payload
    images = [shot(0, head=0x65), *map(shot, (1, 3))]
    assert missing(sets, *images) == [False, False, True]
