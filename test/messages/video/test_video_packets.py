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
