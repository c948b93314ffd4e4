# SPDX-License-Identifier: Apache-2.0
"""CUDA memory, one stream and one captured graph, with pycuda, each with one owner.

pycuda 2026.1 has no calls for graphs, so those few go to the driver's own library; the signatures
are those of the CUDA driver API reference.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from panoptic_ros.core.errors import EngineRunError, ModelError
from panoptic_ros.engine.device import load_driver

_CAPTURE_THIS_THREAD_ONLY = 1
"""``CU_STREAM_CAPTURE_MODE_THREAD_LOCAL``."""


class Cuda:
    """One GPU's primary context and one stream; ``close`` gives both back.

    One thread at a time uses it; every use goes through ``current``.

    Args:
        index: Number of the GPU as CUDA counts.
        driver: The module ``pycuda.driver``, None to import it.
        library: The driver's own library, None to load it when it is needed.

    Raises:
        ModelError: pycuda is not installed, or there is no such GPU.
    """

    def __init__(self, index: int = 0, driver: Any = None, library: Any = None) -> None:
        self.driver = driver or _import_driver()
        self._library = library
        self._context: Any = None
        try:
            self.driver.init()
            device = self.driver.Device(index)
            self._context = device.retain_primary_context()
            self.name = str(device.name())
            self.integrated = bool(device.get_attribute(self.driver.device_attribute.INTEGRATED))
            with self.current():
                self.stream = self.driver.Stream()
        except Exception as error:  # pycuda's classes exist only where it is installed
            if self._context is not None:
                self._context.detach()
            raise ModelError(
                f"GPU {index} cannot be used ({error}); panoptic doctor says what is here"
            ) from error

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make the context this thread's; CUDA's errors become ours.

        Raises:
            EngineRunError: CUDA failed inside; the message has CUDA's name for it.
        """
        try:
            self._context.push()
        except self.driver.Error as error:
            raise self._failure(error) from error
        try:
            yield
        except self.driver.Error as error:
            raise self._failure(error) from error
        finally:
            # A context that has failed may refuse this as well; the first error counts.
            with suppress(self.driver.Error):
                self._context.pop()

    def _failure(self, error: Exception) -> EngineRunError:
        """Turn pycuda's error, which has words only, into ours with CUDA's name.

        A failed kernel leaves its error with the context, which answers every call with it.
        """
        name = ""
        with suppress(ModelError):
            self._library = self._library or load_driver()
            status = int(self._library.cuCtxSynchronize())
            name = f" ({error_name(self._library, status)})" if status else ""
        return EngineRunError(f"CUDA failed: {error}{name}; restart the process")

    def buffer(self, shape: tuple[int, ...], dtype: DTypeLike) -> Buffer:
        """Allocate memory that CPU and GPU both reach; call it inside of ``current``."""
        return Buffer(self, shape, dtype)

    def graph(self, work: Callable[[], None]) -> Graph:
        """Record work on the stream; call it inside of ``current``."""
        return Graph(self.stream.handle, work, self._library)

    def used_bytes(self) -> int:
        """Memory of the GPU that is in use, by everybody; call it inside of ``current``."""
        free, total = self.driver.mem_get_info()
        return int(total - free)

    def close(self) -> None:
        """Give stream and context back; safe to call twice, and after a failure."""
        if self._context is None:
            return
        with suppress(EngineRunError), self.current():
            self.stream = None
        with suppress(self.driver.Error):
            self._context.detach()
        self._context = None


class Buffer:
    """Page-locked host memory and its counterpart on the GPU.

    On an integrated GPU both are the same memory, so nothing is copied.

    Attributes:
        host: The CPU's view, in the given shape and type.
        device: The GPU's address.
    """

    def __init__(self, cuda: Cuda, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._driver, self._stream = cuda.driver, cuda.stream
        self.shared = cuda.integrated
        flags = self._driver.host_alloc_flags.DEVICEMAP if self.shared else 0
        self.host: NDArray[Any] = self._driver.pagelocked_empty(
            shape, np.dtype(dtype), mem_flags=flags
        )
        # The allocation, kept here as views of ``host`` keep the array and not this object.
        self._pages: Any = self.host.base
        self._memory: Any = None if self.shared else self._driver.mem_alloc(self.host.nbytes)
        address: Any = self._pages.get_device_pointer() if self.shared else self._memory
        self.device = int(address)

    def upload(self) -> None:
        """Queue the copy to the GPU."""
        if not self.shared:
            self._driver.memcpy_htod_async(self.device, self.host, self._stream)

    def download(self) -> None:
        """Queue the copy to the CPU."""
        if not self.shared:
            self._driver.memcpy_dtoh_async(self.host, self.device, self._stream)

    def free(self) -> None:
        """Free both; safe to call twice. Views of ``host`` must not be read afterwards."""
        if self._pages is None:
            return
        if self._memory is not None:
            self._memory.free()
        self._pages.free()
        self._pages = self._memory = None


class Graph:
    """Work recorded on a stream, started again with one call.

    Args:
        stream: ``handle`` of the stream.
        work: Queues the work; called once, while the stream records.
        library: The driver's library, None to load it.

    Raises:
        EngineRunError: The driver cannot record it.
    """

    def __init__(self, stream: int, work: Callable[[], None], library: Any = None) -> None:
        self._cuda = library or load_driver()
        self._stream = ctypes.c_void_p(stream)
        graph, self._ready = ctypes.c_void_p(), ctypes.c_void_p()
        self._ask("cuStreamBeginCapture_v2", self._stream, _CAPTURE_THIS_THREAD_ONLY)
        try:
            work()
        finally:
            # Ends the recording in any case: a stream left recording is of no use.
            status = self._cuda.cuStreamEndCapture(self._stream, ctypes.byref(graph))
        self._raise(status, "cuStreamEndCapture")
        try:
            self._ask(
                "cuGraphInstantiateWithFlags",
                ctypes.byref(self._ready),
                graph,
                ctypes.c_ulonglong(0),
            )
        finally:
            self._cuda.cuGraphDestroy(graph)

    def launch(self) -> None:
        """Queue the recorded work.

        Raises:
            EngineRunError: CUDA failed.
        """
        self._ask("cuGraphLaunch", self._ready, self._stream)

    def close(self) -> None:
        """Free it; safe to call twice."""
        if self._ready:
            self._cuda.cuGraphExecDestroy(self._ready)
            self._ready = ctypes.c_void_p()

    def _ask(self, call: str, *arguments: Any) -> None:
        self._raise(getattr(self._cuda, call)(*arguments), call)

    def _raise(self, status: int, call: str) -> None:
        if not status:
            return
        word = error_name(self._cuda, status)
        raise EngineRunError(f"CUDA failed: {call} answered {word}; restart the process")


def error_name(library: Any, status: int) -> str:
    """CUDA's name of an error, e.g. ``CUDA_ERROR_ILLEGAL_ADDRESS``.

    Args:
        library: The driver's library.
        status: What one of its calls answered.
    """
    name = ctypes.c_char_p()
    library.cuGetErrorName(status, ctypes.byref(name))
    return (name.value or b"").decode() or f"error {status}"


def _import_driver() -> Any:
    try:
        import pycuda.driver
    except ImportError as error:
        raise ModelError(
            f"TensorRT engines need pycuda, which cannot be imported ({error}); run: "
            "pip install pycuda (it compiles against the CUDA toolkit: set CUDA_ROOT and PATH)"
        ) from error
    return pycuda.driver
