# SPDX-License-Identifier: Apache-2.0
"""Read the signatures of TensorRT's Python bindings out of NVIDIA's wheels, without TensorRT.

The wheels ``tensorrt-bindings`` and ``tensorrt-cu12-bindings`` hold the bindings alone. Linked to
empty libraries in place of TensorRT's they can be imported and asked for their signatures, though
not called. Wheels must be of the running Python; a C compiler is needed::

    pip download --no-deps -d wheels tensorrt-bindings==8.6.1 tensorrt-cu12-bindings==10.3.0 ...
    python -m test.drawn.read_bindings wheels/*.whl > test/engine/tensorrt_signatures.json
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CLASSES = (
    "Builder",
    "IBuilderConfig",
    "ICudaEngine",
    "IExecutionContext",
    "IHostMemory",
    "IInt8EntropyCalibrator2",
    "ILayer",
    "ILogger",
    "INetworkDefinition",
    "IParserError",
    "IProgressMonitor",
    "ITensor",
    "ITimingCache",
    "OnnxParser",
    "Runtime",
)
"""The classes that we use."""

_EMPTY = """
void *createInferBuilder_INTERNAL(void){return 0;}
void *createInferRefitter_INTERNAL(void){return 0;}
void *createInferRuntime_INTERNAL(void){return 0;}
void *createNvOnnxParserRefitter_INTERNAL(void){return 0;}
void *createNvOnnxParser_INTERNAL(void){return 0;}
void *getBuilderPluginRegistry(void){return 0;}
void *getPluginRegistry(void){return 0;}
int getNvOnnxParserVersion(void){return 0;}
int initLibNvInferPlugins(void){return 0;}
void *_ZN11nvuffparser15createUffParserEv(void){return 0;}
void *_ZN11nvuffparser8FieldMapC1EPKcPKvNS_9FieldTypeEi(void){return 0;}
void *_ZN14nvcaffeparser117createCaffeParserEv(void){return 0;}
void *_ZN14nvcaffeparser123shutdownProtobufLibraryEv(void){return 0;}
void *_ZN11nvuffparser23shutdownProtobufLibraryEv(void){return 0;}
"""


def main(wheels: list[str]) -> None:
    """Write ``{"versions": [...], "signatures": {"Class.name": {signature: marks}}}``.

    Marks hold one character for each version: ``x`` where the signature is that, else ``.``.
    """
    found = dict(sorted((_version(wheel), _ask(Path(wheel))) for wheel in wheels))
    versions = sorted(found, key=lambda text: [int(part) for part in text.split(".")])
    names = sorted({name for table in found.values() for name in table})
    table = {
        name: {
            text: "".join(".x"[found[version].get(name) == text] for version in versions)
            for text in dict.fromkeys(found[version].get(name) for version in versions)
            if text
        }
        for name in names
    }
    json.dump({"versions": versions, "signatures": table}, sys.stdout, indent=0)
    sys.stdout.write("\n")


def _version(wheel: str) -> str:
    return Path(wheel).name.split("-")[1]


def _ask(wheel: Path) -> dict[str, str]:
    """Import the bindings of a wheel in a process of their own."""
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(wheel).extractall(folder)
        (library,) = Path(folder).rglob("tensorrt.so")
        _make_libraries(library, Path(folder))
        answer = subprocess.run(
            [sys.executable, "-m", __spec__.name, str(library)],
            env={**os.environ, "LD_LIBRARY_PATH": folder},
            check=True,
            stdout=subprocess.PIPE,
        )
    return dict(json.loads(answer.stdout))


def _make_libraries(library: Path, folder: Path) -> None:
    """Make an empty library for each one of TensorRT's that the bindings are linked to."""
    wanted = set(re.findall(rb"lib(?:nvinfer|nvonnx|nvparsers)\w*\.so\.\d+", library.read_bytes()))
    source = folder / "empty.c"
    source.write_text(_EMPTY, encoding="utf-8")
    for name in wanted:
        target = str(folder / name.decode())
        subprocess.run(["cc", "-shared", "-fPIC", "-o", target, str(source)], check=True)


def _tell(library: str) -> None:
    # Functions that the empty libraries lack are looked up when they are called, thus never.
    sys.setdlopenflags(os.RTLD_LAZY)
    loader = importlib.machinery.ExtensionFileLoader("tensorrt", library)
    spec = importlib.util.spec_from_loader("tensorrt", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    json.dump(dict(signatures(module)), sys.stdout)


def signatures(module: Any) -> Iterator[tuple[str, str]]:
    """Yield ``Class.name`` and what it takes, overloads parted by `` | ``."""
    for owner in CLASSES:
        kind = getattr(module, owner, None)
        for name in dir(kind) if kind is not None else ():
            member = getattr(kind, name)
            if isinstance(member, property):
                yield f"{owner}.{name}", "read and write" if member.fset else "read"
            elif (not name.startswith("_") or name == "__init__") and callable(member):
                lines = _lines(str(member.__doc__), name)
                if lines:
                    yield f"{owner}.{name}", " | ".join(lines)


def _lines(text: str, name: str) -> list[str]:
    """Signatures of a method as pybind11 writes them, types shortened."""
    found = re.findall(rf"^(?:\d+\. )?{name}(\(.*\)) -> ", text, re.MULTILINE)
    # Words that changed with pybind11 and mean the same.
    words = {
        "typing.SupportsInt": "int",
        "typing.SupportsFloat": "float",
        "typing_extensions.Buffer": "buffer",
        "collections.abc.Sequence": "List",
    }
    pattern = r"tensorrt(?:_rtx)?(?:_bindings)?\.(?:tensorrt(?:_rtx)?\.)?|" + "|".join(words)
    return [re.sub(pattern, lambda match: words.get(match[0], ""), line) for line in found]


if __name__ == "__main__":
    if sys.argv[1].endswith(".so"):
        _tell(sys.argv[1])
    else:
        main(sys.argv[1:])
