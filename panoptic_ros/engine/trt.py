# SPDX-License-Identifier: Apache-2.0
"""Run a plan with TensorRT: named tensors, one stream, a CUDA graph, no allocation per frame."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.closing import Closing
from panoptic_ros.core.errors import EngineRunError, ModelError, StaleEngineError
from panoptic_ros.core.model import ModelSpec, read_metadata
from panoptic_ros.core.types import Heads
from panoptic_ros.engine.cuda import Buffer, Cuda, Graph
from panoptic_ros.engine.heads import INPUT, check_image, output_names, put_image, to_heads
from panoptic_ros.engine.storage.manifest import Manifest
from panoptic_ros.engine.variant import TensorRtVariant, load_variant, make_logger


class TrtEngine(Closing):
    """A plan in TensorRT; one thread at a time uses it.

    The heads are views of its own buffers, valid until the next call.

    Args:
        plan: The plan.
        manifest: What it was built from.
        where: Name of the plan, for messages.
        device: Number of the GPU as CUDA counts.
        graph: Whether to record the work as a CUDA graph, where the driver can.
        warmup: Inferences before the first frame; the first ones load kernels.
        cuda: The GPU, None to open it.
        variant: The TensorRT, None for the one that built the plan.

    Raises:
        StaleEngineError: Another version of TensorRT built the plan.
        ModelError: There is no GPU, no TensorRT, or the plan cannot be loaded.
    """

    def __init__(
        self,
        plan: bytes,
        manifest: Manifest,
        where: str,
        device: int = 0,
        graph: bool = True,
        warmup: int = 3,
        cuda: Cuda | None = None,
        variant: TensorRtVariant | None = None,
    ) -> None:
        self._spec = read_metadata(manifest.metadata, where)
        self._variant = variant or load_variant(manifest.key.variant)
        _check_version(manifest, self._variant, where)
        self._precision = manifest.key.precision
        self.is_compared = manifest.compared == "plan"
        self._owned = ExitStack()
        self._graph: Graph | None = None
        self._runtime: Any = None
        self._engine: Any = None
        self._context: Any = None
        self._cuda = cuda or Cuda(device)
        self._owned.callback(self._cuda.close)
        try:
            self._open(plan, where)
            self._warm_up(warmup)
            self._graph = self._record() if graph else None
        except EngineRunError as error:
            self._release()
            # Nothing ran yet that a restart could help: something else may run instead.
            raise ModelError(f"{where}: does not run here: {error}") from error
        except BaseException:
            self._release()
            raise

    def _warm_up(self, count: int) -> None:
        with self._cuda.current():
            for _ in range(max(1, count)):
                self._queue()
                self._cuda.stream.synchronize()

    def _open(self, plan: bytes, where: str) -> None:
        with self._cuda.current():
            before = self._cuda.used_bytes()
            self._logger = make_logger(self._variant.module)
            self._runtime = self._variant.module.Runtime(self._logger)
            self._engine = self._runtime.deserialize_cuda_engine(plan)
            if self._engine is None:
                raise ModelError(
                    f"{where}: {self._variant.title} cannot load it ({self._logger.summary()}); "
                    "build it again on this machine: panoptic build MODEL.onnx --rebuild"
                )
            self._context = self._engine.create_execution_context()
            if self._context is None:
                raise ModelError(
                    f"{where}: there is not enough GPU memory ({self._logger.summary()})"
                )
            self._bind(where)
            # Others may free memory meanwhile.
            self.memory_bytes = max(0, self._cuda.used_bytes() - before)

    def _bind(self, where: str) -> None:
        """Give every tensor of the plan a buffer; the addresses never change afterwards."""
        trt = self._variant.module
        self._buffers: dict[str, Buffer] = {}
        inputs: list[str] = []
        for index in range(self._engine.num_io_tensors):
            name = self._engine.get_tensor_name(index)
            shape = tuple(int(size) for size in self._engine.get_tensor_shape(name))
            dtype = np.dtype(trt.nptype(self._engine.get_tensor_dtype(name)))
            buffer = self._cuda.buffer(shape, dtype)
            self._owned.callback(self._free, buffer)
            self._buffers[name] = buffer
            if not self._context.set_tensor_address(name, buffer.device):
                raise ModelError(f"{where}: TensorRT refuses the memory of {name}")
            if self._engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
                inputs.append(name)
        if inputs != [INPUT]:
            raise ModelError(f"{where}: its inputs are {', '.join(inputs)}, needs {INPUT}")
        self._input = self._buffers[INPUT]
        found = [name for name in self._buffers if name != INPUT]
        names = output_names(self._spec, found, where)
        self._outputs = [self._buffers[name] for name in names]
        self._maps = [buffer.host for buffer in self._outputs]

    def _free(self, buffer: Buffer) -> None:
        with suppress(EngineRunError), self._cuda.current():
            buffer.free()

    def _queue(self) -> None:
        """Queue copies and the network on the stream."""
        self._input.upload()
        if not self._context.execute_async_v3(self._cuda.stream.handle):
            raise EngineRunError(f"TensorRT failed: {self._logger.summary()}")
        for buffer in self._outputs:
            buffer.download()

    def _record(self) -> Graph | None:
        """Record the work; where that fails the engine runs without, only a little slower."""
        with self._cuda.current():
            try:
                return self._cuda.graph(self._queue)
            except (EngineRunError, self._cuda.driver.Error):
                return None

    @property
    def spec(self) -> ModelSpec:
        """The model in the words of its metadata."""
        return self._spec

    @property
    def batch(self) -> int:
        """Images in one inference."""
        return int(self._input.host.shape[0])

    @property
    def description(self) -> str:
        """One line for a log, e.g. ``street 512x256 on TensorRT 10.3.0 (fp16, Orin)``."""
        spec, graph = self._spec, ", CUDA graph" if self._graph else ""
        facts = f"{self._precision}, {self._cuda.name}{graph}"
        return f"{spec.name} {spec.size_words} on {self._variant.title} ({facts})"

    @property
    def is_offloaded(self) -> bool:
        """Whether something other than the CPU computes it: a GPU does."""
        return True

    @property
    def facts(self) -> dict[str, str]:
        """What a report wants to know of it."""
        return {
            "runtime": self._variant.title,
            "precision": self._precision,
            "batch": str(self.batch),
            "gpu": self._cuda.name,
            "gpu_memory_mb": f"{self.memory_bytes / 1e6:.1f}",
            "cuda_graph": "no" if self._graph is None else "yes",
        }

    @property
    def input(self) -> NDArray[np.uint8]:
        """The engine's own buffer for the next image, (height, width, 3) uint8 RGB."""
        image: NDArray[np.uint8] = self._input.host[0]
        return image

    @property
    def inputs(self) -> NDArray[np.uint8]:
        """Buffer for a whole batch, (batch, height, width, 3) uint8 RGB."""
        images: NDArray[np.uint8] = self._input.host
        return images

    def infer(self, image: NDArray[np.uint8]) -> Heads:
        """Run the network on one image.

        Args:
            image: RGB, (height, width, 3) uint8 of the spec's size; ``input`` is not copied.

        Raises:
            EngineRunError: The image has another size, or TensorRT or CUDA failed.
        """
        here = self.input
        check_image(image, here.shape, is_open=True)
        put_image(image, here)
        return self.infer_batch(1)[0]

    def infer_batch(self, count: int) -> list[Heads]:
        """Run the network on the first images in ``inputs``.

        Raises:
            EngineRunError: TensorRT or CUDA failed, or the engine is closed.
        """
        if self._context is None:
            raise EngineRunError("the engine is closed")
        with self._cuda.current():
            if self._graph is not None:
                self._graph.launch()
            else:
                self._queue()
            self._cuda.stream.synchronize()
        return [to_heads(self._spec, self._maps, image) for image in range(count)]

    def close(self) -> None:
        """Free buffers, context and GPU; safe to call twice."""
        if self._context is not None:
            self._release()

    def _release(self) -> None:
        # A GPU that has failed takes nothing back; what it failed with was told already.
        with suppress(EngineRunError), self._cuda.current():
            if self._graph is not None:
                self._graph.close()
            # TensorRT frees its memory when the last name is gone, and needs the GPU for that.
            self._forget()
        self._forget()
        self._owned.close()

    def _forget(self) -> None:
        self._graph = self._context = self._engine = self._runtime = None


def _check_version(manifest: Manifest, variant: TensorRtVariant, where: str) -> None:
    built = manifest.key
    if (built.variant, built.version) != (variant.name, variant.version):
        raise StaleEngineError(
            f"{where}: was built with {built.variant} {built.version}, here is {variant.name} "
            f"{variant.version}; run: {manifest.command}"
        )
