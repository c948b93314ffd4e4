# SPDX-License-Identifier: Apache-2.0
"""What ``panoptic export`` and ``panoptic build`` make models from."""
