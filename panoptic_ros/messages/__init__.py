# SPDX-License-Identifier: Apache-2.0
"""Values to ROS messages and back; needs no rclpy."""
