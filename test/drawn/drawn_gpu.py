# SPDX-License-Identifier: Apache-2.0
"""A GPU and a TensorRT made of NumPy: copies and addresses are real, so a wrong one shows.

They stand in for ``pycuda.driver``, ``libcuda`` and ``tensorrt`` with those calls that we use.
What they cannot show is listed in docs/engines.md: whether the real ones do the same.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from panoptic_ros.engine.variant import TensorRtVariant


class DrawnError(Exception):
    """Stands in for ``pycuda.driver.Error``."""


class Pages:
    """Page-locked memory: the base of the array that is handed out, as in pycuda."""

    def __init__(self, shape: Any, dtype: Any) -> None:
        self.memory = np.zeros(shape, dtype)
        self.__array_interface__ = self.memory.__array_interface__
        self.freed = False

    def get_device_pointer(self) -> int:
        return int(self.memory.ctypes.data)

    def free(self) -> None:
        assert not self.freed
        self.freed = True


class Memory:
    """Memory of the GPU."""

    def __init__(self, size: int) -> None:
        self.bytes = np.zeros(size, np.uint8)
        self.freed = False

    def __int__(self) -> int:
        return int(self.bytes.ctypes.data)

    def free(self) -> None:
        assert not self.freed
        self.freed = True


class DrawnCuda:
    """Stands in for ``pycuda.driver``."""

    Error = DrawnError
    device_attribute = SimpleNamespace(INTEGRATED=18)
    host_alloc_flags = SimpleNamespace(DEVICEMAP=2)

    def __init__(self, integrated: bool = False) -> None:
        self.integrated = integrated
        self.depth = 0
        self.detached = 0
        self.allocated: list[Memory] = []
        self.pages: list[Pages] = []
        self.copies: list[str] = []
        self.failing = self.dead = False
        self.room: int | None = None

    def init(self) -> None:
        """Nothing to do."""

    def Device(self, index: int) -> Any:  # noqa: N802
        if index:
            raise DrawnError("cuDeviceGet failed: invalid device ordinal")
        return self

    def name(self) -> str:
        return "Drawn"

    def get_attribute(self, attribute: int) -> int:
        return int(self.integrated)

    def retain_primary_context(self) -> Any:
        return self

    def push(self) -> None:
        self.depth += 1

    def pop(self) -> None:
        self.depth -= 1
        self._answer()

    def detach(self) -> None:
        self.detached += 1
        self._answer()

    def _answer(self) -> None:
        """A context in which a kernel failed answers everything with that error."""
        if self.dead:
            raise DrawnError("cuAnything failed: an illegal memory access")

    def Stream(self) -> Any:  # noqa: N802
        return SimpleNamespace(handle=77, synchronize=self._synchronize)

    def _synchronize(self) -> None:
        assert self.depth == 1, "the context is not current"
        if self.failing or self.dead:
            raise DrawnError("cuStreamSynchronize failed: an illegal memory access")

    def pagelocked_empty(self, shape: Any, dtype: Any, mem_flags: int = 0) -> Any:
        assert bool(mem_flags) == self.integrated
        self.pages.append(Pages(shape, dtype))
        return np.asarray(self.pages[-1])

    def mem_alloc(self, size: int) -> Memory:
        if self.room is not None and size > self.room:
            raise DrawnError("cuMemAlloc failed: out of memory")
        self.allocated.append(Memory(size))
        return self.allocated[-1]

    def mem_get_info(self) -> tuple[int, int]:
        return 1000 - sum(memory.bytes.size for memory in self.allocated), 1 << 20

    def memcpy_htod_async(self, target: int, source: Any, stream: Any) -> None:
        self.copies.append("up")
        ctypes.memmove(target, source.ctypes.data, source.nbytes)

    def memcpy_dtoh_async(self, target: Any, source: int, stream: Any) -> None:
        self.copies.append("down")
        ctypes.memmove(target.ctypes.data, source, target.nbytes)


class DrawnTensorRT:
    """A plan for the tiny model: channel 0 is the label, 1 the confidence, 2 the centres."""

    class ILogger:
        INTERNAL_ERROR, ERROR, WARNING = 0, 1, 2

    TensorIOMode = SimpleNamespace(INPUT=1, OUTPUT=2)

    def __init__(self, batch: int = 1, loads: bool = True, runs: bool = True) -> None:
        self.loads, self.runs, self.refused = loads, runs, ""
        self.addresses: dict[str, int] = {}
        self.executed = 0
        small = (batch, 4, 8)
        self.tensors: dict[str, tuple[tuple[int, ...], Any]] = {
            "image": ((*small, 3), np.uint8),
            "labels": (small, np.uint8),
            "confidence": (small, np.uint8),
            "centers": (small, np.uint8),
            "offsets": ((batch, 2, 4, 8), np.float16),
        }
        self.num_io_tensors = len(self.tensors)

    def nptype(self, dtype: Any) -> Any:
        return dtype

    def Runtime(self, logger: Any) -> Any:  # noqa: N802
        self._logger = logger
        return self

    def deserialize_cuda_engine(self, plan: bytes) -> Any:
        if self.loads:
            return self
        self._logger.log(self.ILogger.ERROR, "The engine plan file is not compatible")
        return None

    def create_execution_context(self) -> Any:
        return self

    def get_tensor_name(self, index: int) -> str:
        return list(self.tensors)[index]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self.tensors[name][0]

    def get_tensor_dtype(self, name: str) -> Any:
        return self.tensors[name][1]

    def get_tensor_mode(self, name: str) -> int:
        return self.TensorIOMode.INPUT if name == "image" else self.TensorIOMode.OUTPUT

    def set_tensor_address(self, name: str, memory: int) -> bool:
        self.addresses[name] = memory
        return name != self.refused

    def execute_async_v3(self, stream_handle: int) -> bool:
        assert stream_handle == 77
        self.executed += 1
        if not self.runs:
            self._logger.log(self.ILogger.ERROR, "Cask failure")
            return False
        image = self._at("image")
        for channel, name in enumerate(("labels", "confidence", "centers")):
            self._at(name)[:] = image[..., channel]
        self._at("offsets")[:] = self.executed
        return True

    def _at(self, name: str) -> Any:
        shape, dtype = self.tensors[name]
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        memory = (ctypes.c_uint8 * size).from_address(self.addresses[name])
        return np.frombuffer(memory, dtype).reshape(shape)

    def as_variant(self, version: str = "10.3.0") -> TensorRtVariant:
        return TensorRtVariant("tensorrt", version, self)


class DrawnGraphs:
    """Stands in for the graph calls of ``libcuda``; replays what was recorded."""

    NAMES = (
        (900, b"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"),
        (700, b"CUDA_ERROR_ILLEGAL_ADDRESS"),
    )

    def __init__(self, failing: str = "", status: int = 900) -> None:
        self.failing, self.status = failing, status
        self.work: Callable[[], None] | None = None
        self.calls: list[str] = []

    def __getattr__(self, call: str) -> Callable[..., int]:
        if not call.startswith("cu"):
            raise AttributeError(call)
        return lambda *arguments: self._answer(call, arguments)

    def _answer(self, call: str, arguments: tuple[Any, ...]) -> int:
        self.calls.append(call)
        if call == "cuGetErrorName":
            arguments[1]._obj.value = dict(self.NAMES).get(arguments[0])
        if call == "cuGraphInstantiateWithFlags":
            arguments[0]._obj.value = 5
        if call == "cuGraphLaunch" and self.work is not None:
            self.work()
        return self.status if call == self.failing else 0
