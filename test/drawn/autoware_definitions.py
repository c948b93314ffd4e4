# SPDX-License-Identifier: Apache-2.0
"""Definitions of the Autoware messages that results use, without their comments.

Sources, both Apache-2.0: github.com/autowarefoundation/autoware_msgs, autoware_perception_msgs
at 7025d8f; github.com/tier4/tier4_autoware_msgs, tier4_perception_msgs, branch autoware_msg.
"""

from __future__ import annotations

AUTOWARE_DEFINITIONS = {
    "autoware_perception_msgs/msg/ObjectClassification": (
        "uint8 UNKNOWN=0\nuint8 CAR=1\nuint8 TRUCK=2\nuint8 BUS=3\nuint8 TRAILER=4\n"
        "uint8 MOTORCYCLE=5\nuint8 BICYCLE=6\nuint8 PEDESTRIAN=7\nuint8 ANIMAL=8\n"
        "uint8 HAZARD=9\nuint8 OVER_DRIVABLE=10\nuint8 UNDER_DRIVABLE=11\n"
        "uint8 label\nfloat32 probability\n"
    ),
    "autoware_perception_msgs/msg/DetectedObjectKinematics": (
        "uint8 UNAVAILABLE=0\nuint8 SIGN_UNKNOWN=1\nuint8 AVAILABLE=2\n"
        "geometry_msgs/PoseWithCovariance pose_with_covariance\n"
        "bool has_position_covariance\nuint8 orientation_availability\n"
        "geometry_msgs/TwistWithCovariance twist_with_covariance\n"
        "bool has_twist\nbool has_twist_covariance\n"
    ),
    "autoware_perception_msgs/msg/Shape": (
        "uint8 BOUNDING_BOX=0\nuint8 CYLINDER=1\nuint8 POLYGON=2\n"
        "uint8 type\ngeometry_msgs/Polygon footprint\ngeometry_msgs/Vector3 dimensions\n"
    ),
    "autoware_perception_msgs/msg/DetectedObject": (
        "float32 existence_probability\n"
        "autoware_perception_msgs/ObjectClassification[] classification\n"
        "autoware_perception_msgs/DetectedObjectKinematics kinematics\n"
        "autoware_perception_msgs/Shape shape\n"
    ),
    "tier4_perception_msgs/msg/Feature": (
        "sensor_msgs/PointCloud2 cluster\nsensor_msgs/RegionOfInterest roi\n"
    ),
    "tier4_perception_msgs/msg/DetectedObjectWithFeature": (
        "autoware_perception_msgs/DetectedObject object\ntier4_perception_msgs/Feature feature\n"
    ),
    "tier4_perception_msgs/msg/DetectedObjectsWithFeature": (
        "std_msgs/Header header\n"
        "tier4_perception_msgs/DetectedObjectWithFeature[] feature_objects\n"
    ),
}
