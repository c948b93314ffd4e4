# SPDX-License-Identifier: Apache-2.0
"""What the driver says becomes facts; what it refuses becomes a reason."""

from __future__ import annotations

from typing import Any

import pytest

from panoptic_ros.core.errors import ModelError
from panoptic_ros.engine import device
from panoptic_ros.engine.device import Gpu, find_gpu, pci_bus_id, read_gpu


class DrawnDriver:
    """A driver of one Orin; ``failing`` names the call that answers 100, ``NO_DEVICE``."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing

    def _answer(self, call: str) -> int:
        return 100 if call == self.failing else 0

    def cuInit(self, flags: int) -> int:  # noqa: N802
        return self._answer("cuInit")

    def cuDriverGetVersion(self, version: Any) -> int:  # noqa: N802
        version._obj.value = 12060
        return self._answer("cuDriverGetVersion")

    def cuDeviceGet(self, device: Any, index: int) -> int:  # noqa: N802
        return self._answer("cuDeviceGet") if index == 0 else 101

    def cuDeviceGetName(self, name: Any, size: int, device: Any) -> int:  # noqa: N802
        name.value = b"Orin"
        return self._answer("cuDeviceGetName")

    def cuDeviceGetAttribute(self, value: Any, attribute: int, device: Any) -> int:  # noqa: N802
        value._obj.value = {75: 8, 76: 7, 18: 1}[attribute]
        return self._answer("cuDeviceGetAttribute")

    def cuDeviceGetPCIBusId(self, name: Any, size: int, device: Any) -> int:  # noqa: N802
        name.value = b"0000:41:00.0"
        return self._answer("cuDeviceGetPCIBusId")


def test_a_gpu_is_known_by_its_slot() -> None:
    assert pci_bus_id(0, DrawnDriver()) == "0000:41:00.0"


@pytest.mark.parametrize("call", ["cuInit", "cuDeviceGet", "cuDeviceGetPCIBusId"])
def test_a_gpu_that_the_driver_does_not_know_has_no_slot(call: str) -> None:
    assert pci_bus_id(0, DrawnDriver(call)) == ""


def test_the_driver_is_asked_for_name_capability_and_version() -> None:
    assert read_gpu(0, DrawnDriver()) == Gpu("Orin", "8.7", "12.6", True)


@pytest.mark.parametrize(
    "call",
    ["cuInit", "cuDriverGetVersion", "cuDeviceGet", "cuDeviceGetName", "cuDeviceGetAttribute"],
)
def test_a_failing_call_is_named_with_its_number(call: str) -> None:
    with pytest.raises(ModelError, match=f"answered {call} with CUDA error 100"):
        read_gpu(0, DrawnDriver(call))


def test_a_gpu_that_is_not_there_is_none() -> None:
    assert find_gpu(1, DrawnDriver()) is None


def test_a_missing_driver_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "LIBRARY", "libnowhere.so.1")
    with pytest.raises(ModelError, match=r"no NVIDIA driver here.*install the driver"):
        read_gpu()
    assert find_gpu() is None
