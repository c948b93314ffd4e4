# SPDX-License-Identifier: Apache-2.0
"""Everything this package raises on purpose.

::

    PanopticError
    ├── ConfigError          a parameter, a label set or a command line value
    ├── ModelError           a model file that is missing, damaged or not ours to read
    │   └── StaleEngineError a plan built for another GPU, TensorRT or ONNX file
    ├── FrameError           one image that cannot be used; the next one may be fine
    │   └── LateFrameError   one image that came after a newer one of its camera
    ├── CloudError           one point cloud or depth image that cannot be used
    ├── DataError            a bag, a video, a data set or a prediction file
    └── EngineRunError       the engine failed while it ran; restart the process

Each message says what was found, what is needed and how to get it; ``counted`` says numbers in it,
``listed`` names.
"""

from __future__ import annotations

from collections.abc import Iterable


class PanopticError(Exception):
    """The root: catch this at the edge, where something can be done."""


class ConfigError(PanopticError):
    """A parameter, a label set or a command line value cannot be used."""


class ModelError(PanopticError):
    """A model file is missing, damaged or lacks what we need to know about it."""


class StaleEngineError(ModelError):
    """A plan was built for another GPU, TensorRT or ONNX file."""


class FrameError(PanopticError):
    """One image cannot be used; it is dropped and counted."""


class LateFrameError(FrameError):
    """One image came after a newer one of its camera; it is dropped and counted as late."""


class CloudError(PanopticError):
    """One point cloud or depth image cannot be used; it is dropped and counted."""


class DataError(PanopticError):
    """A bag, a video, a data set or a prediction file cannot be read or written."""


class EngineRunError(PanopticError):
    """The engine failed while it ran."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """Say how many there are.

    Args:
        count: How many.
        noun: In the singular; an adjective may stand before it.
        plural: Where it is not the noun with an s.

    >>> counted(1, "frame"), counted(0, "frame"), counted(3, "video topic")
    ('1 frame', '0 frames', '3 video topics')
    >>> counted(2, "class", "classes")
    '2 classes'
    """
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def listed(words: Iterable[object], most: int = 5) -> str:
    """List the first of some names, and say how many are left out.

    Args:
        words: In their order; numbers as well.
        most: How many are shown.

    >>> listed(["road", "car"]), listed([1, 2, 3, 4], most=2)
    ('road, car', '1, 2 and 2 more')
    """
    every = [str(word) for word in words]
    more = len(every) - most
    return ", ".join(every[:most]) + (f" and {more} more" if more > 0 else "")
