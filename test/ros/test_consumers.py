# SPDX-License-Identifier: Apache-2.0
"""Consumers of the real node over DDS, each reading by its own rules."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_sensor_data

from panoptic_ros.messages.label_png import encode_png
from test.drawn.consumer_graph import CARS, consuming, same_stamp
from test.drawn.graph import TYPES
from test.drawn.street_scene import CAMERA_SIZE, SCALE
from test.messages.test_autoware import decode

pytestmark = pytest.mark.ros

LABEL_INFO = "vision_msgs/msg/LabelInfo"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
LATCHED = QoSProfile(
    depth=5,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)


@pytest.fixture
def remaps(tmp_path: Path) -> Path:
    """A remap file for the tiny model: free is 3, blocked is 200, void is 9."""
    return write_remap(tmp_path / "mine.yaml", free=["road"], blocked=["car"])


def write_remap(path: Path, **groups: list[str]) -> Path:
    rules = {
        "name": "mine",
        "classes": {"other": 9, "free": 3, "blocked": 200},
        "default": "other",
        "label_sets": {"tiny": groups},
    }
    path.write_text(yaml.safe_dump(rules), encoding="utf-8")
    return path


def plane(message: Any) -> NDArray[np.uint8]:
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width)


def camera_info(size: tuple[int, int] = CAMERA_SIZE) -> Any:
    info = TYPES.find(CAMERA_INFO)()
    info.height, info.width = size
    info.k[0] = info.k[4] = 50.0
    return info


# Nav2: semantic_segmentation_layer ---------------------------------------------------------------


class CostLayer:
    """What kiwicampus' layer keeps of its messages, by the rules of segmentation_buffer.cpp."""

    def __init__(self, costs: dict[str, int]) -> None:
        self._costs = costs
        self.by_id: dict[int, int] = {}
        self.unknown: list[str] = []

    def take_labels(self, info: Any) -> None:
        for entry in info.class_map:
            if entry.class_name in self._costs:
                # The layer keeps ids in 8 bits.
                self.by_id[entry.class_id & 0xFF] = self._costs[entry.class_name]
            else:
                self.unknown.append(entry.class_name)

    def costs(self, mask: Any, confidence: Any, cloud: tuple[int, int]) -> dict[int, set[int]]:
        """Costs seen, each with the confidences under it; pixels of unknown ids are skipped."""
        assert mask.width * mask.height == cloud[0] * cloud[1]
        assert len(mask.data) >= mask.width * mask.height
        found: dict[int, set[int]] = {}
        for v in range(mask.height):
            for u in range(mask.width):
                index = v * mask.width + u
                if mask.data[index] in self.by_id:
                    cost = self.by_id[mask.data[index]]
                    found.setdefault(cost, set()).add(confidence.data[index])
        return found


@pytest.mark.vision
@pytest.mark.parametrize("is_remapped", [False, True], ids=["model's classes", "remapped"])
def test_a_nav2_costmap_reads_mask_confidence_and_names(
    tiny_model: Path, remaps: Path, is_remapped: bool
) -> None:
    place = "/panoptic/remapped" if is_remapped else "/panoptic"
    names = ("free", "blocked", "other") if is_remapped else ("road", "car")
    layer = CostLayer(dict(zip(names, (0, 254), strict=False)))
    with consuming(tiny_model, **{"remap.label": str(remaps)}) as (bench, camera):
        camera.infos = camera_info()
        masks = bench.listen(f"{place}/label", qos=qos_profile_sensor_data)
        sure = bench.listen("/panoptic/confidence", qos=qos_profile_sensor_data)
        infos = bench.listen("/panoptic/camera_info", CAMERA_INFO, qos_profile_sensor_data)
        labels = bench.listen(f"{place}/label_info", LABEL_INFO, LATCHED)
        bench.until(lambda: labels and same_stamp(masks, sure, infos), camera.shoot)
        mask, confidence, info = same_stamp(masks, sure, infos)
        layer.take_labels(labels[-1])
    assert (info.height, info.width) == (mask.height, mask.width) == CAMERA_SIZE
    assert mask.header == confidence.header == info.header
    assert (mask.encoding, mask.step) == ("mono8", mask.width)
    assert layer.unknown == (["other"] if is_remapped else [])
    assert layer.costs(mask, confidence, CAMERA_SIZE) == {0: {230}, 254: {230}}
    y, x = CARS[0]
    assert layer.by_id[int(plane(mask)[(y + 4) * SCALE, (x + 6) * SCALE])] == 254


