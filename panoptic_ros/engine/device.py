# SPDX-License-Identifier: Apache-2.0
"""Which GPU is here, asked of the driver itself: knowing it needs no CUDA package.

Source of the numbers: ``CUdevice_attribute`` in the CUDA driver API reference.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from panoptic_ros.core.errors import ModelError

LIBRARY = "libcuda.so.1"
_MAJOR, _MINOR, _INTEGRATED = 75, 76, 18


@dataclass(frozen=True)
class Gpu:
    """A GPU and its driver.

    Attributes:
        name: As the driver says, e.g. ``Orin``.
        compute_capability: E.g. ``8.7``.
        driver: Newest CUDA version that the driver can serve, e.g. ``12.6``.
        integrated: Whether it shares the CPU's memory, as on a Jetson.
    """

    name: str
    compute_capability: str
    driver: str
    integrated: bool


def find_gpu(index: int = 0, library: Any = None) -> Gpu | None:
    """Ask the driver for a GPU.

    Args:
        index: Number of the GPU as CUDA counts.
        library: The driver's library, None to load it.

    Returns:
        The GPU, None where there is no driver or no such GPU.
    """
    try:
        return read_gpu(index, library)
    except ModelError:
        return None


def read_gpu(index: int = 0, library: Any = None) -> Gpu:
    """Ask the driver for a GPU, or say why there is none.

    Raises:
        ModelError: There is no driver, or it fails; the message says which.
    """
    cuda = library or load_driver()
    _ask(cuda, "cuInit", 0)
    device, driver = ctypes.c_int(), ctypes.c_int()
    _ask(cuda, "cuDriverGetVersion", ctypes.byref(driver))
    _ask(cuda, "cuDeviceGet", ctypes.byref(device), index)
    name = ctypes.create_string_buffer(256)
    _ask(cuda, "cuDeviceGetName", name, 256, device)
    return Gpu(
        name=name.value.decode(errors="replace"),
        compute_capability=f"{_fact(cuda, _MAJOR, device)}.{_fact(cuda, _MINOR, device)}",
        driver=f"{driver.value // 1000}.{driver.value % 1000 // 10}",
        integrated=bool(_fact(cuda, _INTEGRATED, device)),
    )


def pci_bus_id(index: int = 0, library: Any = None) -> str:
    """Say in which slot a GPU sits, which is what NVIDIA's management library knows it by too.

    CUDA counts GPUs by speed and leaves out what ``CUDA_VISIBLE_DEVICES`` hides; the management
    library counts all of them by slot.

    Args:
        index: Number of the GPU as CUDA counts.
        library: The driver's library, None to load it.

    Returns:
        Such as ``0000:01:00.0``; empty where there is no driver or no such GPU.
    """
    device, name = ctypes.c_int(), ctypes.create_string_buffer(32)
    try:
        cuda = library or load_driver()
        _ask(cuda, "cuInit", 0)
        _ask(cuda, "cuDeviceGet", ctypes.byref(device), index)
        _ask(cuda, "cuDeviceGetPCIBusId", name, len(name), device)
    except ModelError:
        return ""
    return name.value.decode(errors="replace")


def load_driver() -> Any:
    """Load the driver's library.

    Raises:
        ModelError: There is none.
    """
    try:
        return ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise ModelError(
            f"there is no NVIDIA driver here ({LIBRARY} is not found); install the driver, or "
            "in a container start it with the NVIDIA runtime (--gpus all)"
        ) from error


def _fact(cuda: Any, attribute: int, device: ctypes.c_int) -> int:
    value = ctypes.c_int()
    _ask(cuda, "cuDeviceGetAttribute", ctypes.byref(value), attribute, device)
    return value.value


def _ask(cuda: Any, call: str, *arguments: Any) -> None:
    status = int(getattr(cuda, call)(*arguments))
    if status:
        raise ModelError(f"the NVIDIA driver answered {call} with CUDA error {status}")
