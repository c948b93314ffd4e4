# SPDX-License-Identifier: Apache-2.0
"""Points of a LiDAR or depth camera under a result: their labels, and boxes of the objects."""