# Autoware ------------------------------------------------------------------------------------


def test_autoware_decodes_the_mask_of_every_image(tiny_model: Path, remaps: Path) -> None:
    with consuming(tiny_model, **{"remap.autoware_mask": str(remaps)}) as (bench, camera):
        labels = bench.listen("/panoptic/label")
        masks = bench.listen("/panoptic/autoware_mask", qos=qos_profile_sensor_data)
        bench.until(lambda: same_stamp(labels, masks), camera.shoot)
        label, mask = same_stamp(labels, masks)
    assert mask.header == label.header
    assert (mask.height, mask.width, mask.encoding) == (*CAMERA_SIZE, "mono8")
    assert len(mask.data) < len(label.data) / 10
    image = decode(bytes(mask.data), mask.height, mask.width)
    assert np.array_equal(image, np.where(plane(label) == 0, 3, 200))


@pytest.mark.autoware
def test_autoware_gets_a_region_for_every_object(tiny_model: Path, remaps: Path) -> None:
    kind = "tier4_perception_msgs/msg/DetectedObjectsWithFeature"
    with consuming(tiny_model, **{"remap.autoware_rois": str(remaps)}) as (bench, camera):
        instances = bench.listen("/panoptic/instance")
        arrays = bench.listen("/panoptic/autoware_rois", kind)
        bench.until(lambda: same_stamp(instances, arrays), camera.shoot)
        instance, rois = same_stamp(instances, arrays)
    ids = np.frombuffer(instance.data, np.uint16).reshape(CAMERA_SIZE)
    regions = [found.feature.roi for found in rois.feature_objects]
    assert len(regions) == len(CARS)
    for roi in regions:
        inside = ids[
            roi.y_offset : roi.y_offset + roi.height, roi.x_offset : roi.x_offset + roi.width
        ]
        assert (ids == inside.max()).sum() == (inside == inside.max()).sum() > 0


# nvblox ---------------------------------------------------------------------------------------


def test_nvblox_gets_a_mask_and_an_equal_camera(tiny_model: Path, tmp_path: Path) -> None:
    path = write_remap(tmp_path / "nvblox.yaml", blocked=["car"])
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("blocked: 200", "blocked: 255").replace("other: 9", "other: 0"))
    with consuming(tiny_model, **{"remap.dynamic_mask": str(path)}) as (bench, camera):
        camera.infos = camera_info()
        masks = bench.listen("/panoptic/dynamic_mask", qos=qos_profile_sensor_data)
        infos = bench.listen("/panoptic/camera_info", CAMERA_INFO, qos_profile_sensor_data)
        labels = bench.listen("/panoptic/label")
        bench.until(lambda: same_stamp(masks, infos, labels), camera.shoot)
        mask, info, label = same_stamp(masks, infos, labels)
    assert (info.height, info.width) == (mask.height, mask.width)
    assert list(info.k) == list(camera_info().k)
    assert mask.encoding == "mono8"
    assert np.array_equal(plane(mask), np.where(plane(label) == 1, 255, 0))


# Compressed labels ----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "kind"), [("label", np.uint8), ("instance", np.uint16)])
def test_compressed_labels_are_the_plain_ones(tiny_model: Path, name: str, kind: type) -> None:
    with consuming(tiny_model) as (bench, camera):
        plain = bench.listen(f"/panoptic/{name}")
        packed = bench.listen(f"/panoptic/{name}/compressed", "sensor_msgs/msg/CompressedImage")
        bench.until(lambda: same_stamp(plain, packed), camera.shoot)
        image, file = same_stamp(plain, packed)
    values = np.frombuffer(image.data, kind).reshape(CAMERA_SIZE)
    assert bytes(file.data) == encode_png(values)


# Remap files that change -----------------------------------------------------------------------


@pytest.mark.vision
def test_a_remap_file_that_changes_counts_at_once(tiny_model: Path, remaps: Path) -> None:
    with consuming(tiny_model, **{"remap.label": str(remaps)}) as (bench, camera):
        labels = bench.listen("/panoptic/remapped/label")
        bench.until(lambda: labels, camera.shoot)
        assert set(labels[-1].data) == {3, 200}
        write_remap(remaps, blocked=["road", "car"])
        os.utime(remaps, ns=(1, 1))
        bench.until(lambda: set(labels[-1].data) == {200}, camera.shoot)


