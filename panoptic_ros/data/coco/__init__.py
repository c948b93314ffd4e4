# SPDX-License-Identifier: Apache-2.0
"""COCO panoptic data sets and results."""
