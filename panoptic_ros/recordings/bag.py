# SPDX-License-Identifier: Apache-2.0
"""Read camera images out of ROS 2 and ROS 1 bags without ROS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from panoptic_ros.core.continuity import is_zero_a_time
from panoptic_ros.core.errors import DataError, FrameError, counted
from panoptic_ros.messages.bit_depth import dark_hint
from panoptic_ros.messages.camera_info import beside, for_topic
from panoptic_ros.messages.convert import to_frame
from panoptic_ros.messages.video.video_decoder import VideoDecoder, VideoImage, video_codec
from panoptic_ros.messages.video.video_packets import is_key
from panoptic_ros.recordings.camera_topics import one_for_each_camera, without_depth
from panoptic_ros.recordings.open_bag import OpenBag, OpenFiles
from panoptic_ros.recordings.result_topics import published_topics
from panoptic_ros.recordings.source import RecordedFrame, Source, TimeRange, describe
from panoptic_ros.recordings.storage.decode import (
    IMAGE_TYPES,
    INFO_TYPE,
    conversions,
    decoded,
    is_readable,
    looks_like_images,
)
from panoptic_ros.recordings.storage.record import Record, Topic

_KEYS_WITHIN_NS = 4_000_000_000
"""Most cameras send a key frame more often than that."""


class BagSource(Source):
    """The images of one image or video topic.

    What a bag's index cannot give any more (the recording was killed, the disk was full) is
    read record by record, and the damage is noted in ``read_errors``.

    Args:
        path: A storage file (``.mcap``, ``.db3``, ``.bag``), or the folder of a ROS 2 bag.
        topic: Image topic; may be empty where only one camera has images.
        span: Which part is wanted.
        open_files: Opens the bag where ``path`` only names it, as in an object store.

    Raises:
        ConfigError: A library is not installed, or the topic must be chosen.
        DataError: Nothing can be read, or the topic is not in the bag.
    """

    def __init__(
        self, path: Path, topic: str, span: TimeRange, open_files: OpenFiles | None = None
    ) -> None:
        super().__init__(path, span)
        self._bag = OpenBag(path, self.read_errors, open_files)
        try:
            self.topic = _chosen(path, topic, self._bag)
        except BaseException:
            self._bag.close()
            raise
        self._info_topic = self._paired_info()
        self._promised = image_topics(self._bag.topics())[self.topic]
        self.count = self._promised if span.is_all else None

    def close(self) -> None:
        """Close the files."""
        self._bag.close()

    def frames(self) -> Iterator[RecordedFrame]:
        """Yield the images that can be read; the others are counted in ``read_errors``.

        Raises:
            DataError: None of the wanted part can be read.
        """
        first = next(self._bag.records({self.topic}), None)
        if first is None:
            raise self.nothing_found(-1.0)
        start_ns, end_ns = self.span.limits_ns(first.time_ns)
        if _is_video(self._bag.records({self.topic})):
            frames = self._video_frames(start_ns, end_ns)
        else:
            frames = self._still_frames(self._messages(start_ns, end_ns))
        number = 0
        for number, recorded in enumerate(self._timed(frames), start=1):
            yield replace(recorded, name=f"{number - 1:06d}")
        if not number:
            raise self.nothing_found(self._length_s(first.time_ns))

    def _still_frames(
        self, messages: Iterable[tuple[Record, Any, Any]]
    ) -> Iterator[RecordedFrame]:
        for record, message, info in messages:
            if message is not None:
                yield from self._recorded(message, record.time_ns, info)

    def _video_frames(self, start_ns: int, end_ns: int | None) -> Iterator[RecordedFrame]:
        """Decode from the last key frame before the start on."""
        decoder = VideoDecoder()
        infos: dict[int, Any] = {}
        for record, message, info in self._from_key_frame(start_ns, end_ns):
            infos[record.time_ns] = info
            images = decoder.decode(message, record.time_ns)
            yield from self._decoded(images, decoder, infos, start_ns)
        yield from self._decoded(decoder.finish(), decoder, infos, start_ns)

    def _decoded(
        self,
        images: list[VideoImage],
        decoder: VideoDecoder,
        infos: dict[int, Any],
        start_ns: int,
    ) -> Iterator[RecordedFrame]:
        for cause in decoder.dropped():
            self.read_errors.skip(f"{self.topic}: {cause}")
        for image in images:
            info = infos.pop(image.time_ns, None)
            if image.time_ns >= start_ns:
                yield from self._recorded(image, image.time_ns, info)

    def _from_key_frame(
        self, start_ns: int, end_ns: int | None
    ) -> Iterator[tuple[Record, Any, Any]]:
        """Yield the packets from the start on, and before them those that they build upon."""
        before: list[tuple[Record, Any, Any]] = []
        for entry in self._messages(self._key_before(start_ns), end_ns):
            record, message, _ = entry
            if message is None:
                continue
            if record.time_ns >= start_ns:
                yield from before
                before = []
                yield entry
            elif self._is_key(message):
                before = [entry]
            else:
                before.append(entry)

    def _key_before(self, start_ns: int) -> int:
        """Time of the last key frame before the start, else of the first packet.

        Looks back by rising steps, so that of a long bag little is read.
        """
        first = next(self._bag.records({self.topic}), None)
        first_ns = 0 if first is None else first.time_ns
        back_ns = _KEYS_WITHIN_NS
        while True:
            from_ns = max(first_ns, start_ns - back_ns)
            found = self._bag.records({self.topic}, from_ns, start_ns)
            keys = [record.time_ns for record in found if self._holds_key(record)]
            if keys or from_ns == first_ns:
                return keys[-1] if keys else first_ns
            back_ns *= 8

    def _holds_key(self, record: Record) -> bool:
        try:
            return self._is_key(decoded(record))
        except Exception:  # rosbags raises whatever its parser trips over; reading counts it
            return False

    def _is_key(self, message: Any) -> bool:
        return is_key(video_codec(message), bytes(message.data))

    def _messages(self, start_ns: int, end_ns: int | None) -> Iterator[tuple[Record, Any, Any]]:
        """Yield record, message (None where it is damaged) and the CameraInfo in force."""
        info = self._first_info()
        seen = 0
        for record in self._bag.records({self.topic, self._info_topic} - {""}, start_ns, end_ns):
            message = self._message(record)
            if record.topic == self._info_topic:
                info = info if message is None else for_topic(message, self.topic)
            else:
                seen += 1
                yield record, message, info
        if self.span.is_all and seen < self._promised:
            self.read_errors.note(
                f"{self.topic}: the bag counts {counted(self._promised, 'image')}, {seen} "
                "can be read"
            )

    def _recorded(self, message: Any, time_ns: int, info: Any) -> Iterator[RecordedFrame]:
        try:
            frame = to_frame(message)
        except FrameError as error:
            self.read_errors.skip(f"{self.topic}: {error}")
            return
        if hint := dark_hint(message, frame):
            self.read_errors.note(f"{self.topic}: {hint}")
        yield RecordedFrame(frame, time_ns, "", info)

    def _timed(self, frames: Iterator[RecordedFrame]) -> Iterator[RecordedFrame]:
        """Give the time of the bag to frames without a stamp; the next frame says which are."""
        held: RecordedFrame | None = None
        for recorded in frames:
            if held is not None:
                yield self._dated(held, recorded.frame.stamp_ns)
            held = recorded if recorded.frame.stamp_ns == 0 else None
            if held is None:
                yield recorded
        if held is not None:
            yield self._dated(held, 0)

    def _dated(self, recorded: RecordedFrame, next_ns: int) -> RecordedFrame:
        if is_zero_a_time(next_ns):
            return recorded
        self.read_errors.note(f"{self.topic}: images without stamp got the time of the bag")
        return replace(recorded, frame=replace(recorded.frame, stamp_ns=recorded.time_ns))

    def _message(self, record: Record) -> Any:
        try:
            return decoded(record)
        except Exception as error:  # rosbags raises whatever its parser trips over
            self.read_errors.skip(f"{record.topic}: a message is damaged ({describe(error)})")
            return None

    def _first_info(self) -> Any:
        """The first CameraInfo that is whole; damage is counted where the images are read."""
        found = self._bag.records({self._info_topic}) if self._info_topic else iter(())
        for record in found:
            with suppress(Exception):  # rosbags raises whatever its parser trips over
                return for_topic(decoded(record), self.topic)
        return None

    def _length_s(self, first_ns: int) -> float:
        last_ns = first_ns
        for record in self._bag.records({self.topic}):
            last_ns = record.time_ns
        return (last_ns - first_ns) / 1e9

    def _paired_info(self) -> str:
        """CameraInfo topic of the camera: beside its images, or one level up."""
        names = {topic.name for topic in self._bag.topics() if topic.type == INFO_TYPE}
        folder = self.topic.rpartition("/")[0]
        candidates = (beside(self.topic), beside(folder), f"{folder}/camera_info")
        return next((name for name in candidates if name in names), "")


def _is_video(records: Iterable[Record]) -> bool:
    """Say whether the first message that is whole holds a video packet."""
    for record in records:
        # Only a packet's own type or format says so; of raw images none is decoded for it.
        if record.type == IMAGE_TYPES[0]:
            return False
        try:
            return bool(video_codec(decoded(record)))
        except Exception:  # rosbags raises whatever its parser trips over; reading counts it
            continue
    return False


def image_topics(topics: Iterable[Topic]) -> dict[str, int]:
    """Count the images of every topic whose images can be decoded, by name."""
    counts: dict[str, int] = {}
    for topic in topics:
        if is_readable(topic) and topic.count:
            counts[topic.name] = counts.get(topic.name, 0) + topic.count
    return counts


def _chosen(path: Path, wanted: str, bag: OpenBag) -> str:
    """Name of the image topic.

    Raises:
        DataError: There is none, or several, or not the wanted one.
    """
    topics = bag.topics()
    counts = image_topics(topics)
    listing = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
    if wanted in counts:
        return wanted
    others = [topic for topic in topics if not wanted or topic.name == wanted]
    unread = unread_images(others)
    if unread and (wanted or not counts):
        raise DataError(f"{path}: {unread}")
    if wanted:
        raise DataError(f"{path}: no images on {wanted}; there are: {listing or 'none'}")
    if not counts:
        raise DataError(f"{path}: has no image topic; needs {' or '.join(IMAGE_TYPES)}")
    results = published_topics(topics)
    cameras = one_for_each_camera([name for name in counts if name not in results])
    cameras = without_depth(bag, cameras) or cameras
    if len(cameras) == 1:
        return cameras[0]
    if not cameras:
        nodes = ", ".join(sorted(set(results.values())))
        raise DataError(
            f"{path}: has the results of {nodes} and no camera's images; panoptic eval --bag "
            f"grades results, --topic reads one of them as images: {listing}"
        )
    raise DataError(f"{path}: has several image topics, choose with --topic: {listing}")


def unread_images(topics: Iterable[Topic]) -> str:
    """Name the topics with images of kinds that are not read, and what makes them readable.

    Empty where there is none.
    """
    found = [topic for topic in topics if topic.count and looks_like_images(topic)]
    found = [topic for topic in found if not is_readable(topic)]
    if not found:
        return ""
    names = ", ".join(
        f"{topic.name} ({topic.type} in {topic.encoding}, {topic.count})" for topic in found
    )
    return f"has image topics that are not read: {names}: {conversions(found)}"
