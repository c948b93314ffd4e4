# SPDX-License-Identifier: Apache-2.0
"""Which image topics of a bag hold what a node published, and not what a camera saw."""

from __future__ import annotations

from collections.abc import Iterable

from panoptic_ros.messages.convert import COMPRESSED_IMAGE, IMAGE
from panoptic_ros.messages.topics import TOPICS
from panoptic_ros.recordings.storage.record import Topic

COMPRESSED = "/compressed"
_PARTS = ("label", "instance", "panoptic", "confidence", "drivable")


def result_images(topics: Iterable[Topic]) -> set[str]:
    """Names of all topics that hold images of results, plain or as lossless PNG."""
    return {topic.name for topic in topics if _is_image(topic)}


def nodes_with_results(images: set[str]) -> dict[str, dict[str, str]]:
    """Find the nodes whose labels and ids are there.

    Args:
        images: As ``result_images`` gives them.

    Returns:
        By name of the node, names of its topics by full name, the ones for labels first.
    """
    bases = {name.removesuffix(COMPRESSED).rpartition("/")[0] for name in images}
    told = {base: _wanted(base, images) for base in bases}
    return {base: topics for base, topics in told.items() if topics}


def published_topics(topics: Iterable[Topic]) -> dict[str, str]:
    """Name of the node by full name of each topic that a node with results published."""
    kept = list(topics)
    nodes = nodes_with_results(result_images(kept))
    return {
        topic.name: base
        for topic in kept
        for base in nodes
        if topic.name.startswith(f"{base}/") and topic.name[len(base) + 1 :] in TOPICS
    }


def _is_image(topic: Topic) -> bool:
    if topic.name.endswith(COMPRESSED):
        return topic.type == COMPRESSED_IMAGE
    return topic.type == IMAGE


def _wanted(base: str, images: set[str]) -> dict[str, str]:
    """Topics of a node by full name, the ones for labels first; empty without those."""
    found = {name: _topic_of(f"{base}/{name}", images) for name in _PARTS}
    for needed in (("label", "instance"), ("panoptic",)):
        if all(found[name] for name in needed):
            names = (*needed, "confidence", "drivable")
            return {found[name]: name for name in names if found[name]}
    return {}


def _topic_of(name: str, images: set[str]) -> str:
    """The topic of an image, else that of its PNG, else empty; a PNG of two maps is not read."""
    if name in images or name.endswith("/panoptic"):
        return name if name in images else ""
    return name + COMPRESSED if name + COMPRESSED in images else ""
