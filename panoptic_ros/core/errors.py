# SPDX-License-Identifier: Apache-2.0
"""Everything this package raises on purpose.

::

    PanopticError
    ├── ConfigError          a parameter, a label set or a command line value
    ├── ModelError           a model file that is missing, damaged or not ours to read
    │   └── StaleEngineError a plan built for another GPU, TensorRT or ONNX file
    ├── FrameError           one image that cannot be used; the next one may be fine
    │   └── LateFrameError   one image that came after a newer one of its camera
    ├── DataError            a bag, a video, a data set or a prediction file
    └── EngineRunError       the engine failed while it ran; restart the process

Each message says what was found, what is needed and how to get it.
"""


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


class DataError(PanopticError):
    """A bag, a video, a data set or a prediction file cannot be read or written."""


class EngineRunError(PanopticError):
    """The engine failed while it ran."""
