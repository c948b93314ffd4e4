# SPDX-License-Identifier: Apache-2.0
"""How warm, how fast and how full the machine is, where it tells without rights or extra tools.

Read from procfs and sysfs as the kernel documents them (``thermal_zone``, ``devfreq``; Tegra's GPU
driver adds ``load`` in per mille), and from NVIDIA's management library through ``pynvml`` where
that is installed.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_GPU_NAMES = ("gpu", "gpc", "gp10b", "gv11b", "ga10b", "gb10b")
_KIB, _MB = 1024, 1e6


class Machine:
    """Reads the machine; used by one thread.

    Whatever cannot be read is left out.

    Args:
        root: Where ``proc`` and ``sys`` lie.
        bus_id: Slot of the GPU that the engine runs on, as ``engine.device`` says; empty for none.
        nvml: The module ``pynvml``, None to import it.
    """

    def __init__(self, root: Path = Path("/"), bus_id: str = "", nvml: Any = None) -> None:
        self._root = root
        self._nvml = _opened(nvml)
        self._bus_id = bus_id

    def read(self) -> dict[str, str]:
        """Values by name, e.g. ``process_rss_mb``, ``gpu_temperature_c``, ``gpu_clock_mhz``."""
        values = dict(self._memory())
        values.update(self._temperatures())
        values.update(self._tegra_gpu())
        values.update(self._nvidia_gpu())
        return values

    def _memory(self) -> Iterator[tuple[str, str]]:
        process = _table(self._root / "proc/self/status")
        if "VmRSS" in process:
            yield "process_rss_mb", f"{process['VmRSS'] * _KIB / _MB:.1f}"
        system = _table(self._root / "proc/meminfo")
        if "MemAvailable" in system:
            yield "memory_available_mb", f"{system['MemAvailable'] * _KIB / _MB:.0f}"

    def _temperatures(self) -> Iterator[tuple[str, str]]:
        """Thermal zones by their name without the word thermal, as ``gpu_temperature_c``."""
        for zone in sorted((self._root / "sys/class/thermal").glob("thermal_zone*")):
            name, value = _text(zone / "type"), _number(zone / "temp")
            # A zone that is powered off cannot be read; one below zero kelvin is a placeholder.
            if name and value is not None and value > -273_150:
                part = name.lower().replace("-thermal", "").replace("-therm", "")
                yield f"{part.replace('-', '_')}_temperature_c", f"{value / 1e3:.1f}"

    def _tegra_gpu(self) -> Iterator[tuple[str, str]]:
        for entry in sorted((self._root / "sys/class/devfreq").glob("*")):
            named = f"{entry.name} {_text(entry / 'device/of_node/name')}"
            if not any(name in named for name in _GPU_NAMES):
                continue
            clock, top = _number(entry / "cur_freq"), _number(entry / "max_freq")
            load = _number(entry / "device/load")
            if clock is not None:
                yield "gpu_clock_mhz", f"{clock / 1e6:.0f}"
            if top is not None:
                yield "gpu_clock_limit_mhz", f"{top / 1e6:.0f}"
            if load is not None:
                yield "gpu_load_percent", f"{load / 10:.0f}"
            return

    def _nvidia_gpu(self) -> Iterator[tuple[str, str]]:
        nvml = self._nvml
        if nvml is None or not self._bus_id:
            return
        try:
            gpu = nvml.nvmlDeviceGetHandleByPciBusId(self._bus_id)
        except nvml.NVMLError:
            return
        for name, ask in _QUESTIONS.items():
            # Integrated GPUs answer only some of them.
            with contextlib.suppress(nvml.NVMLError):
                yield name, ask(nvml, gpu)


_QUESTIONS: dict[str, Callable[[Any, Any], str]] = {
    "gpu_temperature_c": lambda nvml, gpu: str(
        nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU)
    ),
    "gpu_clock_mhz": lambda nvml, gpu: str(nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_SM)),
    "gpu_load_percent": lambda nvml, gpu: str(nvml.nvmlDeviceGetUtilizationRates(gpu).gpu),
    "gpu_memory_used_mb": lambda nvml, gpu: f"{nvml.nvmlDeviceGetMemoryInfo(gpu).used / _MB:.0f}",
    "gpu_memory_total_mb": lambda nvml, gpu: (
        f"{nvml.nvmlDeviceGetMemoryInfo(gpu).total / _MB:.0f}"
    ),
}


def _opened(nvml: Any) -> Any:
    """Import and initialise pynvml; None where it or the driver is missing."""
    try:
        module = nvml or importlib.import_module("pynvml")
        module.nvmlInit()
    except Exception:  # it is not installed, or has no driver: its own errors come with it
        return None
    return module


def _text(path: Path) -> str:
    try:
        # The device tree ends its strings with a zero byte.
        return path.read_text(encoding="utf-8").strip("\0\n ")
    except (OSError, UnicodeDecodeError):
        return ""


def _number(path: Path) -> int | None:
    try:
        return int(_text(path))
    except ValueError:
        return None


def _table(path: Path) -> dict[str, int]:
    """Read lines such as ``VmRSS:  123 kB``."""
    found = {}
    for line in _text(path).splitlines():
        name, _, rest = line.partition(":")
        number = rest.split()[:1]
        if number and number[0].isdigit():
            found[name] = int(number[0])
    return found
