# SPDX-License-Identifier: Apache-2.0
"""Run a plan, let a kernel fail in the same context, run the plan again; a program of its own.

The context of a process that did this is of no use any more, so no other test may share it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from panoptic_ros.core.errors import EngineRunError
from panoptic_ros.engine.storage.cache import read_plan
from panoptic_ros.engine.trt import TrtEngine

FAULT = b"""
.version 6.4
.target sm_75
.address_size 64
.visible .entry fault()
{
  .reg .u64 %place;
  .reg .u32 %value;
  mov.u64 %place, 0;
  mov.u32 %value, 1;
  st.global.u32 [%place], %value;
  ret;
}
\0"""
"""PTX, which the driver itself compiles: writes to address 0."""


def run(engine: TrtEngine, fault: Any) -> str:
    """Give back what the engine says after a kernel has failed; empty where it goes on."""
    engine.infer(engine.input)
    with engine._cuda.current():
        fault()
    try:
        engine.infer(engine.input)
    except EngineRunError as error:
        return str(error)
    finally:
        engine.close()
    return ""


def main(plan: Path) -> int:
    content, manifest = read_plan(plan)
    engine = TrtEngine(content, manifest, plan.name)
    driver = engine._cuda.driver
    with engine._cuda.current():
        module = driver.module_from_buffer(FAULT)
        kernel = module.get_function("fault")
    words = run(engine, lambda: kernel(block=(1, 1, 1), grid=(1, 1)))
    sys.stdout.write(f"{words}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