def test_a_broken_remap_file_leaves_the_former_classes(
    tiny_model: Path, remaps: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with consuming(tiny_model, **{"remap.label": str(remaps)}) as (bench, camera):
        labels = bench.listen("/panoptic/remapped/label")
        bench.until(lambda: labels, camera.shoot)
        write_remap(remaps, free=["raod"])
        said: list[str] = []
        bench.until(
            lambda: any("keeps its former" in words for words in said),
            lambda: (camera.shoot(), said.append(capfd.readouterr().err)),
        )
        assert any("the nearest is 'road'" in words for words in said)
        count = len(labels)
        bench.until(lambda: len(labels) > count, camera.shoot)
        assert set(labels[-1].data) == {3, 200}


def test_hydra_reads_class_and_instance_out_of_one_number(tiny_model: Path, remaps: Path) -> None:
    chosen = {"remap.panoptic": str(remaps), "remap.label": str(remaps)}
    with consuming(tiny_model, panoptic_encoding="32SC1", **chosen) as (bench, camera):
        names = ("panoptic", "instance", "remapped/label")
        heard = [bench.listen(f"/panoptic/{name}", qos=qos_profile_sensor_data) for name in names]
        bench.until(lambda: same_stamp(*heard), camera.shoot)
        both, instance, label = same_stamp(*heard)
    assert (both.encoding, both.step) == ("32SC1", 4 * both.width)
    values = np.frombuffer(both.data, np.uint32).reshape(CAMERA_SIZE)
    ids = np.frombuffer(instance.data, np.uint16).reshape(CAMERA_SIZE)
    assert np.array_equal(values & 0xFFFF, ids)
    assert np.array_equal((values & 0xFFFF0000) >> 16, plane(label))
    assert set(np.unique(plane(label)[ids > 0]).tolist()) == {200}


def test_a_panoptic_image_keeps_its_classes_only_where_no_remap_is_named(
    tiny_model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with consuming(tiny_model, **{"remap.panoptic": "hydra"}) as (_, camera):
        assert camera.node.engine is None
    assert "says nothing about label set 'tiny'" in capfd.readouterr().err


def test_remaps_change_by_parameter_and_a_wrong_one_is_refused(
    tiny_model: Path, remaps: Path, tmp_path: Path
) -> None:
    other = write_remap(tmp_path / "other.yaml", free=["car"], blocked=["road"])
    with consuming(tiny_model) as (bench, camera):
        labels = bench.listen("/panoptic/remapped/label")
        heard = bench.listen("/panoptic/label")
        bench.until(lambda: heard, camera.shoot)
        assert not labels, "the shipped file says nothing about the tiny model"
        assert choose(camera, remaps) == ""
        bench.until(lambda: labels and labels[-1].data[0] == 3, camera.shoot)
        assert choose(camera, other) == ""
        bench.until(lambda: labels[-1].data[0] == 200, camera.shoot)
        assert "nearest is 'nav2'" in choose(camera, "nav3")
        assert "says nothing about label set 'tiny'" in choose(camera, "nav2")
        assert camera.node.config.remap.label == str(other)
        write_remap(other, free=["road"], blocked=["car"])
        assert choose(camera, other) == ""
        bench.until(lambda: labels[-1].data[0] == 3, camera.shoot)


def choose(camera: Any, word: object) -> str:
    """Set the parameter and give back why it was refused."""
    answer = camera.node.set_parameters([Parameter("remap.label", value=str(word))])[0]
    assert answer.successful == (not answer.reason)
    return str(answer.reason)


def test_a_missing_remap_file_fails_configure_with_its_name(
    tiny_model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with consuming(tiny_model, **{"remap.label": "/no/such.yaml"}) as (_, camera):
        assert camera.node.engine is None
    assert "/no/such.yaml" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("mine.yaml", "has no class 'cra'; the nearest is 'car'"),
        ("autoware", "says nothing about label set 'tiny'"),
    ],
)
def test_a_chosen_remap_file_that_does_not_fit_the_model_fails_configure(
    word: str, words: str, tiny_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if word == "mine.yaml":
        word = str(write_remap(tmp_path / word, free=["road"], blocked=["cra"]))
    with consuming(tiny_model, **{"remap.label": word}) as (_, camera):
        assert camera.node.engine is None
    assert words in capfd.readouterr().err
