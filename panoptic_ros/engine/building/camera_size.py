# SPDX-License-Identifier: Apache-2.0
"""Let a model take images as the camera sends them: the resize goes into its graph.

On a GPU that takes the resize from the CPU; on a CPU it costs more than it saves, see
docs/engines.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from panoptic_ros.core.errors import ConfigError, ModelError
from panoptic_ros.engine.building.prepare import attribute, move_casts
from panoptic_ros.engine.building.recipe import metadata_of, spec_of
from panoptic_ros.engine.heads import INPUT

_CHANNELS_FIRST = [0, 3, 1, 2]
_SMALL = "image_small"
_LARGEST = 16_384


def take_camera_size(model: Any, size: tuple[int, int]) -> None:
    """Make a model take images of a camera's size, in place.

    The graph resizes as the pipeline does outside of it: bilinear with half-pixel centres and
    without a filter against aliasing, as the networks here were trained. What is left out is the
    rounding to whole numbers.

    Args:
        model: An ``onnx.ModelProto`` with our metadata.
        size: (width, height) of the camera.

    Raises:
        ConfigError: The size is smaller than the network's, or no camera's.
        ModelError: The model has no metadata of ours, takes a camera's size already, or does
            something else with its input than to cast it and put channels first.
    """
    spec = spec_of(model, "the model")
    if spec.shrinks_to is not None:
        raise ModelError(f"this model takes a camera's size already: {spec.size_words}")
    width, height = size
    if width < spec.width or height < spec.height or max(size) > _LARGEST:
        raise ConfigError(
            f"camera size {width}x{height}: needs at least the network's {spec.size_words} and at "
            f"most {_LARGEST} pixels a side"
        )
    move_casts(model)
    _insert_resize(model.graph, (spec.height, spec.width))
    _set_input_size(model.graph, size)
    wider = replace(spec, width=width, height=height, shrinks_to=(spec.width, spec.height))
    metadata = {**metadata_of(model), **wider.to_metadata()}
    del model.metadata_props[:]
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)


def _insert_resize(graph: Any, small: tuple[int, int]) -> None:
    """Put a resize behind the transposition of the input."""
    import numpy as np
    from onnx import helper, numpy_helper

    turned = _channels_first(graph)
    position = list(graph.node).index(turned) + 1
    for node in graph.node:
        for at, name in enumerate(node.input):
            if name == turned.output[0]:
                node.input[at] = _SMALL
    sizes = numpy_helper.from_array(np.array([1, 3, *small], np.int64), f"{_SMALL}_sizes")
    graph.initializer.append(sizes)
    resize = helper.make_node(
        "Resize",
        [turned.output[0], "", "", sizes.name],
        [_SMALL],
        name="camera_resize",
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )
    graph.node.insert(position, resize)


def _channels_first(graph: Any) -> Any:
    """Find the node behind which the image is FP32 with its channels first.

    Raises:
        ModelError: There is none.
    """
    casts = [node for node in graph.node if INPUT in node.input]
    if len(casts) == 1 and casts[0].op_type == "Cast":
        readers = [node for node in graph.node if casts[0].output[0] in node.input]
        if len(readers) == 1 and attribute(readers[0], "perm") == _CHANNELS_FIRST:
            return readers[0]
    raise ModelError(
        "the resize cannot go into this model: its graph does not begin with a cast of "
        f"'{INPUT}' and channels first; export it again with this version"
    )


def _set_input_size(graph: Any, size: tuple[int, int]) -> None:
    (image,) = [entry for entry in graph.input if entry.name == INPUT]
    sizes = image.type.tensor_type.shape.dim
    sizes[2].dim_value, sizes[1].dim_value = size
    # What was inferred before the change names the old sizes.
    del graph.value_info[:]
