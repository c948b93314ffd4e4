# SPDX-License-Identifier: Apache-2.0
"""The transforms in a bag that hold all the time, read before its first image."""

from __future__ import annotations

from pathlib import Path

from panoptic_ros.core.ground.transform_tree import TransformTree
from panoptic_ros.messages.clouds.transform_message import TF_MESSAGE, note_transforms
from panoptic_ros.recordings.open_bag import OpenBag
from panoptic_ros.recordings.source import ReadErrors, describe
from panoptic_ros.recordings.storage.decode import decoded

TF_STATIC = "/tf_static"


def static_transforms(path: Path, read_errors: ReadErrors) -> TransformTree:
    """Read the static transforms of a bag.

    Args:
        path: The bag.
        read_errors: Told of messages that cannot be read; damage of the files is for who reads
            the images to tell.

    Returns:
        What is on ``/tf_static``; nothing where the bag lacks it.
    """
    tree = TransformTree()
    with OpenBag(path, ReadErrors()) as bag:
        note_static(bag, tree, read_errors)
    return tree


def note_static(bag: OpenBag, tree: TransformTree, read_errors: ReadErrors) -> None:
    """Put the static transforms of an open bag into a tree.

    Args:
        bag: The bag; its records are read once for this.
        tree: Takes them.
        read_errors: Told of messages that cannot be read.
    """
    if not any(topic.name == TF_STATIC and topic.count for topic in bag.topics()):
        return
    for record in bag.records({TF_STATIC}):
        try:
            message = decoded(record)
        except Exception as error:  # rosbags raises whatever its parser trips over
            read_errors.note(f"{record.topic}: a message is damaged ({describe(error)})")
            continue
        if record.type == TF_MESSAGE:
            note_transforms(tree, message, is_static=True)
