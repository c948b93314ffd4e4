# SPDX-License-Identifier: Apache-2.0
"""The ``panoptic`` command: one verb per file."""
