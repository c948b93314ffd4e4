# SPDX-License-Identifier: Apache-2.0
"""The values that one frame passes through, in order of their birth.

``Frame -> Heads -> Panoptic -> Track -> Drivable``, which ``core.result`` puts together. All are
frozen; arrays are never written to after the value is made. Boxes are (x0, y0, x1, y1), half open,
in pixels of the map they come from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from panoptic_ros.core.classes.class_votes import Votes, probabilities

VOID = 255
"""Label of a pixel that belongs to no class."""

NO_ID = 0
"""Id of a pixel that belongs to no countable object."""

Box = tuple[int, int, int, int]

TrackState = Literal["new", "tracked", "refound"]


@dataclass(frozen=True, eq=False)
class Frame:
    """One image of one camera.

    Attributes:
        image: RGB, (H, W, 3) uint8. May be a view with a negative channel stride when the camera
            sends BGR; see ``geometry.shrink``.
        stamp_ns: Time of exposure in ns, as the camera's header says it.
        frame_id: Optical frame of the camera.
        whole_size: (height, width) of the image that the camera sent, where ``image`` is a part
            of it or turned; None where it is that.
    """

    image: NDArray[np.uint8]
    stamp_ns: int
    frame_id: str = ""
    whole_size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        # Out of an array of uint64, times wrap around where they are subtracted.
        if isinstance(self.stamp_ns, np.integer):
            object.__setattr__(self, "stamp_ns", int(self.stamp_ns))

    def __repr__(self) -> str:
        """Say size and time; the pixels would fill the screen."""
        size = "x".join(map(str, reversed(np.shape(self.image)[:2]))) or "without an image"
        return f"<Frame {size} at {self.stamp_ns / 1e9:.3f} s>"


@dataclass(frozen=True, eq=False)
class Heads:
    """What a network says about one image; each decoder kind has a subclass, beside its decoder.

    The fields are NumPy arrays: the model's outputs, with their names and in their order. They
    may be views of the engine's own buffers, valid until the next ``infer``.
    """


@dataclass(frozen=True)
class Segment:
    """One countable object in one frame.

    Attributes:
        id: 1.., its value in ``Panoptic.ids``.
        label: Class index.
        score: 0..1, how sure the network is that there is one object of this class.
        area: Pixels of the map.
        box: Tight around its pixels, half open, in pixels of the map.
        votes: Classes that its pixels voted for, each pixel with its confidence; empty where all
            voted for ``label``.
    """

    id: int
    label: int
    score: float
    area: int
    box: Box
    votes: Votes = ()

    @property
    def probabilities(self) -> dict[int, float]:
        """Probability of each class, ``label`` first; ``class_votes.probabilities`` says how."""
        return probabilities(self.label, self.score, self.votes, VOID)


@dataclass(frozen=True, eq=False)
class Panoptic:
    """(label, id) of every pixel, at the network's map size.

    Attributes:
        labels: Class index, 255 void, (h, w) uint8.
        ids: Segment id of countable objects, 0 elsewhere, (h, w) uint16. A thing pixel that no
            object claims keeps its label and has id 0.
        confidence: 0..255, (h, w) uint8.
        segments: ``segments[i - 1].id == i``.
        ego: Where the image shows the ego vehicle, (h, w) bool; it is void there. None where
            nothing is said about it.
    """

    labels: NDArray[np.uint8]
    ids: NDArray[np.uint16]
    confidence: NDArray[np.uint8]
    segments: tuple[Segment, ...]
    ego: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Track:
    """One object as it is seen now; lost objects are not among the tracks of a frame.

    Attributes:
        id: 1..65535, unique per camera as long as the object is followed.
        segment: What was seen of it in this frame. Where the network divides one object, e.g. a
            car behind a pole, this has the id of the largest piece, the box around all pieces
            and the sum of their areas.
        label: Class voted over its life; may differ from ``segment.label``.
        score: 0..1, ``segment.score`` smoothed over its life.
        born_ns: Stamp of the frame that started it.
        age_s: Seconds since then.
        velocity: (vy, vx) of the box centre in map pixels per second, without the share that the
            camera's own turning has in it.
        state: "new" in its first frame, "tracked" where the frame before showed it as well,
            "refound" where it was lost between.
        pieces: Ids of the other segments that are pieces of it.
        votes: Classes that its segments voted for over its life, each with its probability; empty
            where all voted for ``label``.
    """

    id: int
    segment: Segment
    label: int
    score: float
    born_ns: int
    age_s: float = 0.0
    velocity: tuple[float, float] = (0.0, 0.0)
    state: TrackState = "tracked"
    pieces: tuple[int, ...] = ()
    votes: Votes = ()

    @property
    def probabilities(self) -> dict[int, float]:
        """Probability of each class, ``label`` first; ``class_votes.probabilities`` says how."""
        return probabilities(self.label, self.score, self.votes, VOID)

    @property
    def segment_ids(self) -> tuple[int, ...]:
        """Ids of all its segments, the largest first."""
        return (self.segment.id, *self.pieces)


@dataclass(frozen=True, eq=False)
class Drivable:
    """Surface to drive on, at the network's map size.

    Attributes:
        mask: True where one can drive, (h, w) bool.
        confidence: 0..255, 0 outside of the mask, (h, w) uint8.
        boundary: For every column the first row, seen from the bottom, that is not drivable:
            the free space is ``mask[boundary[x] + 1 :, x]``. -1 where the whole column is free,
            h - 1 where not even the lowest pixel is; (w,) int32. Where ``foot`` is less than h,
            it stands for h.
        ends: Class index of what ends the free space of every column, 255 where it is void,
            unsure surface or the image's upper edge, (w,) uint8; empty where it is not known.
        foot: For every column the row behind the free space's first one: the ego vehicle's upper
            edge, or h where it does not show, (w,) int32; empty for h everywhere.
    """

    mask: NDArray[np.bool_]
    confidence: NDArray[np.uint8]
    boundary: NDArray[np.int32]
    ends: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    foot: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
