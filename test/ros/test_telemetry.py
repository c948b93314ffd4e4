# SPDX-License-Identifier: Apache-2.0
"""A Jetson and a PC drawn as folders and modules; what is missing is left out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from panoptic_ros.ros.telemetry import Machine

SLOT = "0000:41:00.0"


class NVMLError(Exception):
    """Stands in for pynvml's."""


class DrawnNvml:
    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0
    NVML_CLOCK_SM = 1

    def __init__(self, lacking: str = "", driver: bool = True) -> None:
        self.lacking, self.driver = lacking, driver

    def nvmlInit(self) -> None:  # noqa: N802
        if not self.driver:
            raise NVMLError("driver not loaded")

    def __getattr__(self, call: str) -> Any:
        if call == self.lacking:
            return self._refuse
        answers = {
            "nvmlDeviceGetHandleByPciBusId": lambda bus_id: f"gpu at {bus_id}",
            "nvmlDeviceGetTemperature": lambda gpu, sensor: 61 if gpu == f"gpu at {SLOT}" else 40,
            "nvmlDeviceGetClockInfo": lambda gpu, clock: 1980,
            "nvmlDeviceGetUtilizationRates": lambda gpu: SimpleNamespace(gpu=73),
            "nvmlDeviceGetMemoryInfo": lambda gpu: SimpleNamespace(used=3e9, total=24e9),
        }
        return answers[call]

    def _refuse(self, *_: Any) -> Any:
        raise NVMLError("not supported")


def draw(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


ORIN = {
    "proc/self/status": "Name:\tpanoptic\nVmPeak:\t 900 kB\nVmRSS:\t  524288 kB\n",
    "proc/meminfo": "MemTotal:  16000000 kB\nMemAvailable:  8000000 kB\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "51250\n",
    "sys/class/thermal/thermal_zone1/type": "GPU-therm\n",
    "sys/class/thermal/thermal_zone1/temp": "48000\n",
    "sys/class/thermal/thermal_zone2/type": "cv0-thermal\n",
    "sys/class/thermal/thermal_zone2/temp": "-256000000\n",
    "sys/class/thermal/thermal_zone3/type": "soc0-thermal\n",
    "sys/class/devfreq/15340000.vic/cur_freq": "115200000\n",
    "sys/class/devfreq/17000000.gpu/cur_freq": "918000000\n",
    "sys/class/devfreq/17000000.gpu/max_freq": "1300500000\n",
    "sys/class/devfreq/17000000.gpu/device/load": "735\n",
}


def test_a_jetson_is_read_from_sysfs(tmp_path: Path) -> None:
    assert Machine(draw(tmp_path, ORIN), nvml=DrawnNvml(driver=False)).read() == {
        "process_rss_mb": "536.9",
        "memory_available_mb": "8192",
        "cpu_temperature_c": "51.2",
        "gpu_temperature_c": "48.0",
        "gpu_clock_mhz": "918",
        "gpu_clock_limit_mhz": "1300",
        "gpu_load_percent": "74",
    }


def test_a_gpu_is_known_by_its_device_tree_name(tmp_path: Path) -> None:
    files = {
        "sys/class/devfreq/57000000.0/device/of_node/name": "gv11b\0",
        "sys/class/devfreq/57000000.0/cur_freq": "114750000\n",
    }
    read = Machine(draw(tmp_path, files), nvml=DrawnNvml(driver=False)).read()
    assert read == {"gpu_clock_mhz": "115"}


def test_a_pc_is_read_from_its_driver(tmp_path: Path) -> None:
    assert Machine(tmp_path, SLOT, DrawnNvml()).read() == {
        "gpu_temperature_c": "61",
        "gpu_clock_mhz": "1980",
        "gpu_load_percent": "73",
        "gpu_memory_used_mb": "3000",
        "gpu_memory_total_mb": "24000",
    }


@pytest.mark.parametrize(
    ("call", "missing"),
    [
        ("nvmlDeviceGetTemperature", {"gpu_temperature_c"}),
        ("nvmlDeviceGetMemoryInfo", {"gpu_memory_used_mb", "gpu_memory_total_mb"}),
    ],
)
def test_what_a_driver_does_not_answer_is_left_out(
    call: str, missing: set[str], tmp_path: Path
) -> None:
    everything = set(Machine(tmp_path, SLOT, DrawnNvml()).read())
    assert set(Machine(tmp_path, SLOT, DrawnNvml(lacking=call)).read()) == everything - missing


def test_an_unknown_gpu_is_left_out(tmp_path: Path) -> None:
    nvml = DrawnNvml(lacking="nvmlDeviceGetHandleByPciBusId")
    assert Machine(tmp_path, SLOT, nvml).read() == {}


def test_a_gpu_that_the_engine_does_not_run_on_is_left_out(tmp_path: Path) -> None:
    assert Machine(tmp_path, nvml=DrawnNvml()).read() == {}


def test_damaged_files_are_left_out(tmp_path: Path) -> None:
    files = {
        "proc/self/status": "VmRSS\nVmRSS: many kB\n",
        "proc/meminfo": "\0\xff",
        "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
        "sys/class/thermal/thermal_zone0/temp": "warm",
        "sys/class/devfreq/17000000.gpu/cur_freq": "",
    }
    assert Machine(draw(tmp_path, files), nvml=DrawnNvml(driver=False)).read() == {}


def test_this_machine_tells_its_memory() -> None:
    assert float(Machine().read()["process_rss_mb"]) > 1
