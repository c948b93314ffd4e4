# SPDX-License-Identifier: Apache-2.0
"""Real-time panoptic perception for ROS 2 cameras."""

__version__ = "0.1.0"
