# SPDX-License-Identifier: Apache-2.0
"""The node, messages and bags: everything that knows ROS."""
