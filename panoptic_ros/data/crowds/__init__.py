# SPDX-License-Identifier: Apache-2.0
"""Objects for the crowd segments of COCO panoptic data sets."""
