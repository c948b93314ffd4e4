# SPDX-License-Identifier: Apache-2.0
"""From heads to results: values and algorithms, without ROS, runtimes or a GPU."""
