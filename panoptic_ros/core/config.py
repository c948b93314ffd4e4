# SPDX-License-Identifier: Apache-2.0
"""The parameters of decoding, tracking, drivable surface and ground, with their ranges.

The node's descriptors, ``config/panoptic.yaml`` and the table in the docs are made from, or
tested against, the declarations here and in ``ros.parameters``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from panoptic_ros.core.parameters import param


@dataclass(frozen=True)
class DecodeConfig:
    """How heads become a panoptic map."""

    center_threshold: float = param(0.3, "Minimum centre score of an object.", low=0.0, high=1.0)
    object_threshold: float = param(
        0.25,
        "Minimum score of an object: its centre's score times the mean probability of its class; "
        "of a query model, its query's class probability, on top of the model's own threshold; of "
        "a semantic model, the mean probability of its class.",
        low=0.0,
        high=1.0,
    )
    center_reach: float = param(
        0.04,
        "How far from a centre a pixel's target may lie, as a share of the width, beside half of "
        "its offset; pixels that miss every centre belong to none of their objects.",
        low=0.0,
        high=1.0,
    )
    region_confidence: float = param(
        0.7,
        "Centre/offset models: minimum mean probability of a connected region of a thing class "
        "that no centre claims and that touches no object of its class; it becomes one object, "
        "with half of that as its score. 1 makes none.",
        low=0.0,
        high=1.0,
    )
    overlap_threshold: float = param(
        0.8,
        "Query models: a query counts where the ratio of the pixels that it wins to those of its "
        "own mask is above this.",
        low=0.0,
        high=1.0,
    )
    semantic_things: str = param(
        "regions",
        "Semantic models, which know no objects: regions makes every connected region of a thing "
        "class an object, stuff none.",
        choices=("regions", "stuff"),
    )
    max_objects: int = param(
        256, "Most objects in one frame; the strongest win.", low=1, high=65535
    )
    min_thing_area: float = param(
        0.00025, "Minimum area of an object, as a share of the image.", low=0.0, high=1.0
    )
    min_stuff_area: float = param(
        0.001,
        "Minimum total area of a stuff class, as a share of the image; less becomes void.",
        low=0.0,
        high=1.0,
    )
    min_confidence: float = param(
        0.0, "Pixels whose class is less sure than this become void.", low=0.0, high=1.0
    )


@dataclass(frozen=True)
class TrackConfig:
    """How objects keep their ids."""

    min_iou: float = param(
        0.15, "Minimum mask overlap (IoU) that continues a track.", low=0.0, high=1.0
    )
    birth_score: float = param(
        0.3,
        "Minimum score that starts a track; weaker objects only extend one.",
        low=0.0,
        high=1.0,
    )
    lost_after_s: float = param(
        1.0, "How long an unseen object may be found again, in seconds.", low=0.0, high=60.0
    )
    reset_gap_s: float = param(
        3.0, "A gap between stamps longer than this starts all tracks anew.", low=0.0, high=3600.0
    )
    max_late_s: float = param(
        0.5,
        "A frame whose stamp lies up to this far before the last one came late: it is dropped and "
        "counted. A stamp farther back starts a new recording, with new tracks.",
        low=0.0,
        high=60.0,
    )


@dataclass(frozen=True)
class DrivableConfig:
    """What counts as surface to drive on."""

    min_confidence: float = param(
        0.6,
        "Minimum probability of a drivable pixel that is connected to surer ones.",
        low=0.0,
        high=1.0,
    )
    sure_confidence: float = param(
        0.7,
        "A piece of surface needs a pixel this sure; another class this sure ends it at once.",
        low=0.0,
        high=1.0,
    )
    optional_classes: tuple[str, ...] = param(
        ("",),
        "Further classes to drive on, each with its weight from 0 to 1, e.g. 'terrain=0.7'.",
        live=False,
    )
    thing_margin: float = param(
        0.002,
        "What is kept clear around things at the lower edge, as a share of the width; it shrinks "
        "with the distance.",
        low=0.0,
        high=0.2,
    )
    person_margin: float = param(
        0.004,
        "The same around persons and two-wheelers.",
        low=0.0,
        high=0.2,
    )
    memory_s: float = param(
        0.1,
        "Time constant with which surface comes back and unsure pixels fade; an obstacle removes "
        "it at once. 0 takes every image for itself.",
        low=0.0,
        high=10.0,
    )
    max_hole_area: float = param(
        0.001,
        "Holes in the surface up to this share of the image are closed, never over a thing or "
        "over void.",
        low=0.0,
        high=1.0,
    )
    ego_width: float = param(
        0.5,
        "Width of the strip at the lower edge that the surface must touch, as a share.",
        low=0.01,
        high=1.0,
    )
    above_bonnet: bool = param(
        True,
        "Take a vehicle without an object for the own bonnet where it is low and at least 0.4 of "
        "the lower edge wide: the surface begins above it, as above an ego_mask.",
    )


@dataclass(frozen=True)
class GroundConfig:
    """How the surface is laid on the ground, in metres."""

    base_frame: str = param(
        "base_link", "Frame of grid, boundary, scan and points; its z = 0 is the ground."
    )
    camera_height_m: float = param(
        0.0,
        "Height of the camera above the ground; 0 takes the camera pose from TF, base_frame <- "
        "the camera's optical frame.",
        low=0.0,
        high=100.0,
    )
    camera_x_m: float = param(
        0.0, "How far the camera sits ahead of the base frame.", low=-100.0, high=100.0
    )
    camera_y_m: float = param(
        0.0, "How far the camera sits to the left of the base frame.", low=-100.0, high=100.0
    )
    camera_pitch_rad: float = param(0.0, "How far the camera looks down.", low=-1.57, high=1.57)
    camera_roll_rad: float = param(
        0.0, "How far the camera leans to the right.", low=-3.15, high=3.15
    )
    camera_yaw_rad: float = param(
        0.0, "How far the camera looks to the left.", low=-3.15, high=3.15
    )
    horizon_row: float = param(
        -1.0,
        "Row of the horizon in the middle of the camera's image, which then gives the pitch; "
        "-1 for camera_pitch_rad.",
        low=-1.0,
        high=100000.0,
    )
    resolution_m: float = param(0.2, "Side of a cell of the grid.", low=0.01, high=10.0)
    length_m: float = param(
        40.0, "How far the grid reaches ahead, and the boundary at most.", low=0.1, high=1000.0
    )
    width_m: float = param(20.0, "Width of the grid.", low=0.1, high=1000.0)
    wall_m: float = param(
        0.6,
        "How deep the edge of the free space is marked as occupied; what lies behind is unknown.",
        low=0.0,
        high=100.0,
    )
    decay_s: float = param(
        0.5,
        "How long an occupied cell that is out of sight fades into unknown; 0 for at once.",
        low=0.0,
        high=60.0,
    )


@dataclass(frozen=True)
class PointsConfig:
    """How results are laid over the points of a LiDAR or depth camera."""

    max_offset_s: float = param(
        0.1,
        "Most time between a cloud and the image that labels it.",
        low=0.0,
        high=10.0,
    )
    fixed_frame: str = param(
        "odom",
        "Frame that does not move, for what the vehicle drove between cloud and image, and for "
        "velocities over the ground; where TF lacks it, or for '', the sensors are taken to "
        "stand still and velocities are relative to them.",
    )
    max_points: int = param(
        1_000_000, "Clouds with more points are dropped.", low=1, high=100_000_000
    )
    depth_step: int = param(
        1, "Which rows and columns of a depth image become points: every n-th.", low=1, high=64
    )
    min_object_points: int = param(
        5, "Objects with fewer points have no box in ~/objects.", low=1, high=100_000
    )


@dataclass(frozen=True)
class PipelineConfig:
    """All that shapes a result, apart from the model."""

    decode: DecodeConfig = field(default_factory=DecodeConfig)
    tracking: TrackConfig = field(default_factory=TrackConfig)
    drivable: DrivableConfig = field(default_factory=DrivableConfig)
