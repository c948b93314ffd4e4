# SPDX-License-Identifier: Apache-2.0
"""vision_msgs on the wire: the definitions are the published ones, and the node fills them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from panoptic_ros.messages.vision_definitions import VISION_DEFINITIONS

# REP-2011 hashes of vision_msgs 4.1.1, made with rosbags from the .msg files of
# github.com/ros-perception/vision_msgs at e77fa2d, comments and all.
PUBLISHED = {
    "BoundingBox2D": "008eacbb0cf8f26e83795547bed013eec3675485ef386ec056d80eaaf1c1ce2f",
    "BoundingBox3D": "bbb73a65c163d7f9bb29009c7bde9f7faa576bd2d23299c4511d19230dab4698",
    "Detection2D": "0d12b69df5c593b3455b7346fac8205437a7d4bcb09b9e0e0b2dde787ded38ea",
    "Detection2DArray": "214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968",
    "Detection3D": "ddd703be132ab0b69d33121f1bb034132bfbb3b0ac5f9fb1516005ba1c8a265b",
    "Detection3DArray": "793f5eab9595ac1c0da07873cc859db42eae51f0ee76056db8562515d830e018",
    "LabelInfo": "3d37df4015cdf660cc851c51897f2acd957e1ca6205ba0a99aebffb9406b0783",
    "ObjectHypothesis": "51da43cec11c01957a64d1e05a24acd18aae7745ec30b74348ad5f6d634f7f90",
    "ObjectHypothesisWithPose": "41c12344c0396c48b81df12467c192d99b2a0eb1463c5c37194e4223251c80bc",
    "Point2D": "eab0e83f44ab4de92ceaf76dd7d0e7638f2bdd1d16ffbe16c7a136c48e407247",
    "Pose2D": "b0b5d1d7b4c20dd4fcde3ed1d4b289a919290572007d67a97043814db25d3648",
    "VisionClass": "1e4a11f0fed50b5623cb8ff26ca0e37952a48a9c074d16f804b44e9164c2037a",
}


def hashes(definitions: dict[str, str]) -> dict[str, str]:
    typesys = pytest.importorskip("rosbags.typesys")
    store = typesys.get_typestore(typesys.Stores.ROS2_JAZZY)
    for name, text in definitions.items():
        store.register(typesys.get_types_from_msg(text, name))
    return {
        name.rpartition("/")[2]: store.hash_rihs01(name).removeprefix("RIHS01_")
        for name in definitions
    }


def test_every_definition_is_the_published_one() -> None:
    assert hashes(VISION_DEFINITIONS) == PUBLISHED


MISTAKES = {
    "type": ("LabelInfo", "float32 threshold", "float64 threshold"),
    "name": ("Detection2D", "string id", "string track_id"),
    "order": ("Point2D", "float64 x\nfloat64 y", "float64 y\nfloat64 x"),
    "missing": ("VisionClass", "uint16 class_id\n", ""),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_wrong_definition_has_another_hash(case: str) -> None:
    name, right, wrong = MISTAKES[case]
    changed = dict(VISION_DEFINITIONS)
    text = changed[f"vision_msgs/msg/{name}"]
    assert right in text
    changed[f"vision_msgs/msg/{name}"] = text.replace(right, wrong)
    assert hashes(changed)[name] != PUBLISHED[name]


# On the wire -----------------------------------------------------------------------------------


@pytest.mark.ros
@pytest.mark.vision
@pytest.mark.parametrize("kind", ["LabelInfo", "Detection2DArray"])
def test_the_wire_carries_the_published_type(kind: str) -> None:
    from test.drawn.graph import TYPES, Bench

    bench = Bench()
    found = TYPES.find(f"vision_msgs/msg/{kind}")
    bench.node.create_publisher(found, "/kind", 1)
    info = bench.node.get_publishers_info_by_topic("/kind")[0]
    bench.close()
    value = getattr(info, "topic_type_hash", None)
    if value is None:
        pytest.skip("this rclpy tells no type hash (Iron and later do)")
    assert bytes(value.value).hex() == PUBLISHED[kind]


@pytest.mark.ros
@pytest.mark.vision
def test_detections_name_the_pixels_of_their_objects(tiny_model: Path) -> None:
    from test.drawn.consumer_graph import consuming, same_stamp

    with consuming(tiny_model) as (bench, camera):
        instances = bench.listen("/panoptic/instance")
        arrays = bench.listen("/panoptic/detections", "vision_msgs/msg/Detection2DArray")
        bench.until(lambda: same_stamp(instances, arrays), camera.shoot)
        instance, array = same_stamp(instances, arrays)
    values = np.frombuffer(instance.data, np.uint16).reshape(instance.height, instance.width)
    assert {int(entry.id) for entry in array.detections} == set(np.unique(values)) - {0}
    assert len(array.detections) == 2
    for entry in array.detections:
        y, x = np.nonzero(values == int(entry.id))
        center = entry.bbox.center.position
        assert (center.y, center.x) == ((y.min() + y.max() + 1) / 2, (x.min() + x.max() + 1) / 2)
        assert (entry.bbox.size_y, entry.bbox.size_x) == (np.ptp(y) + 1, np.ptp(x) + 1)
        assert entry.header == array.header == instance.header
        told = {one.hypothesis.class_id: one.hypothesis.score for one in entry.results}
        assert len(told) == len(entry.results)
        assert next(iter(told)) == "car"
        assert 0 < told["car"] <= 1
        assert set(told) <= {"car", "void"}
        assert sum(told.values()) == pytest.approx(1.0)
