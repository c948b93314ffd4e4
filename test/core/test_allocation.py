# SPDX-License-Identifier: Apache-2.0
"""Freed memory stays in the process."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from panoptic_ros.core import allocation
from panoptic_ros.core.allocation import owner_of, transferable

FAULTS = """
import resource, sys
import numpy as np
from panoptic_ros.core.allocation import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def frame():
    return [np.full(1 << 20, 1, np.uint8) for _ in range(8)]
for _ in range(3):
    frame()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    frame()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(mode: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, mode], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallopt")
def test_frames_after_the_first_cost_no_page_faults() -> None:
    assert page_faults("keep") < 200


def test_a_transferable_array_gives_away_the_bytes_it_shows() -> None:
    values = transferable((2, 3), np.uint16)
    values[1, 2] = 0x0102
    owner = owner_of(values)
    assert owner is not None
    assert owner.tobytes() == values.tobytes()
    assert np.shares_memory(np.frombuffer(owner, np.uint8), values)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.zeros((2, 3), np.uint8), id="NumPy's own memory"),
        pytest.param(transferable((2, 3), np.uint8)[:1], id="a part"),
        pytest.param(transferable((2, 3), np.uint8).T, id="turned"),
        pytest.param(np.frombuffer(bytes(6), np.uint8), id="bytes"),
    ],
)
def test_what_does_not_show_all_of_its_bytes_in_order_has_no_owner(
    values: NDArray[np.uint8],
) -> None:
    assert owner_of(values) is None


LARGE = (512, 1024)


def address(values: NDArray[np.generic]) -> int:
    return int(values.__array_interface__["data"][0])


def seen_by_a_message(values: NDArray[np.generic]) -> memoryview:
    owner = owner_of(values)
    assert owner is not None
    return memoryview(owner)


def test_large_memory_that_nobody_holds_is_given_again() -> None:
    first = transferable(LARGE, np.uint8)
    place = address(first)
    del first
    assert address(transferable(LARGE, np.uint8)) == place


@pytest.mark.parametrize(
    "hold",
    [
        pytest.param(lambda values: values, id="the array"),
        pytest.param(lambda values: values[7:, ::2].T, id="a view"),
        pytest.param(owner_of, id="the message"),
        pytest.param(seen_by_a_message, id="a memoryview"),
    ],
)
def test_large_memory_that_somebody_holds_is_not_given_again(
    hold: Callable[[NDArray[np.generic]], object],
) -> None:
    held = hold(transferable(LARGE, np.uint8))
    assert not np.shares_memory(np.asarray(held), transferable(LARGE, np.uint8))


def test_a_block_of_another_size_is_no_substitute() -> None:
    for rows in (LARGE[0], LARGE[0] + 1, LARGE[0]):
        assert transferable((rows, LARGE[1]), np.uint8).shape == (rows, LARGE[1])


def test_each_thread_has_memory_of_its_own() -> None:
    with ThreadPoolExecutor(1) as other:
        place = other.submit(lambda: address(transferable(LARGE, np.uint8))).result()
        assert address(transferable(LARGE, np.uint8)) != place


def three_addresses() -> list[int]:
    return [address(values) for values in [transferable(LARGE, np.uint8) for _ in range(3)]]


def test_the_memory_kept_for_later_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocation, "_POOL_BYTES", 2 * LARGE[0] * LARGE[1])
    with ThreadPoolExecutor(1) as fresh:
        before, after = (fresh.submit(three_addresses).result() for _ in range(2))
    assert after[:2] == before[1:]
