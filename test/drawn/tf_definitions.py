# SPDX-License-Identifier: Apache-2.0
"""Definition of the TF message, which PyPI lacks, to be built for the tests.

Source: https://github.com/ros2/geometry2, package tf2_msgs, BSD-3-Clause.
"""

TF_DEFINITIONS = {"tf2_msgs/msg/TFMessage": "geometry_msgs/TransformStamped[] transforms\n"}
