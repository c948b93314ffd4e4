# SPDX-License-Identifier: Apache-2.0
"""What class names say to a tracker: what is confused on one object, what can hide an object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.labels import LabelSet

_GROUPS = (
    frozenset(
        {
            "car",
            "truck",
            "bus",
            "train",
            "van",
            "caravan",
            "trailer",
            "tram",
            "vehicle",
            "other vehicle",
            "on rails",
            "wheeled slow",
        }
    ),
    frozenset(
        {
            "bicycle",
            "motorcycle",
            "motorbike",
            "minibike",
            "scooter",
            "two-wheeler",
            "minibike, motorbike",
        }
    ),
    frozenset({"person", "pedestrian", "rider", "bicyclist", "motorcyclist", "other rider"}),
)
"""Names as Cityscapes, COCO, ADE20K and Mapillary Vistas write them, in lower case."""

_FLAT = frozenset(
    {
        "road",
        "street",
        "sidewalk",
        "pavement",
        "path",
        "terrain",
        "sky",
        "ground",
        "earth",
        "floor",
        "grass",
        "sand",
        "snow",
        "dirt",
        "water",
        "sea",
        "river",
        "lake",
        "field",
        "lane",
        "marking",
        "crosswalk",
        "curb",
        "parking",
        "runway",
        "track",
        "gravel",
        "land",
    }
)
"""Words in the names of surfaces that lie behind or below every object."""


def class_groups(labels: LabelSet | None) -> NDArray[np.intp]:
    """Say which classes may be one object's.

    Args:
        labels: The model's classes; None knows no names.

    Returns:
        Group of every label value, (256,); a class that is in no list is a group by itself.
    """
    groups = np.arange(256)
    for number, names in enumerate(_GROUPS, start=256):
        for label in labels.labels if labels is not None else ():
            if label.name.lower() in names:
                groups[label.index] = number
    return groups


def hiding_classes(labels: LabelSet | None) -> NDArray[np.bool_]:
    """Say behind what an object can be out of sight; not behind road or sky.

    Args:
        labels: The model's classes; None knows no names, then anything may hide.

    Returns:
        Whether each label value can, (256,); void can.
    """
    hiding = np.ones(256, np.bool_)
    for label in labels.labels if labels is not None else ():
        words = label.name.lower().replace("-", " ").replace(",", " ").split()
        hiding[label.index] = label.is_thing or not _FLAT.intersection(words)
    return hiding
